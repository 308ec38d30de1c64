"""One contract for every engine that is found, and agreement between those that run the same model."""

import math
import time

import pytest
from transformers import AutoTokenizer

from rimbench import engines, systems
from rimbench.engines import Decoding, EngineChoice, Limits, Request
from rimbench.records import Item
from rimbench.rim.blocks import Memory
from rimbench.running.prompts import build_prompt
from rimbench.systems import AnswerStyle, PromptStyle, System, Weights

REAL = ["transformers", pytest.param("vllm", marks=pytest.mark.vllm)]
ALL = ["fake", *REAL]
LIMITS = Limits(sequence_tokens=600, seed=0)
RIM = System(
    "rim", "", Weights(), PromptStyle(prefix="The final answer is \\boxed{"), AnswerStyle("readout"), Memory(8)
)
OPTIONS = {"A": "aspirin", "B": "bisoprolol", "C": "colchicine", "D": "digoxin"}


def items(n=12):
    letters = [dict(list(OPTIONS.items())[: 2 + i % 3]) for i in range(n)]
    return [Item(str(i), f"Which drug? {'word ' * (i * 3)}", letters[i], "A") for i in range(n)]


def requests_for(system, tokenizer, decoding, samples=(0,), n=12):
    prompts = [build_prompt(system, item, item.question, tokenizer) for item in items(n)]
    return [Request(str(i), prompt, samples, decoding) for i, prompt in enumerate(prompts)]


@pytest.fixture(scope="module")
def opened(checkpoint):
    """Each engine is opened once: loading is the slow part."""
    loaded = {}

    def get(name):
        if name not in loaded:
            loaded[name] = engines.open_engine(checkpoint, engines.find(name).describe(EngineChoice(8)), LIMITS)
        return loaded[name]

    yield get
    for engine in loaded.values():
        engine.__exit__(None, None, None)


@pytest.fixture(scope="module")
def tokenizer(checkpoint):
    return AutoTokenizer.from_pretrained(checkpoint)


def answer(engine, requests, seed=0):
    """All answers by item id, in batches of one decoding as the runner asks."""
    found = {}
    for start in range(0, len(requests), 4):
        for group in engine.answer(requests[start : start + 4], seed):
            found.update((request.item_id, (request, answers)) for request, answers in group)
    return found


def test_every_engine_module_is_covered_here():
    assert set(engines.available()) == {"fake", "transformers", "vllm"}


@pytest.mark.parametrize("name", ALL)
def test_every_request_is_answered_once_and_its_prompt_arrives_unchanged(opened, tokenizer, name):
    asked = requests_for(RIM, tokenizer, Decoding(readout=True, max_new_tokens=1))
    found = answer(opened(name), asked)
    assert set(found) == {request.item_id for request in asked}
    assert all(found[r.item_id][0].prompt.token_ids == r.prompt.token_ids for r in asked)


@pytest.mark.parametrize("name", ALL)
def test_a_readout_gives_normalised_log_probabilities_of_the_items_own_letters(opened, tokenizer, name):
    asked = requests_for(RIM, tokenizer, Decoding(readout=True, max_new_tokens=1))
    for item, (_, [read]) in zip(items(), answer(opened(name), asked).values(), strict=True):
        assert list(read.option_logprobs) == list(item.options)
        assert math.fsum(math.exp(x) for x in read.option_logprobs.values()) == pytest.approx(1, abs=1e-5)
        assert read.text == max(read.option_logprobs, key=read.option_logprobs.get)
        assert (read.generated_tokens, read.finished) == (0, True)
        assert (read.label_mass is None) == (name == "fake")


@pytest.mark.parametrize("name", REAL)
def test_a_readout_and_a_written_answer_say_what_share_of_the_vocabulary_the_letters_hold(opened, tokenizer, name):
    read = answer(opened(name), requests_for(RIM, tokenizer, Decoding(readout=True, max_new_tokens=1)))
    written = answer(opened(name), requests_for(RIM, tokenizer, Decoding(readout=False, max_new_tokens=4)))
    timed = answer(opened(name), requests_for(RIM, tokenizer, Decoding(True, 1, traced=True)))
    for key, (_, [one]) in read.items():
        assert 0 < one.label_mass < 1
        assert written[key][1][0].label_mass == pytest.approx(one.label_mass, rel=1e-3)
        if name == "transformers":  # timing does not pay for it
            assert timed[key][1][0].label_mass is None


@pytest.mark.parametrize("name", ALL)
def test_draws_of_one_item_come_back_in_their_number(opened, tokenizer, name):
    base = System("base", "", Weights(), PromptStyle(), AnswerStyle("generate", max_new_tokens=6))
    decoding = Decoding(readout=False, max_new_tokens=6, temperature=0.7)
    found = answer(opened(name), requests_for(base, tokenizer, decoding, samples=(1, 2, 3), n=4))
    assert [len(answers) for _, answers in found.values()] == [3, 3, 3, 3]


@pytest.mark.parametrize("name", REAL)
def test_an_answer_that_the_token_limit_cuts_off_says_so(opened, tokenizer, name):
    base = System("base", "", Weights(), PromptStyle(), AnswerStyle("generate", max_new_tokens=3))
    found = [
        texts[0] for _, texts in answer(opened(name), requests_for(base, tokenizer, Decoding(False, 3))).values()
    ]
    cut_off = [text for text in found if not text.finished]
    assert cut_off and {text.generated_tokens for text in cut_off} == {3}
    # The checkpoint writes at random, so that a text which ends by itself is rare: with more room they all go on.
    longer = answer(opened(name), requests_for(base, tokenizer, Decoding(False, 6)))
    for text, (_, [whole]) in zip(found, longer.values(), strict=True):
        assert text.finished == (whole.generated_tokens <= 3)


@pytest.mark.parametrize("name", REAL)
def test_a_readout_equals_the_first_position_of_a_generated_answer(opened, tokenizer, name):
    read = answer(opened(name), requests_for(RIM, tokenizer, Decoding(readout=True, max_new_tokens=1)))
    written = answer(opened(name), requests_for(RIM, tokenizer, Decoding(readout=False, max_new_tokens=4)))
    for key, (_, [one]) in read.items():
        for letter, value in one.option_logprobs.items():
            assert written[key][1][0].option_logprobs[letter] == pytest.approx(value, abs=1e-3)


@pytest.mark.parametrize("name", REAL)
def test_a_traced_answer_tells_each_token_with_its_time_and_that_none_came_from_a_cache(opened, tokenizer, name):
    base = System("base", "", Weights(), PromptStyle(), AnswerStyle("generate", max_new_tokens=6))
    began = time.perf_counter()
    asked = requests_for(base, tokenizer, Decoding(False, 6, traced=True), n=4)
    for _, [written] in [*answer(opened(name), asked).values(), *answer(opened(name), asked).values()]:
        assert len(written.trace.token_at) == len(written.trace.token_ids) == written.generated_tokens
        assert list(written.trace.token_at) == sorted(written.trace.token_at)
        assert began < written.trace.token_at[0] and written.trace.token_at[-1] < time.perf_counter()
        assert tokenizer.decode(written.trace.token_ids, skip_special_tokens=True) == written.text
        assert written.trace.cached_tokens == 0
    read = requests_for(RIM, tokenizer, Decoding(readout=True, max_new_tokens=1, traced=True), n=4)
    for _, [one] in answer(opened(name), read).values():
        assert (one.trace.token_ids, one.trace.cached_tokens) == ((), 0)
    assert opened(name).conditions(read[0].decoding).graphs in ("eager", "graphs")


@pytest.mark.parametrize("readout", [True, False], ids=["right, as readouts are", "left, as written answers are"])
def test_padding_in_a_batch_changes_no_answer_of_transformers(opened, tokenizer, readout):
    asked = requests_for(RIM, tokenizer, Decoding(readout=readout, max_new_tokens=1 if readout else 6))
    assert len({len(request.prompt.token_ids) for request in asked}) == len(asked)
    together = answer(opened("transformers"), asked)
    for request in asked:
        [[(_, [alone])]] = list(opened("transformers").answer([request], 0))
        other = together[request.item_id][1][0]
        assert (alone.text, alone.generated_tokens) == (other.text, other.generated_tokens)
        for letter, value in other.option_logprobs.items():
            assert alone.option_logprobs[letter] == pytest.approx(value, abs=1e-4)


def test_the_same_seed_draws_the_same_answers_and_another_seed_others(opened, tokenizer):
    base = System("base", "", Weights(), PromptStyle(), AnswerStyle("generate", max_new_tokens=8))
    asked = requests_for(base, tokenizer, Decoding(False, 8, 1.0), samples=(1, 2), n=4)
    first, again, other = (answer(opened("transformers"), asked, seed) for seed in (1, 1, 2))
    texts = [[[a.text for a in answers] for _, answers in found.values()] for found in (first, again, other)]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.vllm
def test_vllm_and_transformers_give_the_same_letters_and_log_probabilities(opened, tokenizer):
    asked = requests_for(RIM, tokenizer, Decoding(readout=True, max_new_tokens=1))
    ours, theirs = answer(opened("transformers"), asked), answer(opened("vllm"), asked)
    for key, (_, [read]) in ours.items():
        other = theirs[key][1][0]
        assert other.text == read.text
        for letter, value in read.option_logprobs.items():
            assert other.option_logprobs[letter] == pytest.approx(value, abs=1e-3)


@pytest.mark.vllm
def test_vllm_and_transformers_write_the_same_greedy_texts(opened, tokenizer):
    base = System("base", "", Weights(), PromptStyle(), AnswerStyle("generate", max_new_tokens=12))
    asked = requests_for(base, tokenizer, Decoding(readout=False, max_new_tokens=12))
    ours, theirs = answer(opened("transformers"), asked), answer(opened("vllm"), asked)
    assert {k: a[0].text for k, (_, a) in ours.items()} == {k: a[0].text for k, (_, a) in theirs.items()}


@pytest.mark.parametrize("name", sorted(systems.available()))
def test_every_registered_system_builds_a_prompt_that_keeps_its_parts(tokenizer, name):
    system = systems.load(name)
    item = Item("1", "Which drug?", OPTIONS, "A")
    prompt = build_prompt(system, item, "Which drug?\nA: aspirin", tokenizer)
    assert tokenizer.decode(prompt.token_ids).endswith(system.prompt.prefix)
    assert prompt.text.count("<rim_m>") == (16 if system.memory else 0)
    letter_first = system.answer.mode == "readout" or system.answer.extraction == "first_letter"
    assert (prompt.option_token_ids is not None) == letter_first
