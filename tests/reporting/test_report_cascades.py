"""Two stored runs as a cascade, and a sweep that stops when it is sure: by hand, on the halves that are stated."""

import json
import math

import pytest
from report_runs import IDENTITY, manifest, record

from rimbench.api.cascades import cascade
from rimbench.errors import UsageError
from rimbench.latency import stored
from rimbench.latency.measured import Measured, Measurement, Subject
from rimbench.records import Item, Record
from rimbench.reporting.adaptive import adaptive_memory
from rimbench.reporting.reading import read_run
from rimbench.statistics.halves import HOW, choosing_half
from rimbench.store import ModelSource, RunStore, identity_of

OPTIONS = {"A": "x", "B": "y"}
N = 80
IDS = [str(i) for i in range(N)]
CHOOSING = dict(zip(IDS, choosing_half(IDS).tolist(), strict=True))


def read_out(item_id, p_of_a, tokens=(30, 0)):
    """A readout that gives A, which is right, so much."""
    letter = "A" if p_of_a >= 0.5 else "B"
    logs = {"A": math.log(p_of_a), "B": math.log(1 - p_of_a)}
    return Record(item_id, 0, "A", letter, "ok", letter, logs, *tokens, "p")


def written(item_id, letter, tokens=(20, 10)):
    return Record(item_id, 0, "A", letter, "ok", letter, None, *tokens, "p")


@pytest.fixture
def write(tmp_path):
    def go(system, records, items=N, **changes):
        made = manifest(run=f"{system}-{changes.get('suite', 'suite')}", system=system, n=items, **changes)
        with RunStore(tmp_path / "results" / made.run) as store:
            store.write_manifest(made, [Item(str(i), f"q{i}", OPTIONS, "A") for i in range(items)])
            store.append(records)
        return tmp_path / "results"

    return go


# Sure of A on even items (margin 0.8) and right there; unsure on odd ones (margin 0.2) and wrong there.
FIRST = [read_out(i, 0.9 if int(i) % 2 == 0 else 0.4) for i in IDS]
# Right on odd items, wrong on every fourth.
SECOND = [written(i, "B" if int(i) % 4 == 0 else "A") for i in IDS]


def test_a_cascade_takes_the_first_where_it_is_sure_and_pays_for_the_second_elsewhere(write):
    write("a", FIRST)
    [found] = cascade("a", "b", write("b", SECOND)).cascades
    judging = [i for i in IDS if not CHOOSING[i]]
    odd = sum(int(i) % 2 for i in judging) / len(judging)
    assert (found.n, found.n_choosing, found.n_judging) == (80, 40, 40)
    assert found.chosen.threshold == pytest.approx(0.8)
    assert found.chosen.accuracy.value == 1.0
    assert found.chosen.passed_on.value == pytest.approx(odd)
    assert found.first.accuracy.value == pytest.approx(1 - odd)
    assert found.against_first.value == pytest.approx(odd)
    # 30 tokens of the first on every item, 30 of the second on those that are passed on, 10 of them generated.
    assert found.chosen.cost.tokens == pytest.approx(30 + 30 * odd)
    assert found.chosen.cost.generated_tokens == pytest.approx(10 * odd)
    assert (found.second.cost.tokens, found.first.cost.generated_tokens) == (30, 0)
    assert [point.threshold for point in found.frontier] == pytest.approx([0.0, 0.8])


def test_the_threshold_is_chosen_without_the_half_that_judges(write):
    """Where the second is right on the choosing half alone, it is passed everything, and is wrong where it counts."""
    write("a", [read_out(i, 0.9 if not CHOOSING[i] else 0.4) for i in IDS])
    [found] = cascade("a", "b", write("b", [written(i, "A" if CHOOSING[i] else "B") for i in IDS])).cascades
    assert found.chosen.chosen_on == 1.0
    assert found.chosen.threshold is None and found.chosen.accuracy.value == 0.0
    assert found.against_first.value == -1.0


def test_a_loss_that_is_allowed_buys_a_cheaper_threshold(write):
    write("a", FIRST)
    [found] = cascade("a", "b", write("b", SECOND), loss=0.9).cascades
    assert (found.chosen.threshold, found.chosen.passed_on.value) == (0.0, 0.0)


def row(system, ms, **changes):
    told = {"system": system, "quantity": "answer", "engine": "e", "device": "cpu", "dtype": "float32", "batch": 1}
    return Measured(
        **told | {"samples_ms": (ms, ms)} | changes, first_ms=1, warm_up_ms=(), prompt_tokens=5, generated_tokens=1,
        truncated=0, load=None,
    )  # fmt: skip


def measure(results, *rows, suite="suite"):
    stored.keep_measurement(Measurement(suite, "2026-01-01T00:00:00+00:00", None, None, {}, {}, rows), results)


def test_the_time_of_a_cascade_is_the_firsts_and_as_much_of_the_seconds_as_is_passed_on(write):
    write("a", FIRST)
    results = write("b", SECOND)
    measure(results, row("a", 2.0), row("b", 50.0))
    [found] = cascade("a", "b", results).cascades
    assert found.chosen.cost.ms == pytest.approx(2 + 50 * found.chosen.passed_on.value)
    assert (found.first.cost.ms, found.second.cost.ms) == (2, 50)
    assert found.timed == "batch 1, e on cpu, float32"


def test_a_cascade_that_was_timed_end_to_end_stands_beside_what_is_predicted_at_its_threshold(write):
    write("a", FIRST)
    results = write("b", SECOND)
    for threshold, weights in ((0.5, "w"), (0.5, "x")):
        second = {"threshold": threshold, "weights_sha256": weights * 64, "prompts_sha256": None}
        subject = Subject(identity_of(IDENTITY | {"system": {"second": second}}), ModelSource("m"))
        measure(results, row("a", 2.0), row("b", 50.0), row(f"both-{weights}", 29.0, subject=subject))
    [found] = cascade("a", "b", results).cascades
    [own] = found.measured  # the other one's second system has other weights
    assert (own.label, own.threshold, own.ms) == ("both-w", 0.5, 29.0)
    assert own.predicted_ms == pytest.approx(2 + 50 / 2)  # every other item has a margin below 0.5


@pytest.mark.parametrize("changes", [{"engine": "other"}, {"batch": 2}, {"quantity": "letter"}, {"system": "c"}])
def test_times_that_are_not_of_both_under_one_condition_predict_nothing_and_that_is_said(write, changes):
    write("a", FIRST)
    results = write("b", SECOND)
    measure(results, row("a", 2.0), row(**{"system": "b", "ms": 50.0} | changes))
    found = cascade("a", "b", results)
    assert found.cascades[0].chosen.cost.ms is None
    assert "measure them with 'rimbench latency --system a --system b --suite suite'" in found.notes[-1]


def test_an_answer_without_probabilities_among_others_is_passed_on(write):
    """The first is sure of all others and right there, and the second wrong: what is unread alone is passed on."""
    unread = next(i for i in IDS if not CHOOSING[i])
    write("a", [written(i, "A") if i == unread else read_out(i, 0.9) for i in IDS])
    [found] = cascade("a", "b", write("b", [written(i, "B") for i in IDS])).cascades
    assert (found.unread, found.chosen.threshold) == (1, 0.0)
    assert found.chosen.passed_on.value == 1 / 40 and found.chosen.accuracy.value == 39 / 40


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("b", "a", "has no option log-probabilities"),
        ("a", "a", "is both systems on suite suite: give two"),
        ("a", "other", "are over different frozen items of suite suite"),
        ("a", "elsewhere", "a and elsewhere share no suite: a has suite, elsewhere has s2"),
        ("a", "one", "1 of 80 items of suite suite are answered by both: none is left to judge"),
        ("a", "draws", "has draws alone"),
    ],
)
def test_what_is_no_cascade_is_said_in_one_line(write, first, second, says):
    write("a", FIRST)
    write("b", SECOND)
    write("other", SECOND, identity=IDENTITY | {"suite": {"content_sha256": "t" * 64}})
    write("elsewhere", SECOND, suite="s2")
    write("one", SECOND[:1])
    results = write("draws", [record(str(i), "A", 1) for i in range(N)], samples=1)
    with pytest.raises(UsageError, match=says):
        cascade(first, second, results)


def test_a_suite_that_one_of_them_lacks_is_said(write):
    write("a", FIRST)
    with pytest.raises(UsageError, match="a and b have not both answered suite nosuch: a has suite, b has suite"):
        cascade("a", "b", write("b", SECOND), suite="nosuch")


def test_few_items_that_judge_are_worth_a_word(write):
    write("a", FIRST)
    assert any("only 40 items of suite judge" in note for note in cascade("a", "b", write("b", SECOND)).notes)


def test_a_cascade_is_json_without_nan_and_with_the_whole_frontier(write):
    write("a", FIRST)
    document = json.loads(json.dumps(cascade("a", "b", write("b", SECOND)).document, allow_nan=False))
    assert document[0]["split"] == HOW
    assert [point["threshold"] for point in document[0]["frontier"]] == pytest.approx([0.0, 0.8])
    assert document[0]["chosen"]["accuracy"]["n"] == 40


@pytest.fixture
def run_of(tmp_path):
    def go(records):
        name = f"k{len(list(tmp_path.iterdir()))}"
        with RunStore(tmp_path / name) as store:
            store.write_manifest(manifest(run=name, n=N), [Item(i, f"q{i}", OPTIONS, "A") for i in IDS])
            store.append(records)
        return read_run(tmp_path / name)

    return go


def test_memory_that_stops_at_the_first_sure_block_by_hand(run_of):
    """Even items are sure and right after block 1, and wrong after block 3; odd ones are right after it alone."""
    items = [Item(i, "", OPTIONS, "A") for i in IDS]
    none = [read_out(i, 0.5) for i in IDS]
    one = [read_out(i, 0.9 if int(i) % 2 == 0 else 0.4) for i in IDS]
    two = [read_out(i, 0.45) for i in IDS]
    three = [read_out(i, 0.9 if int(i) % 2 else 0.1) for i in IDS]
    found = adaptive_memory(items, list(map(run_of, [none, one, two, three])))
    judging = [i for i in IDS if not CHOOSING[i]]
    odd = sum(int(i) % 2 for i in judging) / len(judging)
    assert found.threshold == pytest.approx(0.8)
    assert found.accuracy.value == 1.0
    assert found.blocks.value == pytest.approx(1 + 2 * odd)
    assert found.against_all.value == pytest.approx(1 - odd)
    assert (found.n_choosing, found.n_judging) == (40, 40)


def test_a_sweep_of_one_block_or_without_probabilities_has_no_adaptive_memory(run_of):
    items = [Item(i, "", OPTIONS, "A") for i in IDS]
    first, second = run_of(FIRST), run_of(SECOND)
    assert adaptive_memory(items, [first, first]) is None
    assert adaptive_memory(items, [second] * 4) is None
    assert adaptive_memory(items[:1], [first] * 4) is None
