"""The token of an option's letter is the one that the tokenizer writes behind what the prompt ends with."""

import pytest
from tiny import build_prompt

from rimbench.chat.letters import find_opening, gap_after
from rimbench.errors import ModelError
from rimbench.records import Item
from rimbench.running.prompts import hash_prompts
from rimbench.systems import AnswerStyle, PromptStyle, System, Weights

FOUR = {letter: f"text {letter}" for letter in "ABCD"}


def prompt_of(tokenizer, prefix, options=FOUR, mode="readout"):
    system = System("mine", "", Weights(), PromptStyle(prefix=prefix), AnswerStyle(mode, max_new_tokens=4))
    return build_prompt(system, Item("1", "Which?", options, "A"), "Which?\nA: x", tokenizer)


def letters_of(tokenizer, prefix, **how):
    prompt = prompt_of(tokenizer, prefix, **how)
    return [tokenizer.convert_ids_to_tokens(i) for i in prompt.option_token_ids.values()]


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("Answer:", " "), ("The answer is", " "), ("**Answer:**", " "), ("Answer.", " "), ("(Answer)", " "),
        ("Answer =", " "), ("Answer ->", " "), ("정답은", " "), ("Ответ:", " "), ('"The answer" is "', ""),
        ("Answer: ", ""), ("Answer:\n", ""), ("", ""), ("Answer: (", ""), (r"\boxed{", ""), ("[", ""),
        ("Answer: **", ""), ("**", ""), ("<answer>", ""), ("答案：", ""), ("答案是", ""), ("答えは", ""),
        ("Answer: $", ""), ("Answer=", ""), ("Answer: `", ""),
    ],
)  # fmt: skip
def test_a_letter_follows_a_word_or_a_closing_mark_with_a_space_and_an_opening_one_without(text, gap):
    assert gap_after(text) == gap


@pytest.mark.parametrize("prefix", ["Answer:", "The answer is", "**Answer:**"])
def test_where_the_tokenizer_writes_the_space_with_the_letter_that_token_is_read(merging, prefix):
    tokenizer = merging()
    assert letters_of(tokenizer, prefix) == ["ĠA", "ĠB", "ĠC", "ĠD"]
    prompt = prompt_of(tokenizer, prefix)
    assert prompt.text.endswith(f"assistant\n{prefix}")
    written = tokenizer.encode(f"{prompt.text} C", add_special_tokens=False)
    assert written == [*prompt.token_ids, prompt.option_token_ids["C"]]


def test_a_space_at_the_prefixs_end_is_left_to_the_letter_where_the_tokenizer_writes_them_together(merging):
    tokenizer = merging()
    with_space, without = prompt_of(tokenizer, "Answer: "), prompt_of(tokenizer, "Answer:")
    assert with_space == without
    assert letters_of(tokenizer, "Answer: ") == ["ĠA", "ĠB", "ĠC", "ĠD"]


def test_where_the_tokenizer_writes_space_and_letter_apart_the_prompt_ends_behind_the_space(tokenizer):
    prompt = prompt_of(tokenizer, "Answer:")
    assert prompt.text.endswith("Answer: ")
    assert letters_of(tokenizer, "Answer:") == ["A", "B", "C", "D"]
    assert prompt == prompt_of(tokenizer, "Answer: ")


@pytest.mark.parametrize("prefix", [r"The final answer is \boxed{", "(", "Answer: **", "Answer:\n"])
def test_behind_an_opening_mark_or_a_line_the_bare_letter_is_read(merging, tokenizer, prefix):
    assert letters_of(merging(), prefix) == letters_of(tokenizer, prefix) == ["A", "B", "C", "D"]
    assert prompt_of(tokenizer, prefix).text.endswith(prefix)


def test_all_letters_are_of_one_form(merging):
    # Only A and B are written with the brace: then none is.
    assert letters_of(merging([("{", "A"), ("{", "B")]), r"\boxed{") == ["A", "B", "C", "D"]
    ten = {letter: letter for letter in "ABCDEFGHIJ"}
    assert letters_of(merging(), "Answer:", options=ten) == [f"Ġ{letter}" for letter in "ABCDEFGHIJ"]


def test_sentencepiece_marks_the_word_that_a_letter_is(sentencepiece):
    assert letters_of(sentencepiece, "Answer:") == ["▁A", "▁B", "▁C", "▁D"]
    assert letters_of(sentencepiece, "Answer: ") == ["▁A", "▁B", "▁C", "▁D"]


def test_without_a_prefix_the_template_shows_what_stands_before_an_answer(sentencepiece, merging, tokenizer):
    assert letters_of(sentencepiece, "") == ["▁A", "▁B", "▁C", "▁D"]  # [/INST] A
    assert letters_of(merging(), "") == letters_of(tokenizer, "") == ["A", "B", "C", "D"]  # assistant, a new line, A


def test_a_system_that_writes_keeps_its_prefix_as_it_is(merging):
    prompt = prompt_of(merging(), "Answer: ", mode="generate")
    assert prompt.option_token_ids is None and prompt.text.endswith("Answer: ")


def test_a_tokenizer_without_single_letters_is_refused(sentencepiece):
    assert find_opening(sentencepiece, "Answer:", ["A", "aspirin"]) is None
    with pytest.raises(ModelError, match="no single token for each option letter A, Ω behind 'Answer:'"):
        prompt_of(sentencepiece, "Answer:", options={"A": "x", "Ω": "y"})


def test_the_hash_over_prompts_follows_the_tokens_that_are_read(merging):
    spaced, bare = prompt_of(merging(), "Answer:"), prompt_of(merging(), r"\boxed{")
    assert hash_prompts([spaced, bare]) != hash_prompts([bare, spaced])
    assert hash_prompts([spaced]) == hash_prompts([prompt_of(merging(), "Answer:")])
    assert hash_prompts([spaced]) != hash_prompts([prompt_of(merging(), "Answer:", mode="generate")])
