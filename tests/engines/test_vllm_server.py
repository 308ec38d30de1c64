"""A real server beside the offline engine: the same questions, letters and log-probabilities."""

import contextlib
import json
import sys

import pytest
from served import running

import rimbench
from rimbench.conformance import check_engine
from rimbench.conformance.trial import MODEL
from rimbench.engines import at_server

pytestmark = pytest.mark.vllm


@pytest.fixture
def serve(tmp_path):
    """Starts vLLM's server on a checkpoint folder, with its own settings, and gives its URL."""
    pytest.importorskip("vllm")
    command = [
        sys.executable,
        "-m",
        "vllm.entrypoints.openai.api_server",
        "--dtype",
        "float32",
        "--max-num-seqs",
        "32",
    ]
    command += ["--enforce-eager", "--host", "127.0.0.1"]
    environment = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    with contextlib.ExitStack() as started:
        yield lambda folder: started.enter_context(
            running(tmp_path, *command, "--model", str(folder), "--port", path="/health", **environment)
        )


def rows(run):
    """Its records by item."""
    lines = (run.runs[0].folder / "records.jsonl").read_text().splitlines()
    return {row["item_id"]: row for row in map(json.loads, lines)}


def test_memory_is_read_out_through_a_server_as_by_the_offline_engine(serve, tmp_path):
    folder = MODEL.parent / "rim-v2"
    asked = {"systems": "nano-rim-v2", "suites": "demo-in-dist", "limit": 40}
    served = rows(rimbench.run(**asked, engine="server", base_url=serve(folder), results=tmp_path / "served"))
    offline = rows(rimbench.run(**asked, engine="vllm", results=tmp_path / "offline"))
    assert {item: row["answer"] for item, row in served.items()} == {i: row["answer"] for i, row in offline.items()}
    for item, row in offline.items():
        assert served[item]["option_logprobs"] == pytest.approx(row["option_logprobs"], abs=1e-3)
        assert served[item]["label_mass"] == pytest.approx(row["label_mass"], abs=1e-3)
        assert served[item]["prompt_sha256"] == row["prompt_sha256"]


def test_a_server_takes_ids_gives_the_letters_draws_and_keeps_to_seeds(serve):
    with at_server(serve(MODEL)):
        found = check_engine("server")
    assert [o for o in found.outcomes if o.passed is False] == []
