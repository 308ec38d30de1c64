"""Systems measured on real tiny models: the same items, named quantities, raw samples kept."""

import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tiny
import torch
from served import Scripted, serving
from transformers import AutoModelForCausalLM, AutoTokenizer

from rimbench import engines, suites, systems
from rimbench.engines import EngineChoice
from rimbench.errors import EngineError, UsageError
from rimbench.latency import machine, measuring, timing
from rimbench.latency.measured import Measured, ratio
from rimbench.latency.measuring import measure, measure_in_turn
from rimbench.latency.stored import read_measurements
from rimbench.latency.timing import StoppingRules
from rimbench.reporting.timings import doubts
from rimbench.running import plans

FEW = StoppingRules(least=3, most=3, warm_up_most=2)


@pytest.fixture
def planned(tmp_path, checkpoint, suite_file):
    folder = tmp_path / "systems"
    folder.mkdir()

    def plan(batch, suite=suite_file, limit=None):
        weights = f'description = "test"\n[weights]\npath = "{tiny.beside(checkpoint, folder)}"\n'
        (folder / "writes.toml").write_text(weights + '[answer]\nmode = "generate"\nmax_new_tokens = 5\n')
        (folder / "reads.toml").write_text(weights + '[prompt]\nprefix = "is "\n[answer]\nmode = "readout"\n')
        memory = '[prompt]\nprefix = "is "\n[memory]\nblocks = 2\n[answer]\nmode = "generate"\n'
        (folder / "rim.toml").write_text(weights + memory + 'extraction = "first_letter"\nmax_new_tokens = 4\n')
        loaded = [systems.load(str(folder / f"{name}.toml")) for name in ("writes", "reads", "rim")]
        settings = plans.RunSettings(folder, "transformers", batch)
        return plans.plan_runs(loaded, [suites.load(str(suite), limit=limit)], settings)

    return plan


def test_each_system_has_its_quantities_and_as_many_samples(planned):
    measured = measure(planned(2), 2, FEW)
    assert [(m.system, m.quantity) for m in measured] == [
        ("writes", "answer"),
        ("reads", "answer"),
        ("rim", "answer"),
        ("rim", "readout"),
    ]
    assert all(len(m.samples_ms) == 3 and min(m.samples_ms) > 0 and m.first_ms > 0 for m in measured)
    by_name = {(m.system, m.quantity): m for m in measured}
    assert 0 < by_name["writes", "answer"].generated_tokens <= 5
    assert by_name["reads", "answer"].generated_tokens == by_name["rim", "readout"].generated_tokens == 0
    assert by_name["rim", "answer"].generated_tokens <= 4
    assert by_name["rim", "answer"].prompt_tokens == by_name["writes", "answer"].prompt_tokens + 8 + 3


def test_what_was_told_passed_and_set_stands_beside_the_times(planned):
    runs = planned(4)
    by_name = {(m.system, m.quantity): m for m in measure(runs, 4, FEW)}
    written, read = by_name["writes", "answer"], by_name["reads", "answer"]
    assert read.passes.count == 1 and 1 <= written.passes.count <= 5
    assert 0 < written.passes.prefill_ms < max(written.samples_ms)
    assert written.passes.floor_ms > read.passes.floor_ms > 0
    assert list(read.told.letters) == [shown.item.item_id for shown in runs[0].cell.shown[:12]]  # 3 batches of 4
    assert set(read.told.letters.values()) <= set("ABCD") and 0 <= read.told.right <= 12
    for row in by_name.values():
        assert (row.setting.cached_tokens, row.setting.graphs) == (0, "eager")
        assert row.setting.load_s > 0
        assert row.setting.peak_bytes is None or row.setting.peak_bytes > 100_000


def test_the_letters_of_a_batch_are_those_of_single_questions(planned):
    alone, together = ({m.system: m for m in measure(planned(b), b, FEW)}["reads"].told.letters for b in (1, 12))
    assert alone.items() <= together.items() and len(alone) == 3


@pytest.fixture(scope="module")
def letter_checkpoint(tmp_path_factory):
    """A checkpoint that answers every prompt with B and then ends: its layers add nothing, its head has two rows."""
    folder = tiny.make_checkpoint(tmp_path_factory.mktemp("letter"))
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    model.config.tie_word_embeddings = False
    letter, end = tokenizer.encode("B")[0], tokenizer.eos_token_id
    head = torch.nn.Linear(model.config.hidden_size, model.config.vocab_size, bias=False)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(1.0 if "norm" in name else 0.0)
        rows = model.get_input_embeddings().weight
        rows[:, 0], rows[letter, 0], rows[letter, 1] = 1, 0, 1
        head.weight.zero_()
        head.weight[letter, 0] = head.weight[end, 1] = 1
    model.lm_head = head
    model.save_pretrained(folder)
    return folder


def test_the_time_to_the_letter_is_within_the_answers_and_asked_for_by_name(planned, letter_checkpoint):
    rim = next(run for run in planned(2) if run.cell.system.name == "rim")
    rim = dataclasses.replace(rim, checkpoint=dataclasses.replace(rim.checkpoint, folder=letter_checkpoint))
    rows = {row.quantity: row for row in measure([rim], 2, StoppingRules(least=8, most=8, warm_up_most=2))}
    assert set(rows) == {"answer", "letter", "readout"}
    assert rows["answer"].generated_tokens == 2 and set(rows["answer"].told.letters.values()) == {"B"}
    for told, whole in zip(rows["letter"].samples_ms, rows["answer"].samples_ms, strict=True):
        assert 0 < told < whole  # the letter is there with the first of two tokens
    assert {row.quantity for row in measure([rim], 2, FEW, quantities=["readout"])} == {"readout"}
    assert {row.quantity for row in measure([rim], 2, FEW, quantities=["letter"])} == {"letter"}


@pytest.mark.parametrize("quantity", ["answer", "readout"])
def test_a_quantity_that_is_asked_for_is_timed_alone(planned, quantity):
    rim = next(run for run in planned(1) if run.cell.system.name == "rim")
    [row] = measure([rim], 1, FEW, quantities=[quantity])
    assert (row.quantity, row.rounds.places) == (quantity, (0, 0, 0))  # no other call in its rounds


def test_a_quantity_that_a_system_or_an_engine_lacks_is_refused_with_what_has_it(planned, monkeypatch):
    runs = {run.cell.system.name: run for run in planned(1)}
    with pytest.raises(UsageError, match="'writes' writes free text and has no readout: expected one that"):
        measure([runs["writes"]], 1, FEW, quantities=["readout"])
    scripted = dataclasses.replace(runs["writes"], facts=engines.find("fake").describe(EngineChoice(1)))
    with pytest.raises(UsageError, match=r"engine 'fake' does not tell .* expected one of transformers, vllm"):
        measure([scripted], 1, FEW, quantities=["letter"])


def test_what_is_read_out_has_one_time_under_every_name(planned):
    reads = next(run for run in planned(2) if run.cell.system.name == "reads")
    rows = measure([reads], 2, FEW, quantities=["readout", "letter"])
    assert [row.quantity for row in rows] == ["readout", "letter"]
    assert rows[0].samples_ms == rows[1].samples_ms


def test_a_system_that_tells_no_letter_has_no_time_to_it(planned):
    run = next(run for run in planned(1) if run.cell.system.name == "writes")
    short = dataclasses.replace(run.cell.system.answer, max_new_tokens=1)
    cell = dataclasses.replace(run.cell, system=dataclasses.replace(run.cell.system, answer=short))
    with pytest.raises(EngineError, match=r"'writes' gave a letter in fewer than two samples .*; ask for its answer"):
        measure([dataclasses.replace(run, cell=cell)], 1, FEW, quantities=["letter"])


def test_a_prompt_beyond_the_models_context_is_refused(planned):
    run = planned(1)[0]
    with pytest.raises(UsageError, match=r"no room for an answer in the model's context of 20: take shorter"):
        measure([dataclasses.replace(run, cell=dataclasses.replace(run.cell, context_tokens=20))], 1, FEW)


def test_only_the_samples_say_what_was_answered_however_long_a_system_warms_up(planned, monkeypatch):
    plain, lengths = timing._warm_up, iter((9, 2, 5, 3))

    def unequal(call, rules, timed):
        plain(call, dataclasses.replace(rules, warm_up_most=next(lengths), warm_within=-1), timed)

    monkeypatch.setattr(timing, "_warm_up", unequal)
    rows = [row for row in measure(planned(1), 1, FEW) if row.quantity != "letter"]
    assert [len(row.warm_up_ms) for row in rows] == [9, 2, 5, 3]
    assert len({tuple(row.told.letters) for row in rows}) == 1 and len(rows[0].told.letters) == 3


def test_the_load_is_that_before_anything_was_measured(planned, monkeypatch):
    loads = iter((0.25, *[9.0] * 99))
    monkeypatch.setattr(os, "getloadavg", lambda: (next(loads), 0, 0))
    machine.first_load.cache_clear()
    runs = planned(1)[:1]
    assert [row.load for _ in range(2) for row in measure(runs, 1, FEW) if row.quantity == "answer"] == [0.25, 0.25]
    machine.first_load.cache_clear()


def test_a_prompt_that_came_from_a_cache_fails_the_measurement(planned, monkeypatch, tmp_path):
    script = tmp_path / "script.json"
    monkeypatch.setenv("RIMBENCH_FAKE_SCRIPT", str(script))
    run = next(run for run in planned(1) if run.cell.system.name == "writes")
    scripted = dataclasses.replace(run, facts=engines.find("fake").describe(EngineChoice(1)))
    script.write_text('{"cached_tokens": 0}')
    [row] = measure([scripted], 1, FEW)
    assert not any("no answer names a letter" in said for said in doubts([row]))
    assert row.setting.cached_tokens == 0 and set(row.told.letters.values()) <= set("ABCD")
    script.write_text('{"cached_tokens": null}')
    [row] = measure([scripted], 1, FEW)
    assert row.setting.cached_tokens is None
    [said] = [told for told in doubts([dataclasses.replace(row, device="remote")]) if "network" in told]
    assert "whether a prompt came from its prefix cache the server does not say" in said
    for told, words in (('{"cached_tokens": 16}', "16"), ("{}", "an unknown number of")):
        script.write_text(told)
        with pytest.raises(
            EngineError, match=f"took {words} tokens of a prompt of 'writes' from a cache, expected 0"
        ):
            measure([scripted], 1, FEW)


LIMITED = """
import resource, sys
from pathlib import Path
from rimbench import suites, systems
from rimbench.running import plans
from rimbench.latency.measuring import measure, measure_in_turn
from rimbench.latency.timing import StoppingRules
folder, suite = map(Path, sys.argv[1:])
system = systems.load(str(folder / "writes.toml"))
def runs(batch):
    return plans.plan_runs([system], [suites.load(str(suite))], plans.RunSettings(folder, "transformers", batch))
rules = StoppingRules(least=2, most=2, warm_up_most=1)
measure(runs(2), 2, rules)  # whatever is imported or reserved once is there by now
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + (300 << 20), -1))
said = []
[row] = [row for row in measure(runs(4096), 4096, rules, say=said.append) if row.quantity == "answer"]
assert 1 < row.batch < 4096 and len(said) >= 1, (row.batch, said)
print(said[0])
*_, rows = measure_in_turn([(runs(4096), 4096), (runs(2048), 2048)], rules, said.append)
assert [row.quantity for row in rows].count("answer") == 1, [(row.quantity, row.batch) for row in rows]
print(said[-1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits its own memory by Linux's means")
def test_a_batch_larger_than_the_memory_is_halved_and_said(planned, suite_file):
    folder = planned(1)[0].folder.parent
    # With one arena, what is freed can be had again: the limit counts reserved addresses, not used memory.
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, folder, suite_file],
        capture_output=True, text=True, check=False, env=os.environ | {"MALLOC_ARENA_MAX": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "a batch of 4096 exceeds the memory" in done.stdout and "measuring 2048 instead" in done.stdout
    assert "has been measured already: the first measurement of it counts" in done.stdout


WITHOUT_ROOM_FOR_A_PROBE = """
from rimbench.latency.probe import probe
probe.cache_clear()
resource.setrlimit(resource.RLIMIT_AS, (held + (8 << 20), -1))
[row] = [row for row in measure(runs(2), 2, rules) if row.quantity == "answer"]
assert len(row.samples_ms) == 2 and row.passes.count >= 1 and row.passes.floor_ms is None, row.passes
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits its own memory by Linux's means")
def test_where_the_memory_has_no_room_for_the_floors_probe_the_times_are_there_without_it(planned, suite_file):
    script = LIMITED[: LIMITED.index("resource.setrlimit")] + WITHOUT_ROOM_FOR_A_PROBE
    done = subprocess.run(
        [sys.executable, "-c", script, planned(1)[0].folder.parent, suite_file],
        capture_output=True, text=True, check=False, env=os.environ | {"MALLOC_ARENA_MAX": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


def test_systems_on_different_items_are_refused(planned):
    with pytest.raises(UsageError, match="different items"):
        measure([planned(1)[0], planned(1, limit=5)[1]], 1, FEW)


def made(name, samples):
    return Measured(name, "answer", "transformers", "cpu", "float32", 4, tuple(samples), 1, (), 10, 1, 0, 0)


def test_a_ratio_is_that_of_the_means_and_pairing_takes_common_noise_out():
    rng = np.random.default_rng(0)
    machine = rng.lognormal(0, 0.5, 400)
    slow, fast = made("slow", 30 * machine * rng.normal(1, 0.01, 400)), made("fast", 10 * machine)
    found = ratio(slow, fast)
    assert found.value == pytest.approx(np.mean(slow.samples_ms) / np.mean(fast.samples_ms))
    assert found.lo < 3 < found.hi and found.hi - found.lo < 0.05


def test_percentiles_and_time_per_question():
    one = made("one", range(1, 101))
    assert one.percentile(50) == 50.5
    assert one.percentile(99) == pytest.approx(99.01)
    assert one.per_question_ms == pytest.approx(50.5 / 4)
    assert made("steady", [5.0] * 10).drift == 0
    assert made("slowing", [1.0] * 5 + [2.0] * 5).drift == 1


def test_a_percentile_needs_a_sample_beyond_it():
    assert made("one", range(99)).percentile(99) is None
    assert [made("one", range(n)).percentile(95) for n in (8, 19)] == [None, None]
    assert made("one", range(20)).percentile(95) is not None
    assert made("one", range(2)).percentile(50) == 0.5
    assert made("one", range(1)).percentile(50) is None


def test_worker_processes_ask_further_items_and_are_one_measurement(planned):
    rows = measure(planned(2), 2, StoppingRules(least=4, most=4, warm_up_most=2), processes=2)
    rows = [row for row in rows if row.quantity != "letter"]
    assert [(row.system, row.quantity) for row in rows] == [
        ("writes", "answer"),
        ("reads", "answer"),
        ("rim", "answer"),
        ("rim", "readout"),
    ]
    for row in rows:
        assert (row.taken, len(row.samples_ms), len(row.told.letters)) == ((2, 2), 4, 8)
    for i in range(4):
        assert sorted(row.rounds.places[i] for row in rows) == [0, 1, 2, 3]


def test_the_first_process_of_each_batch_size_measures_before_the_second_of_any(planned):
    said = []
    rules = StoppingRules(least=4, most=4, warm_up_most=1)
    sizes = [([planned(batch)[1]], batch) for batch in (1, 2)]
    given = list(measure_in_turn(sizes, rules, said.append, processes=2))
    assert said == [f"batch {batch}, process {number} of 2" for number in (1, 2) for batch in (1, 2)]
    assert [[(row.batch, row.taken) for row in rows] for rows in given] == [
        [(1, (2,))],
        [(1, (2,)), (2, (2,))],
        [(1, (2, 2)), (2, (2,))],
        [(1, (2, 2)), (2, (2, 2))],
    ]
    assert [len(row.told.letters) for row in given[-1]] == [4, 8]  # further items in each process


@pytest.mark.parametrize(("long_s", "told"), [(0.0, True), (1e9, False)])
def test_a_measurement_that_takes_long_says_so_before_it_does_and_what_takes_less(planned, monkeypatch, long_s, told):
    monkeypatch.setattr(measuring, "LONG_S", long_s)
    said = []
    measure(planned(2)[:1], 2, FEW, said.append)
    assert [line.startswith("batch 2 takes about 0 minutes or more: a call of each system") for line in said] == (
        [True] if told else []
    )
    assert all("10 to warm up and 3 to measure, or more; fewer systems, --samples" in line for line in said)


def test_a_process_that_dies_costs_no_other_its_samples(planned, monkeypatch, tmp_path):
    runs = {batch: next(run for run in planned(batch) if run.cell.system.name == "writes") for batch in (1, 2)}
    script = tmp_path / "script.json"  # the item stands in the last process's share of batch 2, and in no other
    script.write_text(json.dumps({"cached_tokens": 0, "die": [runs[1].cell.shown[9].item.item_id]}))
    monkeypatch.setenv("RIMBENCH_FAKE_SCRIPT", str(script))
    facts = engines.find("fake").describe(EngineChoice(1))
    sizes = [([dataclasses.replace(run, facts=facts)], batch) for batch, run in runs.items()]
    said = []
    *_, rows = measure_in_turn(sizes, StoppingRules(least=6, most=6, warm_up_most=1), said.append, processes=3)
    assert [(row.batch, row.taken, row.rounds.lost) for row in rows] == [(1, (2, 2, 2), 0), (2, (2, 2), 1)]
    assert said[-1] == "worker process 3 of 3 ended in the middle: its rounds are left out"


def test_a_fault_in_a_worker_process_is_the_commands_own_error(planned, monkeypatch, tmp_path):
    script = tmp_path / "script.json"
    script.write_text("{}")
    monkeypatch.setenv("RIMBENCH_FAKE_SCRIPT", str(script))
    run = next(run for run in planned(1) if run.cell.system.name == "writes")
    scripted = dataclasses.replace(run, facts=engines.find("fake").describe(EngineChoice(1)))
    with pytest.raises(EngineError, match="took an unknown number of tokens of a prompt of 'writes' from a cache"):
        measure([scripted], 1, FEW, processes=2)


def test_the_command_prints_a_table_and_keeps_raw_samples(rimbench, planned, suite_file, tmp_path):
    planned(1)
    name = planned(1)[1].folder.parent / "reads.toml"
    done = rimbench("latency", "--system", name, "--suite", suite_file, "--batch", 1, "--batch", 4,
                    "--samples", 3, "--seconds", 0, "--processes", 1, check=True)  # fmt: skip
    assert "reads" in done.stdout and "ms a batch" in done.stdout
    (kept,) = (tmp_path / "results").glob("latency-*/latency.json")
    rows = json.loads(kept.read_text())["rows"]
    assert [row["batch"] for row in rows] == [1, 4]
    assert all(len(row["samples_ms"]) >= 3 for row in rows)


def test_the_command_compares_each_quantity_draws_and_prices_and_measures_no_size_twice(
    rimbench, planned, suite_file, tmp_path
):
    folder = planned(1)[0].folder.parent
    common = ("latency", "--system", folder / "reads.toml", "--system", folder / "rim.toml", "--suite", suite_file,
              "--samples", 3, "--seconds", 0, "--processes", 1)  # fmt: skip
    done = rimbench(*common, "--quantity", "readout", "--engine", "auto", "--engine", "transformers", "--batch", 1,
                    "--batch", 4, "--batch", 4, "--plot", tmp_path / "drawn", "--price-per-hour", 2, "--json",
                    check=True)  # fmt: skip
    document = json.loads(done.stdout)
    assert [entry["batch"] for entry in document["latency"]] == [1, 1, 4, 4]
    assert all(entry["cost_per_1000"] > 0 and entry["threads"] >= 1 for entry in document["latency"])
    assert [(s["quantity"], s["batch"]) for s in document["speedups"]] == [("readout", 1), ("readout", 4)]
    assert all(s["system"] != s["baseline"] for s in document["speedups"])
    assert (tmp_path / "drawn" / "speedups.svg").exists() and (tmp_path / "drawn" / "throughput.svg").exists()
    refused = rimbench(*common, "--plot", tmp_path / "drawn")
    assert refused.returncode == 2 and "expected at least two batch sizes" in refused.stderr


def test_a_server_is_timed_in_a_closed_loop_and_what_it_does_not_say_is_said(rimbench, planned, suite_file, tmp_path):
    folder = planned(1)[0].folder.parent
    for system in ("reads", "writes"):
        text = (folder / f"{system}.toml").read_text().replace("[weights]\n", '[weights]\nserved = "scripted"\n')
        (folder / f"{system}.toml").write_text(text)
    with serving(Scripted()) as server:
        done = rimbench("latency", "--system", folder / "reads.toml", "--system", folder / "writes.toml", "--suite",
                        suite_file, "--engine", "server", "--base-url", server.url, "--samples", 4, "--seconds", 0,
                        "--processes", 2, "--batch", 4, check=True)  # fmt: skip
        in_flight = [len(asked["prompt"]) for _, _, asked in server.asked]
    [measurement] = read_measurements(tmp_path / "results")
    assert {(row.system, row.device, row.setting.cached_tokens) for row in measurement.rows} == {
        ("reads", "remote", None),
        ("writes", "remote", None),
    }
    assert all(row.taken == (2, 2) and row.batch == 4 for row in measurement.rows)
    assert len(in_flight) > 2 * 2 * 2 * 4
    assert (
        "reads: its times hold the network, and the load is this machine's; whether a prompt came from" in done.stderr
    )
    assert [row.setting.peak_bytes for row in measurement.rows] == [None, None]


def test_a_server_that_took_a_prompt_from_its_cache_fails_the_measurement(planned, suite_file, rimbench):
    class Caching(Scripted):
        def complete(self, asked):
            status, told = super().complete(asked)
            told["usage"]["prompt_tokens_details"] = {"cached_tokens": 16}
            return status, told

    folder = planned(1)[0].folder.parent
    text = (folder / "reads.toml").read_text().replace("[weights]\n", '[weights]\nserved = "scripted"\n')
    (folder / "reads.toml").write_text(text)
    with serving(Caching()) as server:
        done = rimbench("latency", "--system", folder / "reads.toml", "--suite", suite_file, "--engine", "server",
                        "--base-url", server.url, "--samples", 2, "--processes", 1)  # fmt: skip
    assert done.returncode == 1 and "took 16 tokens of a prompt of 'reads' from a cache, expected 0" in done.stderr
