"""A checkpoint whose weights answer NaN: no command takes what comes of it for an answer."""

import json

import pytest
import tiny
from test_grid import Watching

from rimbench import grid, suites, systems
from rimbench.errors import EngineError
from rimbench.store import RECORDS

WRITES = 'mode = "generate"\nmax_new_tokens = 8\n'
READS = 'mode = "readout"\n'


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A checkpoint with one weight that is no number, in the norm that every position passes."""
    from safetensors.torch import load_file, save_file

    folder = tiny.make_checkpoint(tmp_path_factory.mktemp("nan"))
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"][3] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.parametrize("engine", ["transformers", pytest.param("vllm", marks=pytest.mark.vllm)])
@pytest.mark.parametrize("answer", [WRITES, READS])
def test_a_run_ends_and_keeps_nothing(broken, tmp_path, answer, engine):
    system = tmp_path / "nan.toml"
    system.write_text(f'description = "x"\n[weights]\npath = "{tiny.beside(broken, tmp_path)}"\n[answer]\n{answer}')
    suite = suites.load(str(tiny.write_suite(tmp_path, 12)))
    settings = grid.RunSettings(tmp_path / "results", engine=engine, batch_size=4, samples=1)
    runs = grid.plan_runs([systems.load(str(system))], [suite], settings)
    with pytest.raises(EngineError, match=r"failed on the first item.*(?i:nan)"):
        grid.run_all(runs, settings, Watching())
    assert (runs[0].folder / RECORDS).read_bytes() == b""


def test_ask_prints_no_probability(broken, rimbench, tmp_path):
    place = tiny.beside(broken, tmp_path)
    (tmp_path / "nan.toml").write_text(f'description = "x"\n[weights]\npath = "{place}"\n[answer]\n{READS}')
    for json_too in ([], ["--json"]):
        done = rimbench("ask", "Which?", "--option", "x", "--option", "y", "--system", "nan.toml", *json_too)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.strip().splitlines()[-1].startswith("rimbench: error: the model of system 'nan' gives no")


def test_latency_measures_nothing(broken, rimbench, tmp_path):
    tiny.write_suite(tmp_path, 8)
    for name, answer in (("reads", READS), ("writes", WRITES)):
        (tmp_path / f"{name}.toml").write_text(
            f'description = "x"\n[weights]\npath = "{tiny.beside(broken, tmp_path)}"\n[answer]\n{answer}'
        )
        done = rimbench("latency", "--system", f"{name}.toml", "--suite", "tiny.toml", "--batch", 2, "--samples", 2)
        assert done.returncode == 1 and "NaN" in done.stderr and "Traceback" not in done.stderr, done.stderr
        assert json.loads(done.stdout or "null") is None
