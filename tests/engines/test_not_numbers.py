"""A checkpoint whose weights answer NaN: no command takes what comes of it for an answer."""

import json

import pytest
import tiny

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
def test_a_run_ends_and_keeps_nothing(broken, rimbench, tmp_path, answer, engine):
    place = tiny.beside(broken, tmp_path)
    (tmp_path / "nan.toml").write_text(f'description = "x"\n[weights]\npath = "{place}"\n[answer]\n{answer}')
    tiny.write_suite(tmp_path, 12)
    options = ("--engine", engine, "--batch-size", 4, "--samples", 1)
    done = rimbench("run", "--system", "nan.toml", "--suite", "tiny.toml", *options)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1, done.stderr
    assert last.startswith("rimbench: error: the engine failed on the first item"), done.stderr
    assert "nan" in last.lower()
    [records] = (tmp_path / "results").glob(f"*/{RECORDS}")
    assert records.read_bytes() == b""


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
