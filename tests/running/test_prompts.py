"""Prompts of many items at once are those of each alone, and some of them name a run."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import build_prompt

from rimbench import checkpoints, systems
from rimbench.records import LETTERS, Item, Prompt
from rimbench.running import prompts
from rimbench.running.ondemand import OnDemand
from rimbench.running.prompts import HASHED, PromptBuilder, hash_prompts
from rimbench.systems import weights

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
    str.strip
) | st.sampled_from(["<|end|>", "What is <|user|>?", "ﬁ 🧪 é", "  two  spaces ", "<rim_m>"])


@pytest.fixture(scope="module", params=["nano-rim-v2", "nano-direct", "nano-cot"])
def built(request):
    """A shipped system with its tokenizer."""
    system = systems.load(request.param)
    return system, checkpoints.read_tokenizer(weights.resolve(system).folder)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(TEXTS, st.integers(2, 10)), min_size=1, max_size=6), st.integers(1, 6))
def test_prompts_built_together_or_in_parts_are_those_built_one_by_one(built, questions, size):
    system, tokenizer = built
    asked = [
        (Item(str(i), text, dict.fromkeys(LETTERS[:count], "x"), "A"), text)
        for i, (text, count) in enumerate(questions)
    ]
    letters = LETTERS[: max(count for _, count in questions)]
    one_by_one = [build_prompt(system, item, text, tokenizer) for item, text in asked]
    builder = PromptBuilder(system, tokenizer)
    in_parts = [p for i in range(0, len(asked), size) for p in builder.build(asked[i : i + size], letters)]
    assert in_parts == list(builder.build(asked)) == one_by_one


def prompt(i):
    return Prompt(str(i), (i,), f"{i:064x}")


def test_the_first_prompts_name_a_run_of_very_many_and_no_more_of_them_are_built():
    built = []

    def build(places):
        built.extend(places)
        return [prompt(place) for place in places]

    assert hash_prompts(OnDemand(100_000, build)) == hash_prompts([prompt(i) for i in range(HASHED)])
    assert built == list(range(HASHED))
    assert hash_prompts(map(prompt, range(HASHED))) != hash_prompts(map(prompt, range(HASHED - 1)))
    assert hash_prompts([prompt(0)]) != hash_prompts([prompt(1)])
    assert prompts.HASHED >= 1000  # a suite of the size that is usual here is hashed whole
