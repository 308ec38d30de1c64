"""What is asked, in which batches, and what becomes of each answer; a scripted engine answers."""

import json
from dataclasses import replace

import pytest

from rimbench import engines, systems
from rimbench.engines import EngineChoice, Limits
from rimbench.errors import ConfigError, EngineError
from rimbench.records import Answer, Item, Prompt
from rimbench.running import ondemand
from rimbench.running.batches import WINDOW_BATCHES, plan
from rimbench.running.cell import Cell, ErrorRules, identify, name_run
from rimbench.running.judging import judge_text
from rimbench.running.loop import run_cell
from rimbench.running.ondemand import OnDemand
from rimbench.store import RECORDS, FrozenItems, RunStore, read_records
from rimbench.suites.controls import Controls, show_item
from rimbench.systems import AnswerStyle, PromptStyle, System, Weights

OPTIONS = {"A": "aspirin", "B": "bisoprolol", "C": "colchicine", "D": "digoxin"}
WRITES = System("writes", "", Weights(), PromptStyle(), AnswerStyle("generate", max_new_tokens=16))
READS = System("reads", "", Weights(), PromptStyle(), AnswerStyle("readout", temperature=1.0))


def cell(system=WRITES, n=10, samples=0, context=1000, controls=Controls(), errors=ErrorRules()):  # noqa: B008
    items = tuple(Item(str(i), f"Question {i}?", OPTIONS, "A") for i in range(n))
    ids = {letter: ord(letter) for letter in OPTIONS} if system.answer.mode == "readout" else None
    # Prompt i has i + 1 tokens.
    prompts = tuple(Prompt(str(i), tuple(range(i + 1)), f"{i * 7:064x}", ids) for i in range(n))
    shown = tuple(show_item(item, controls) for item in items)
    return Cell(system, shown, prompts, samples, 0, context, controls, errors)


@pytest.fixture
def answer_with(tmp_path, monkeypatch):
    """Runs a cell on the scripted engine; returns its records."""

    def run(asked, script=None, folder="run", batch_size=4):
        monkeypatch.delenv("RIMBENCH_FAKE_SCRIPT", raising=False)
        if script is not None:
            path = tmp_path / "script.json"
            path.write_text(json.dumps(script))
            monkeypatch.setenv("RIMBENCH_FAKE_SCRIPT", str(path))
        facts = engines.find("fake").describe(EngineChoice(batch_size))
        with RunStore(tmp_path / folder) as store:
            run_cell(asked, facts, engines.open_engine(tmp_path, facts, Limits(1, 0)), store, lambda records: None)
        return list(read_records(tmp_path / folder / RECORDS))

    return run


def lengths(batches):
    return [[len(request.prompt.token_ids) for request in batch] for batch in batches]


def test_batches_are_sorted_by_length_and_hold_every_item_once():
    found = lengths(plan(cell(n=10), 4, set()))
    assert sorted(found, reverse=True) == [[10, 9, 8, 7], [6, 5, 4, 3], [2, 1]]


def test_every_draw_is_asked_in_the_batches_of_the_greedy_answers():
    batches = list(plan(cell(n=6, samples=2), 4, set()))
    assert [len(batch) for batch in batches] == [4, 2] * 3 or [len(batch) for batch in batches] == [2, 4] * 3
    greedy, first, second = batches[:2], batches[2:4], batches[4:]
    assert [{r.samples for r in batch} for batch in batches] == [{(0,)}] * 2 + [{(1,)}] * 2 + [{(2,)}] * 2
    assert lengths(greedy) == lengths(first) == lengths(second)


def test_more_draws_ask_for_the_missing_ones_alone_and_in_the_batches_of_a_run_that_asked_for_all_at_once():
    done = {(str(i), sample) for i in range(40) for sample in range(5)}
    more = list(plan(cell(n=40, samples=8), 4, done))
    assert more == list(plan(cell(n=40, samples=8), 4, set()))[5 * 10 :]
    assert sum(len(request.samples) for batch in more for request in batch) == 160


@pytest.mark.parametrize("batch_size", [4, None])
def test_what_is_asked_first_is_a_random_part_of_the_items(batch_size):
    """Over 200 seeds, the first fifth of 300 items has the mean length of all, 150.5, within 4 standard errors."""
    means = []
    for seed in range(200):
        asked = [r for batch in plan(replace(cell(n=300), seed=seed), batch_size, set()) for r in batch][:60]
        means.append(sum(len(r.prompt.token_ids) for r in asked) / len(asked))
    mean = sum(means) / len(means)
    spread = (sum((value - mean) ** 2 for value in means) / (len(means) - 1) / len(means)) ** 0.5
    assert abs(mean - 150.5) < 4 * spread < 15


def test_a_window_of_batches_is_a_random_part_that_is_sorted_within():
    batches = lengths(plan(cell(n=640), 4, set()))
    windows = [batches[i : i + 32] for i in range(0, len(batches), 32)]
    assert len(windows) == 5
    for window in windows:
        found = sorted((length for batch in window for length in batch), reverse=True)
        assert sorted(window, reverse=True) == [found[i : i + 4] for i in range(0, 128, 4)]
        assert min(found) < 60 and max(found) > 580


def test_a_batch_of_which_an_answer_is_missing_is_asked_again_in_the_same_company():
    done = {(str(i), 0) for i in range(10)} - {("4", 0)}
    assert [[r.item_id for r in batch] for batch in plan(cell(n=10), 4, done)] == [["5", "4", "3", "2"]]


def test_an_engine_that_schedules_by_itself_gets_only_what_is_missing():
    done = {(str(i), 0) for i in range(10)} - {("4", 0), ("7", 0)}
    assert [sorted(r.item_id for r in batch) for batch in plan(cell(n=10), None, done)] == [["4", "7"]]


def test_an_engine_that_shares_prompts_is_asked_for_all_samples_of_an_item_that_are_missing_together():
    done = {("4", 0), ("4", 2), ("5", 0), ("5", 1), ("5", 2)}
    [batch] = plan(cell(n=6, samples=2), 4, done, together=True)
    by_item = {item: [r.samples[0] for r in batch if r.item_id == item] for item in "012345"}
    assert by_item == {**{item: [0, 1, 2] for item in "0123"}, "4": [1], "5": []}
    assert [r.decoding.temperature > 0 for r in batch] == [r.samples != (0,) for r in batch]
    places = [r.item_id for r in batch]
    assert [item for i, item in enumerate(places) if item not in places[:i]] == list(dict.fromkeys(places))
    assert places == [item for item in dict.fromkeys(places) for _ in range(places.count(item))]


def test_readouts_are_asked_in_batches_of_any_engine():
    assert list(plan(cell(READS, 10, samples=3), 4, set(), together=True)) == list(plan(cell(READS, 10, 3), 4, set()))


def test_every_item_and_sample_gets_one_record(answer_with):
    records = answer_with(cell(n=5, samples=3))
    assert sorted((r.item_id, r.sample) for r in records) == [(str(i), s) for i in range(5) for s in range(4)]


def test_a_second_start_asks_nothing_and_more_samples_only_add(answer_with):
    first = answer_with(cell(n=5, samples=2))
    assert answer_with(cell(n=5, samples=2)) == first
    more = answer_with(cell(n=5, samples=4))
    assert more[: len(first)] == first
    assert len(more) == 25


@pytest.mark.parametrize(
    ("text", "answer", "status"),
    [
        ("\\boxed{B}", "B", "ok"),
        ("I do not know.", None, "no_answer"),
        ("I'm sorry, but I can't assist with that.", None, "refused"),
        ("\\boxed{A} or \\boxed{B}", None, "ambiguous"),
        ("<think>it may be A", None, "truncated"),
    ],
)
def test_what_a_text_states_decides_answer_and_status(answer_with, text, answer, status):
    [record] = answer_with(cell(n=1), {"texts": {"0": text}})
    assert (record.answer, record.status, record.text) == (answer, status, text)


def test_a_text_that_was_cut_off_before_it_named_a_letter_is_truncated():
    item = Item("1", "q", OPTIONS, "A")
    assert judge_text(WRITES, item, Answer("Let us look at the", 16, finished=False)) == (None, "truncated")
    assert judge_text(WRITES, item, Answer("Let us look at the", 5, finished=True)) == (None, "no_answer")
    assert judge_text(WRITES, item, Answer("\\boxed{C} and so on and", 16, finished=False)) == ("C", "ok")


def test_the_cards_rule_takes_the_first_letter():
    card = replace(WRITES, answer=replace(WRITES.answer, extraction="first_letter"))
    assert judge_text(card, Item("1", "q", OPTIONS, "A"), Answer("C}. B", 8, finished=False)) == ("C", "ok")


def test_a_failing_item_is_recorded_and_its_company_is_answered(answer_with):
    records = answer_with(cell(n=10, errors=ErrorRules(most=0.2)), {"fail": ["4", "0"]})
    assert {r.item_id: r.status for r in records} == {
        str(i): "engine_error" if i in (0, 4) else "ok" for i in range(10)
    }
    assert "scripted failure of item 4" in next(r.text for r in records if r.item_id == "4")


def test_an_engine_that_fails_before_anything_worked_ends_the_run(answer_with):
    with pytest.raises(EngineError, match="failed on the first item"):
        answer_with(cell(n=10), {"fail": [str(i) for i in range(10)]})


def test_prompts_that_leave_no_room_are_counted():
    assert cell(n=10, context=20).too_long == 6 and cell(n=10).too_long == 0


def test_a_prompt_longer_than_the_context_is_an_engine_error_and_nothing_is_asked(answer_with):
    records = answer_with(cell(n=10, samples=1, context=20))
    errors = [r for r in records if r.status == "engine_error"]
    assert sorted(r.item_id for r in errors) == ["4", "4", "5", "5", "6", "6", "7", "7", "8", "8", "9", "9"]
    assert "exceed the model's context of 20" in errors[0].text
    assert len(records) == 20


def test_a_permuted_item_is_recorded_in_its_own_letters(answer_with):
    """The text names a shown letter; answer and log-probabilities are those of the option that stood there."""
    controls = Controls(permute_options=5)
    item = Item("0", "Question 0?", OPTIONS, "A")
    shown = show_item(item, controls)
    assert shown.own_letters["B"] != "B", "choose a seed that moves B"
    [record] = answer_with(cell(n=1, controls=controls), {"texts": {"0": "\\boxed{B}"}})
    assert (record.answer, record.gold, record.text) == (shown.own_letters["B"], "A", "\\boxed{B}")
    assert OPTIONS[record.answer] == shown.item.options["B"]


def test_permuted_log_probabilities_are_those_of_the_items_own_letters(answer_with):
    controls = Controls(permute_options=5)
    [plain] = answer_with(cell(READS, n=1), folder="plain")
    [permuted] = answer_with(cell(READS, n=1, controls=controls), folder="permuted")
    own = show_item(Item("0", "Question 0?", OPTIONS, "A"), controls).own_letters
    assert permuted.option_logprobs == {own[x]: value for x, value in plain.option_logprobs.items()}
    assert list(permuted.option_logprobs) == ["A", "B", "C", "D"]


def test_a_readouts_draws_follow_its_probabilities(answer_with):
    """The script gives the picked letter probability 2/5 and the others 1/5."""
    records = answer_with(cell(READS, n=200, samples=20))
    greedy = {r.item_id: r.answer for r in records if r.sample == 0}
    drawn = [r.answer == greedy[r.item_id] for r in records if r.sample > 0]
    assert len(drawn) == 4000
    assert abs(sum(drawn) / 4000 - 0.4) < 0.03


def test_a_readouts_draws_are_the_same_in_every_order_and_number(answer_with):
    few = answer_with(cell(READS, n=20, samples=2), folder="few", batch_size=4)
    many = answer_with(cell(READS, n=20, samples=5), folder="many", batch_size=7)
    chosen = {(r.item_id, r.sample): r.answer for r in many}
    assert all(chosen[r.item_id, r.sample] == r.answer for r in few)


FACTS = engines.find("fake").describe(EngineChoice())


@pytest.mark.parametrize(
    "other",
    [
        {"cell": replace(cell(), seed=1)},
        {"cell": replace(cell(), system=replace(WRITES, prompt=PromptStyle("another instruction")))},
        {"cell": replace(cell(), system=replace(WRITES, answer=replace(WRITES.answer, temperature=0.9)))},
        {"cell": replace(cell(), system=replace(WRITES, answer=replace(WRITES.answer, max_new_tokens=9)))},
        {
            "cell": replace(
                cell(), system=replace(WRITES, answer=replace(WRITES.answer, reasoning_tags=(("<a>", "</a>"),)))
            )
        },
        {"cell": replace(cell(), controls=Controls(permute_options=1))},
        {"cell": replace(cell(), controls=Controls(blind=True))},
        {"weights": "other"},
        {"suite": FrozenItems("other")},
        {"facts": replace(FACTS, dtype="bfloat16")},
        {"facts": replace(FACTS, batch_size=1)},
    ],
)
def test_whatever_could_change_an_answer_changes_the_runs_name(other):
    def name(cell=cell(), weights="w", suite=FrozenItems("s"), facts=FACTS):  # noqa: B008
        return name_run(cell, "t", identify(cell, weights, suite, facts).name_sha256)

    assert name() == name()
    assert name(**other) != name()


def test_a_system_without_tags_of_its_own_keeps_the_name_that_its_runs_had_before_there_were_any():
    answer = identify(cell(), "w", FrozenItems("s"), FACTS).document["system"]["answer"]
    assert set(answer) == {"mode", "extraction", "max_new_tokens", "temperature", "top_p"}


def test_a_systems_own_tags_hold_its_thoughts(tmp_path):
    path = tmp_path / "muses.toml"
    path.write_text(
        'description = "x"\n[weights]\nrepo = "a/b"\n[answer]\nmode = "generate"\nmax_new_tokens = 9\n'
        'reasoning_tags = [["[[musing]]", "[[said]]"]]\n'
    )
    system, item = systems.load(str(path)), Item("1", "q", OPTIONS, "A")
    said = Answer("[[musing]] Answer: A [[said]] Answer: B", 9, finished=True)
    assert judge_text(system, item, said) == ("B", "ok")
    assert judge_text(system, item, Answer("[[musing]] Answer: A", 9, finished=True)) == (None, "truncated")


@pytest.mark.parametrize("tags", ['[["<a>", "<a>"]]', '[["<a>"]]', '[["", "</a>"]]', '["<a>", "</a>"]'])
def test_tags_that_are_no_pairs_are_refused(tmp_path, tags):
    path = tmp_path / "muses.toml"
    path.write_text(
        'description = "x"\n[weights]\nrepo = "a/b"\n[answer]\nmode = "generate"\nmax_new_tokens = 9\n'
        f"reasoning_tags = {tags}\n"
    )
    with pytest.raises(ConfigError, match="reasoning_tags"):
        systems.load(str(path))


def test_prompts_are_built_in_windows_and_not_at_all_where_nothing_is_missing(monkeypatch):
    """Asked first, one window is built; of the one item that is missing, its window alone."""
    monkeypatch.setattr(ondemand, "HELD", 100)
    asked, built = cell(n=640), []

    def build(places):
        built.extend(places)
        return [asked.prompts[place] for place in places]

    lazy = replace(asked, prompts=OnDemand(640, build))
    first = next(plan(lazy, 4, set()))
    window = len(built)
    assert window == 4 * WINDOW_BATCHES and len(first) == 4
    assert list(plan(lazy, 4, set())) == list(plan(asked, 4, set()))
    built.clear()
    done = {(str(i), 0) for i in range(640)} - {("4", 0)}
    assert "4" in [request.item_id for batch in plan(lazy, 4, done) for request in batch]
    assert len(built) == window and 4 in built
    built.clear()
    assert list(plan(lazy, 4, done | {("4", 0)})) == []
    assert built == []
