"""Questions that arrive by themselves: counted from the due time, on a clock of arithmetic and at a real server."""

import itertools
import json
import math
import threading
import time

import pytest
import tiny
from served import Scripted, serving

from rimbench import suites, systems
from rimbench.engines import at_server
from rimbench.errors import UsageError
from rimbench.latency.arrivals import (
    Arrival,
    Load,
    OpenLoop,
    UnderLoad,
    check_slo,
    due_times,
    largest_rate,
    under_load,
)
from rimbench.latency.measured import Measured, Measurement
from rimbench.latency.measuring import measure
from rimbench.latency.timing import StoppingRules
from rimbench.reporting.load_tables import load_document, load_tables
from rimbench.running import plans

SERVICE_S = 0.01


def queue(rate, seed, count=4000, service_s=SERVICE_S):
    """M/D/1: one server, each question of the same length, the next one begun when the last is done."""
    free, arrivals = 0.0, []
    for number, due in enumerate(due_times(rate, count, seed)):
        free = max(free, due) + service_s
        arrivals.append(Arrival(str(number), due, due, free, right=number % 4 != 0))
    return Load(rate, seed, tuple(arrivals))


def test_arrivals_are_as_many_a_second_as_the_rate_says_and_drawn_by_the_seed():
    due = due_times(50.0, 20_000, 1)
    assert due[0] == 0.0 and due == sorted(due) and due == due_times(50.0, 20_000, 1) != due_times(50.0, 20_000, 2)
    gaps = [after - before for before, after in itertools.pairwise(due)]
    assert sum(gaps) / len(gaps) == pytest.approx(1 / 50, rel=0.02)
    assert sum(gap > 1 / 50 for gap in gaps) / len(gaps) == pytest.approx(math.exp(-1), abs=0.01)


@pytest.mark.parametrize("load", [0.2, 0.5, 0.8])
def test_the_wait_of_a_queue_is_counted_from_the_due_time(load):
    found = queue(load / SERVICE_S, 0, count=200_000)
    waits = [a.done_s - a.due_s - SERVICE_S for a in found.arrivals]
    # Pollaczek and Khinchine: load x service / (2 (1 - load)); and a share of 1 - load waits not at all.
    assert sum(waits) / len(waits) == pytest.approx(load * SERVICE_S / 2 / (1 - load), rel=0.05)
    assert sum(wait < 1e-9 for wait in waits) / len(waits) == pytest.approx(1 - load, abs=0.02)


def test_a_percentile_counts_what_failed_as_never_answered_and_needs_one_beyond_it():
    def made(count, failed=0):
        return Load(1.0, 0, tuple(Arrival("a", i, i, None if i < failed else i + 0.5, True) for i in range(count)))

    assert made(99).percentile(99) is None and made(100).percentile(99) == pytest.approx(500)
    assert made(200, failed=1).percentile(99) == pytest.approx(500)
    assert made(200, failed=3).percentile(99) is None and not made(200, failed=3).keeps(1000)
    assert made(200, failed=3).failed == 3 and made(200).keeps(500.1) and not made(200).keeps(499)


def test_right_answers_a_second_are_those_within_the_limit():
    arrivals = [Arrival("a", 0, 0, 1.0, True), Arrival("b", 1, 1, 1.5, False), Arrival("c", 2, 2, 10.0, True)]
    load = Load(1.0, 0, tuple(arrivals))
    assert load.right_per_s() == pytest.approx(2 / 10) and load.right_per_s(1000) == pytest.approx(1 / 10)
    assert Load(1.0, 0, (Arrival("a", 0, 0, None, False),)).right_per_s() == 0.0


def waits_at_most(wait_s, load):
    """The share of M/D/1 that waits so long at the most: Erlang 1909."""
    per_s, found = load / SERVICE_S, 0.0
    for k in range(int(wait_s / SERVICE_S + 1e-9) + 1):
        left = per_s * (wait_s - k * SERVICE_S)
        found += (-left) ** k / math.factorial(k) * math.exp(left)
    return (1 - load) * found


@pytest.mark.parametrize("start", [1.0, 40.0, 5000.0])
def test_the_largest_rate_keeps_to_the_limit_and_a_larger_one_does_not(start):
    found = largest_rate(queue, 50.0, start)
    assert found.rate.lo < found.rate.value < found.rate.hi < 100  # the server takes 100 a second
    tried = [[load for load in found.tried if load.seed == seed] for seed in range(3)]
    kept = [max(load.rate for load in loads if load.keeps(50.0)) for loads in tried]
    missed = [min(load.rate for load in loads if not load.keeps(50.0)) for loads in tried]
    assert found.rate.value == pytest.approx(sum(kept) / 3)
    assert all(1 < above / below <= 1.05 for below, above in zip(kept, missed, strict=True))
    assert found.right_per_s.value == pytest.approx(0.75 * found.rate.value, rel=0.06)
    assert (
        0.985 < waits_at_most(0.04, found.rate.value * SERVICE_S) < 0.996
    )  # 0.99, less what is left between two rates


def test_what_a_limit_leaves_is_told_beside_the_time_alone_and_against_the_system_with_the_lowest_rate():
    alone = [
        Measured(name, "answer", "server", "remote", "unknown", 1, (ms, ms), ms, (), None, 0, 0, 0)
        for name, ms in (("cot", 20.0), ("rim", 10.0))
    ]
    found = [largest_rate(lambda rate, _, s=s: queue(rate, 0, 200, s), 100.0, 20.0) for s in (0.02, 0.01)]
    measurement = Measurement("demo", "2026-01-01", None, None, {}, {}, tuple(alone))
    loop = OpenLoop(measurement, tuple(UnderLoad(r.label, None, f) for r, f in zip(alone, found, strict=True)))
    [table] = load_tables(loop)
    ratio = found[1].rate.value / found[0].rate.value
    assert [row[1:4] for row in table.rows] == [("cot", "100", "20"), ("rim", "100", "10")]
    assert [row[-3:-1] for row in table.rows] == [("-", "-"), ("2", f"{ratio:.3g}")]
    assert [row[-1] for row in table.rows] == ["-", "-"]
    cot, rim = (told["largest"] for told in load_document(loop)["systems"])
    assert rim["slo_ms"] == 100 and rim["rate"]["value"] == found[1].rate.value > cot["rate"]["value"]
    assert [load["rate"] for load in rim["tried"]] == [load.rate for load in found[1].tried]


def test_what_disturbed_either_side_alone_stands_beside_what_a_limit_leaves_and_in_json():
    cot, rim = (
        Measured(name, "answer", "server", "remote", "unknown", 1, (ms, ms), ms, (), None, 0, 0, load)
        for name, ms, load in (("cot", 20.0, 3.2), ("rim", 10.0, 0.0))
    )
    found = [largest_rate(lambda rate, _, s=s: queue(rate, 0, 200, s), 100.0, 20.0) for s in (0.02, 0.01)]
    measurement = Measurement("demo", "2026-01-01", None, None, {}, {}, (cot, rim))
    sides = list(zip(("cot", "rim"), found, strict=True))
    within = OpenLoop(measurement, tuple(UnderLoad(label, None, largest) for label, largest in sides))
    at_rate = OpenLoop(measurement, tuple(UnderLoad(label, largest.tried[0], None) for label, largest in sides))
    [[first, second]] = [table.rows for table in load_tables(within)]
    assert first[-1] == second[-1] == "cot: noisy: load 3.2"
    [[first, second]] = [table.rows for table in load_tables(at_rate)]
    assert (first[-1], second[-1]) == ("noisy: load 3.2", "-")
    assert [told["noise"] for told in load_document(within)["systems"]] == [["noisy: load 3.2"], []]


def test_a_limit_that_every_rate_or_none_keeps_ends_the_search_with_what_was_tried():
    with pytest.raises(UsageError, match=r"--slo 5: every rate from 40 to 0.00977 a second misses it"):
        largest_rate(queue, 5.0, 40.0)
    with pytest.raises(UsageError, match=r"--slo 5: every rate from 1 to 4.1e\+03 a second keeps it"):
        largest_rate(lambda rate, seed: queue(rate, seed, 200, 0.0), 5.0, 1.0)


@pytest.mark.parametrize(
    ("rate", "says"), [(0.0, "no question"), (-1.0, "no question"), (math.nan, "no question"), (math.inf, "at once")]
)
def test_a_rate_at_which_nothing_arrives_or_all_at_once_is_refused(rate, says):
    with pytest.raises(UsageError, match=f"at this rate .*{says}"):
        due_times(rate, 10, 0)


def test_searches_that_end_at_one_rate_have_no_interval():
    rate = largest_rate(lambda rate, _: queue(rate, 0, 200), 50.0, 40.0).rate
    assert (rate.lo, rate.hi, rate.n, rate.method) == (None, None, 3, "3 searches: no spread between them")


def test_a_limit_below_the_floor_is_refused_with_the_floor():
    with pytest.raises(UsageError, match=r"--slo 3: no answer of 'rim' comes within that: .* 5.2 ms at the least"):
        check_slo(3.0, (6.0, 5.2, 7.0), "rim")
    check_slo(5.2, (6.0, 5.2, 7.0), "rim")


class OneAtATime(Scripted):
    """A server of one worker, each answer of which takes the same time."""

    def __init__(self):
        self.lock = threading.Lock()

    def complete(self, asked):
        with self.lock:
            time.sleep(SERVICE_S)
            return super().complete(asked)


@pytest.fixture
def served_system(tmp_path, checkpoint, suite_file):
    weights = f'[weights]\nserved = "scripted"\npath = "{tiny.beside(checkpoint, tmp_path)}"\n'
    (tmp_path / "reads.toml").write_text(f'description = "x"\n{weights}[answer]\nmode = "readout"\n')
    return tmp_path / "reads.toml"


def test_a_real_server_is_asked_when_questions_are_due_however_many_it_has_not_answered(
    served_system, suite_file, tmp_path
):
    suite = suites.load(str(suite_file))
    with serving(OneAtATime()) as server, at_server(server.url):
        settings = plans.RunSettings(tmp_path, "server", 1)
        [run] = plans.plan_runs([systems.load(str(served_system))], [suite], settings)
        [alone] = measure([run], 1, StoppingRules(least=3, most=3))
        before = len(server.asked)
        load = under_load(run, alone, 60, 1000.0, None).load  # ten times what it can answer
        assert len(server.asked) - before == 60 + 1 + 1  # each once, the first before, and what it takes is found out
    assert load.failed == 0 and [a.due_s for a in load.arrivals] == due_times(1000.0, 60, 0)
    asked = [item.item_id for item in suite.items]
    assert [a.item_id for a in load.arrivals] == [asked[i % len(asked)] for i in range(60)]
    done = sorted(a.done_s for a in load.arrivals)
    assert done[-1] >= 60 * SERVICE_S  # it answers one after another, and the last waits for all
    assert max(a.done_s - a.due_s for a in load.arrivals) > 30 * SERVICE_S
    gold = {item.item_id: item.gold for item in suite.items}
    assert [a.right for a in load.arrivals] == [gold[a.item_id] == "A" for a in load.arrivals]


def test_a_search_says_before_each_rate_how_long_its_questions_take_to_arrive(served_system, suite_file, tmp_path):
    said = []
    with serving(Scripted()) as server, at_server(server.url):
        settings = plans.RunSettings(tmp_path, "server", 1)
        [run] = plans.plan_runs([systems.load(str(served_system))], [suites.load(str(suite_file))], settings)
        [alone] = measure([run], 1, StoppingRules(least=3, most=3))
        with pytest.raises(UsageError, match=r"every rate from 1e\+03 to 4.1e\+06 a second keeps it"):
            under_load(run, alone, 100, 1000.0, 1e6, said.append)
    assert said[:2] == [f"reads: 100 questions at {rate} a second arrive in {s} s"
                        for rate, s in (("1e+03", "0.1"), ("2e+03", "0.05"))]  # fmt: skip
    assert len(said) == 13


def test_the_command_asks_at_a_rate_and_keeps_every_arrival(rimbench, served_system, suite_file, tmp_path):
    with serving(OneAtATime()) as server:
        done = rimbench("latency", "--system", served_system, "--suite", suite_file, "--engine", "server",
                        "--base-url", server.url, "--arrivals", "poisson", "--rate", 30, "--samples", 4,
                        "--json", check=True)  # fmt: skip
    [told] = json.loads(done.stdout)["systems"]
    assert told["load"]["arrived"] == 100 and told["load"]["p99_ms"] >= told["load"]["p50_ms"] >= 1000 * SERVICE_S
    assert "every arrival is kept in" in done.stderr
    assert "reads: its times hold the network, and the load is this machine's" in done.stderr
    [path] = (tmp_path / "results").glob("arrivals-*/arrivals.json")
    kept = json.loads(path.read_text())
    assert len(kept["systems"][0]["load"]["arrivals"]) == 100
    assert len(kept["alone"]["rows"][0]["samples_ms"]) >= 4


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--rate", 5), "--rate and --slo are of questions that arrive by themselves: add --arrivals poisson"),
        (("--arrivals", "poisson"), "expected --rate R, questions a second, or --slo MS"),
        (("--arrivals", "poisson", "--rate", 0), "--rate 0: at this rate no question ever arrives"),
        (("--arrivals", "poisson", "--slo", "inf"), "--slo inf: expected more than 0 ms, and a finite number"),
        (("--arrivals", "poisson", "--rate", 5, "--batch", 2), "--quantity and --plot have no place"),
        (("--arrivals", "poisson", "--rate", "inf"), "--rate inf: at this rate all questions arrive at once"),
        (
            ("--arrivals", "poisson", "--rate", 5, "--prompt-tokens", 9),
            "one by one, as they are: --batch, --prompt-tokens",
        ),
        (("--arrivals", "poisson", "--slo", -1), "--slo -1: expected more than 0 ms"),
        (
            ("--arrivals", "poisson", "--rate", 5, "--engine", "fake"),
            "engine 'fake' answers what it is asked at once",
        ),
    ],
)
def test_what_makes_no_open_loop_is_refused_in_one_line(rimbench, options, says):
    done = rimbench("latency", "--system", "nano-direct", "--suite", "demo-in-dist", *options)
    assert done.returncode == 2 and says in " ".join(done.stderr.split())
