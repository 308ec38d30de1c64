"""Engines that fail, each through the real runner: nothing is filed as a wrong answer, and what is good is kept."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from test_loop import OPTIONS, READS, WRITES, cell

from rimbench import engines
from rimbench.engines import EngineChoice
from rimbench.errors import EngineError
from rimbench.records import Answer
from rimbench.running.cell import ErrorRules
from rimbench.running.loop import run_cell
from rimbench.store import Answers, RunStore

FACTS = engines.find("fake").describe(EngineChoice(4))
RIGHT = Answer("\\boxed{A}", 3, finished=True)
UNIFORM = dict.fromkeys(OPTIONS, -math.log(4))


class Scripted:
    """An engine that answers as a function says: given a request, an answer, several, None for no reply, or an
    exception that is raised. It counts what it is asked.
    """

    def __init__(self, reply, *, at_once=math.inf):
        self.reply, self.at_once = reply, at_once
        self.asked = []

    def answer(self, requests, seed):
        if len(requests) > self.at_once:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        for request in requests:
            self.asked.append((request.item_id, *request.samples))
            reply = self.reply(request)
            if isinstance(reply, Exception):
                raise reply
            if reply is not None:
                yield [(request, reply if isinstance(reply, list) else [reply])]


@pytest.fixture
def run(tmp_path):
    """Runs a cell with a scripted engine; returns the outcome, or the error that ended it, and the answers kept."""

    def run(asked, engine):
        with RunStore(tmp_path / "run", {shown.item.item_id: shown.item for shown in asked.shown}) as store:
            try:
                outcome = run_cell(asked, FACTS, engine, store, lambda records: None)
            except EngineError as error:
                outcome = error
        return outcome, {(r.item_id, r.sample): r for r in Answers(tmp_path / "run")}

    return run


def statuses(records):
    return {key: record.status for key, record in records.items()}


def test_what_failed_once_is_asked_again_in_the_same_start(run):
    calls = []

    def thrice(request):
        """Fails its batch, its half, and the item alone; then answers."""
        if request.item_id == "3":
            calls.append(1)
            return RIGHT if len(calls) > 3 else RuntimeError("busy")
        return RIGHT

    outcome, records = run(cell(n=40), Scripted(thrice))
    assert outcome.failed == 0
    assert statuses(records) == {(str(i), 0): "ok" for i in range(40)}


def test_what_still_fails_is_not_answered_and_is_asked_by_the_next_start_alone(run):
    def poisoned(request):
        return RuntimeError("no") if request.item_id == "3" else RIGHT

    outcome, records = run(cell(n=40), Scripted(poisoned))
    assert (outcome.failed, outcome.last_failure) == (1, "RuntimeError: no")
    assert not records["3", 0].answered and records["3", 0].text == "RuntimeError: no"
    again = Scripted(lambda request: RIGHT)
    outcome, records = run(cell(n=40), again)
    assert again.asked == [("3", 0)] and outcome.failed == 0
    assert statuses(records) == {(str(i), 0): "ok" for i in range(40)}


def test_what_still_fails_is_final_by_the_users_word_alone(run):
    def poisoned(request):
        return RuntimeError("no") if request.item_id == "3" else RIGHT

    kept = ErrorRules(final=True)
    outcome, records = run(cell(n=40, errors=kept), Scripted(poisoned))
    assert outcome.failed == 0 and records["3", 0].final and records["3", 0].answered
    again = Scripted(poisoned)
    run(cell(n=40), again)
    assert again.asked == []


def test_a_draw_that_another_command_asked_for_is_not_made_final_by_this_one(run):
    def poisoned(request):
        return RuntimeError("no") if (request.item_id, request.samples) == ("3", (1,)) else RIGHT

    run(cell(n=40, samples=1), Scripted(poisoned))
    _, records = run(cell(n=40, errors=ErrorRules(final=True)), Scripted(poisoned))
    assert not records["3", 1].answered


def test_an_engine_that_raises_before_it_gives_anything_is_met_like_any_other(run):
    class Eager(Scripted):
        def answer(self, requests, seed):
            if any(request.item_id == "3" for request in requests):
                raise RuntimeError("no")
            return [[(request, [RIGHT])] for request in requests]

    outcome, records = run(cell(n=40), Eager(None))
    assert outcome.failed == 1 and sum(record.answered for record in records.values()) == 39


@pytest.mark.parametrize(("failing", "ends"), [(2, False), (3, True)])
def test_more_than_5_percent_of_failures_end_the_run_and_what_is_good_is_kept(run, failing, ends):
    def poisoned(request):
        return RuntimeError("no") if int(request.item_id) < failing else RIGHT

    outcome, records = run(cell(n=40), Scripted(poisoned))
    assert isinstance(outcome, EngineError) is ends
    if ends:
        assert str(outcome).startswith("the engine failed on 3 of 40 answers, more than 0.05 of them (last: Runtime")
    assert sum(record.answered for record in records.values()) == 40 - failing
    assert not any(record.final for record in records.values())


def test_an_engine_that_breaks_is_not_asked_on_and_on(run):
    """It answers 100 of 1000 items and then nothing: 16 items in a row fail, each batch of 4 of them in 7 calls."""
    answered = []

    def breaks(request):
        if len(answered) >= 100:
            return RuntimeError("CUDA error: unspecified launch failure")
        return answered.append(1) or RIGHT

    engine = Scripted(breaks)
    outcome, records = run(cell(n=1000, context=2000, errors=ErrorRules(most=0.01)), engine)
    assert "the engine failed on 16 of 1000 answers, more than 0.01" in str(outcome)
    assert len(engine.asked) <= 100 + 16 * 4
    assert sum(record.answered for record in records.values()) == 100


def test_a_resume_on_a_broken_engine_files_nothing_as_wrong(run):
    with_first = []
    first = Scripted(lambda request: None if with_first else with_first.append(request.item_id) or RIGHT)
    outcome, records = run(cell(n=20), first)
    assert isinstance(outcome, EngineError)
    outcome, records = run(cell(n=20), Scripted(lambda request: RuntimeError("broken")))
    assert "failed on 16 of 20" in str(outcome)
    assert [key for key, record in records.items() if record.answered] == [(with_first[0], 0)]
    outcome, records = run(cell(n=20), Scripted(lambda request: RIGHT))
    assert outcome.failed == 0 and set(statuses(records).values()) == {"ok"} and len(records) == 20


def test_an_item_that_fails_first_does_not_end_the_run(run):
    order = []

    def first_fails(request):
        order.append(request.item_id)
        return RuntimeError("no") if request.item_id == order[0] else RIGHT

    outcome, records = run(cell(n=40), Scripted(first_fails))
    assert outcome.failed == 1
    assert sum(record.answered for record in records.values()) == 39


def test_an_item_that_the_engine_leaves_out_is_a_failure_of_that_item(run):
    outcome, records = run(cell(n=40), Scripted(lambda request: None if request.item_id in ("1", "5") else RIGHT))
    assert (outcome.failed, outcome.last_failure) == (2, "the engine gave no answer to this item")
    assert sorted(key for key, record in records.items() if not record.answered) == [("1", 0), ("5", 0)]


@pytest.mark.parametrize("replies", [[], [RIGHT, RIGHT], [RIGHT] * 9])
def test_another_number_of_answers_than_samples_is_a_failure_of_that_item(run, replies):
    engine = Scripted(lambda request: replies if request.item_id == "5" else RIGHT)
    outcome, records = run(cell(n=40, samples=1), engine)
    assert outcome.failed == 2
    assert outcome.last_failure == f"the engine gave {len(replies)} answers for 1 samples"
    assert sum(record.answered for record in records.values()) == 78


def test_an_answer_to_a_question_that_was_not_asked_ends_the_run(run):
    class Confused(Scripted):
        def answer(self, requests, seed):
            yield [(replace(requests[0], item_id="39"), [RIGHT])]
            yield [(replace(requests[0], item_id="39"), [RIGHT])]

    outcome, _ = run(cell(n=40), Confused(None))
    assert isinstance(outcome, EngineError) and "twice, or unasked" in str(outcome)


def test_a_batch_too_large_for_the_memory_is_halved(run):
    outcome, records = run(cell(n=40), Scripted(lambda request: RIGHT, at_once=1))
    assert outcome.failed == 0 and len(records) == 40


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to"),
    ],
)
def test_a_lack_of_memory_stops_the_run_and_is_never_filed_as_an_answer(run, error):
    answered = []

    def starves(request):
        return error if len(answered) >= 16 else answered.append(1) or RIGHT

    outcome, records = run(cell(n=40), Scripted(starves))
    assert isinstance(outcome, EngineError)
    assert "out of memory on item" in str(outcome) and "--batch-size" in str(outcome)
    assert len(records) == 16 and set(statuses(records).values()) == {"ok"}
    outcome, records = run(cell(n=40), Scripted(lambda request: RIGHT))
    assert len(records) == 40


def test_one_item_too_large_for_the_memory_costs_no_other_item_its_answer(run):
    def starves(request):
        return MemoryError() if request.item_id == "39" else RIGHT

    outcome, records = run(cell(n=40, errors=ErrorRules(final=True)), Scripted(starves))
    assert "out of memory on item '39' alone, a prompt of 40 tokens (MemoryError)" in str(outcome)
    assert set(records) == {(str(i), 0) for i in range(39)}


@pytest.mark.parametrize(
    ("logprobs", "fault"),
    [
        (UNIFORM | {"B": math.nan}, "option_logprobs.B: expected a logarithm of a probability, 0 or less (got nan)"),
        (dict.fromkeys(OPTIONS, math.nan), "option_logprobs.A: "),
        (dict.fromkeys(OPTIONS, -math.inf), "option_logprobs: expected a letter with a probability above 0"),
        (UNIFORM | {"B": math.inf}, "option_logprobs.B: "),
        (UNIFORM | {"B": 0.7}, "option_logprobs.B: "),
        (UNIFORM | {"E": -9.0}, "the engine answered 'E', item '5' has A, B, C, D"),
        ({"A": 0.0}, "option_logprobs: item '5' has the options A, B, C, D (got A)"),
        (None, "the engine gave no log-probabilities for a readout"),
    ],
)
@pytest.mark.parametrize("samples", [0, 3])
def test_log_probabilities_that_are_none_are_a_failure_of_their_item(run, logprobs, fault, samples):
    def reads(request):
        return Answer("A", 0, True, logprobs if request.item_id == "5" else UNIFORM)

    outcome, records = run(cell(READS, n=40, samples=samples), Scripted(reads))
    assert outcome.failed == 1 + samples and fault in outcome.last_failure
    assert sum(record.answered for record in records.values()) == 39 * (1 + samples)


def test_an_engine_of_numbers_that_are_none_ends_at_once(run):
    engine = Scripted(lambda request: Answer("A", 0, True, dict.fromkeys(OPTIONS, math.nan)))
    outcome, records = run(cell(READS, n=1000, context=2000), engine)
    assert "the engine failed on the first item" in str(outcome) and "nan" in str(outcome)
    assert records == {} and len(engine.asked) == 16


def test_a_letter_of_probability_0_is_kept_and_never_drawn(run):
    logprobs = {"A": -math.inf, "B": math.log(0.5), "C": math.log(0.5), "D": -math.inf}
    outcome, records = run(cell(READS, n=40, samples=8), Scripted(lambda request: Answer("B", 0, True, logprobs)))
    assert outcome.failed == 0
    assert records["5", 0].option_logprobs == logprobs
    assert {record.answer for record in records.values()} == {"B", "C"}


@pytest.mark.parametrize("half", ["\ud83d", "\ude00", "\ude00\ud83d"])
def test_half_a_character_is_kept_as_it_can_be_written_and_counted(run, half):
    text = f"{half} \\boxed{{A}} \U0001f600"
    outcome, records = run(cell(n=4), Scripted(lambda request: Answer(text, 3, finished=True)))
    assert outcome.failed == 0
    assert records["0", 0].text == "\ufffd" * len(half) + " \\boxed{A} \U0001f600"
    assert records["0", 0].answer == "A"


def test_half_a_character_in_an_engines_message_is_no_traceback(run):
    outcome, records = run(cell(n=40), Scripted(lambda r: RuntimeError("\ud83d") if r.item_id == "5" else RIGHT))
    assert outcome.failed == 1 and records["5", 0].text == "RuntimeError: \ufffd"


@pytest.mark.parametrize("tokens", [-1, 10**10])
def test_a_count_of_tokens_that_cannot_be_is_a_failure_of_its_item(run, tokens):
    engine = Scripted(lambda r: Answer("\\boxed{A}", tokens if r.item_id == "5" else 3, finished=True))
    outcome, _ = run(cell(n=40), engine)
    assert outcome.failed == 1 and "generated_tokens" in outcome.last_failure


def test_more_draws_ask_the_engine_for_the_missing_ones_alone(run):
    run(cell(n=40, samples=4), Scripted(lambda request: RIGHT))
    engine = Scripted(lambda request: RIGHT)
    _, records = run(cell(n=40, samples=8), engine)
    assert sorted(engine.asked) == sorted((str(i), sample) for i in range(40) for sample in range(5, 9))
    assert len(records) == 360


def test_a_prompt_without_room_for_an_answer_is_final_and_asked_by_no_start(run):
    _, records = run(cell(WRITES, n=40, context=55), Scripted(lambda request: RIGHT))
    assert [key for key, record in records.items() if record.final] == [("39", 0)]
    again = Scripted(lambda request: RIGHT)
    run(cell(WRITES, n=40, context=55), again)
    assert again.asked == []


@pytest.mark.parametrize("error", [MemoryError("no more"), RuntimeError("CPU: can't allocate memory")])
def test_a_model_that_exceeds_the_memory_as_it_is_loaded_is_one_line(monkeypatch, error):
    def load(*_):
        raise error

    monkeypatch.setattr(engines, "known", lambda _: load)
    with pytest.raises(EngineError, match=f"the model in mine exceeds the memory as it is loaded: {error}; take"):
        engines.open_engine(Path("mine"), FACTS, engines.Limits(8, 0))
