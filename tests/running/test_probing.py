"""What a grid will take: which items are asked for it, what is kept, and the arithmetic from a probe to hours."""

import json
import types

import pytest
import tiny
from filelock import FileLock

from rimbench import systems
from rimbench.api.costs import Expected, costs_of, total
from rimbench.running import probing
from rimbench.running.completion import run_all
from rimbench.running.plans import RunSettings, plan_runs
from rimbench.running.probing import TIMED_BATCHES, Probe, probe_all
from rimbench.store import RECORDS
from rimbench.store.writing import LOCK
from rimbench.suites import load


def planned(folder, samples=0, limit=200, names=("nano-direct",), batch_size=4):
    settings = RunSettings(folder, "fake", batch_size, samples=samples)
    return plan_runs([systems.load(name) for name in names], [load("demo-in-dist", limit=limit)], settings), settings


@pytest.fixture
def asked(monkeypatch):
    """The batches that the scripted engine is asked."""
    from rimbench.engines.fake import FakeEngine

    seen, answer = [], FakeEngine.answer

    def watched(self, requests, seed):
        seen.append(list(requests))
        return answer(self, requests, seed)

    monkeypatch.setattr(FakeEngine, "answer", watched)
    return seen


def test_a_few_batches_are_asked_the_first_is_not_timed_and_nothing_is_kept(tmp_path, asked):
    [run], _ = planned(tmp_path / "results")
    [probe] = probe_all([run], tiny.Watching())
    assert len(asked) == TIMED_BATCHES + 1 and {len(batch) for batch in asked} == {4}
    assert len(probe.item_ms) == TIMED_BATCHES
    assert (probe.answers, probe.items) == (200, 200.0)
    assert not (tmp_path / "results").exists()


def test_what_is_answered_already_is_not_counted_and_of_a_complete_run_nothing_is_asked(tmp_path, asked):
    [small], settings = planned(tmp_path, limit=50)
    run_all([small], settings, tiny.Watching())
    asked.clear()
    [probe] = probe_all([small], tiny.Watching())
    assert (probe.answers, probe.item_ms, asked) == (0, (), [])
    [more], _ = planned(tmp_path, samples=2, limit=50)
    [probe] = probe_all([more], tiny.Watching())
    assert (probe.answers, probe.items) == (100, 50.0)  # letters are read out: draws come of one pass


def test_a_run_that_another_command_is_at_is_probed_and_left_as_it_is(tmp_path):
    [small], settings = planned(tmp_path, limit=50)
    run_all([small], settings, tiny.Watching())
    records = small.folder / RECORDS
    records.write_bytes(b"".join(records.read_bytes().splitlines(keepends=True)[:10]) + b'{"item_id": "half')
    before = records.read_bytes()
    with FileLock(small.folder / LOCK):
        [probe] = probe_all([small], tiny.Watching())
    assert probe.answers == 40 and records.read_bytes() == before


def test_draws_that_are_written_count_a_pass_each(tmp_path, monkeypatch):
    clock = iter(range(10**6))
    monkeypatch.setattr(probing, "time", types.SimpleNamespace(perf_counter=lambda: next(clock)))
    [run], _ = planned(tmp_path, samples=3, names=("nano-cot",))
    [probe] = probe_all([run], tiny.Watching())
    # A second a batch of 4 items, and 4 passes: the greedy answer and 3 draws.
    assert set(probe.item_ms) == {1000.0}
    assert (probe.answers, probe.items) == (800, 200.0)


def test_a_model_that_two_runs_share_is_loaded_once(tmp_path):
    runs, _ = planned(tmp_path, names=("nano-base", "nano-base-direct"))
    first, second = probe_all(runs, tiny.Watching())
    assert first.load_s > 0 and second.load_s == 0


def test_hours_are_the_mean_of_the_probe_times_what_is_missing_on_so_many_workers(tmp_path):
    [run], _ = planned(tmp_path)
    took = Probe(run, 7200, 7200.0, 36.0, (900.0, 1000.0, 1100.0))
    [cost] = costs_of([took], workers=2)
    # 7,200 items of a second each are two hours, one on two workers; 36 s of loading are a hundredth.
    assert (cost.answers, cost.load_h, cost.answer_h) == (7200, 0.01, pytest.approx(1.0))
    assert cost.low_h < 1 < cost.high_h
    [alone] = costs_of([Probe(run, 10, 10.0, 0.0, (5.0,))], workers=1)
    assert alone.low_h is None and alone.high_h is None
    assert total([cost, alone]).low_h is None
    assert total([Expected("a", 1, 0.5, 2.0, 1.0, 3.0), Expected("b", 2, 0.0, 1.0, 0.5, 1.5)]) == Expected(
        "all", 3, 0.5, 3.0, 1.5, 4.5
    )


def test_the_command_prints_a_line_a_run_with_time_and_price_and_says_that_it_is_an_estimate(rimbench):
    given = ("plan", "--cost", "--system", "nano-direct", "--suite", "demo-in-dist", "--engine", "fake")
    shown = rimbench(*given, "--price-per-hour", "3600", check=True).stdout
    assert "nano-direct on demo-in-dist" in shown and "price" in shown and "An estimate" in shown
    made = json.loads(rimbench(*given, "--json", check=True).stdout)
    assert made["runs"][0]["answers"] == made["all"]["answers"] == 1000
    assert rimbench("plan", "--system", "nano-direct").returncode == 2
