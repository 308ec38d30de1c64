"""The nano family's training rows: right, of every kind, and none of a demo suite."""

import itertools
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

import corpus
import start

from rimbench.extraction import extract
from rimbench.training.data import read_corpus
from rimbench.training.recipe import find_recipe
from rimbench.training.source import reading_rules

N = 1500


@pytest.fixture(scope="module")
def base():
    return list(corpus.base_rows(7, N))


@pytest.fixture(scope="module")
def tuning():
    return list(corpus.tuning_rows(7, N))


def parts(row):
    question, reply = row["messages"]
    return question["content"], reply["reasoning_content"], reply["content"]


def value_after(text):
    """The last value, worked out from the words of either wording."""
    value = int(re.search(r"(\d+) mg", text)[1])
    for event in re.findall(r"(?:Day|Visit) \d: ([^.]*)\.", text):
        amount = int((re.findall(r"\d+", event) or ["0"])[0])
        if "raised" in event or "more" in event:
            value += amount
        elif "lowered" in event or "less" in event:
            value -= amount
        else:
            value = value * 2 if "doubled" in event or "twice" in event else value // 2
    return value


def options_of(question):
    asked = re.findall(r"^([A-J]): (\d+)$", question, re.MULTILINE)
    return {letter: int(value) for letter, value in asked}


@pytest.fixture(scope="module", params=range(len(corpus.KINDS)))
def part(request):
    """The rows of one part of the base's training."""
    return list(corpus.base_rows(7, N, request.param))


def test_every_answer_is_right_in_every_part_of_the_base(part):
    check_answers(part)


def test_every_answer_is_right_in_tuning(tuning):
    check_answers(tuning)


def check_answers(rows):
    for row in rows:
        question, reasoning, content = parts(row)
        options, answer = options_of(question), re.fullmatch(r"\\boxed\{(\w+)\}", content)[1]
        if "Find " in question:
            sought = re.findall(r"\d+", question.splitlines()[0].partition("Find ")[2])
            letters = re.findall(r"[A-J]", reasoning)
            letters += [answer] * (len(letters) < len(sought))  # told after their values, the last is the answer
            assert [str(options[letter]) for letter in letters] == sought and letters[-1] == answer
            continue
        value = value_after(question.splitlines()[0])
        assert (options[answer] if options else int(answer)) == value
        assert not reasoning or int(reasoning.split("\n")[-1]) == value


def test_no_question_of_a_suite_is_trained_on(part, tuning):
    taken = corpus.suite_questions()
    assert 5900 < len(taken) <= 6000  # three suites of 1,000, each in both wordings, a few chains in two of them
    assert not {parts(row)[0].splitlines()[0] for row in (*part, *tuning)} & taken


def test_the_base_meets_every_kind_and_both_wordings(base):
    kinds = Counter()
    for row in base:
        question, reasoning, _ = parts(row)
        kinds["match" if question.startswith("Find") else "chain" if reasoning else "step"] += 1
        kinds["chosen"] += bool(options_of(question))
        kinds["unseen"] += "Visit" in question
    assert kinds["match"] > 0.1 * N and kinds["step"] > 0.15 * N and kinds["chain"] > 0.5 * N
    assert 0.4 * N < kinds["chosen"] < 0.65 * N
    assert kinds["unseen"] > 0.3 * N


def test_smaller_tuning_sets_are_the_beginning_of_larger_ones(tuning):
    assert list(corpus.tuning_rows(7, 100)) == tuning[:100]
    assert list(corpus.tuning_rows(8, 100)) != tuning[:100]
    questions = [parts(row)[0].splitlines()[0] for row in tuning]
    assert len(set(questions)) == len(questions)


def test_tuning_rows_are_mostly_open_ended_and_in_the_plain_wording(tuning):
    open_ended = sum(not options_of(parts(row)[0]) for row in tuning) / N
    assert abs(open_ended - corpus.OPEN_ENDED) < 0.05
    assert all("Day 1" in parts(row)[0] for row in tuning)


def test_training_reads_the_rows_as_they_are_meant(tuning):
    rules = reading_rules(find_recipe("nano-rim-v2"), lambda text, options: extract(text, options).letter)
    read = read_corpus(tuning, rules)
    assert read.tally.kept == N and read.tally.no_steps == 0
    for example, row in zip(read.examples, tuning, strict=True):
        question, reasoning, _ = parts(row)
        assert example.steps == tuple(reasoning.split("\n"))
        assert example.multiple_choice == bool(options_of(question))


def test_the_tokenizer_spends_one_token_on_a_number_a_letter_and_an_option_head(base, tmp_path):
    tokenizer = start.make_tokenizer(text for row in base for text in parts(row))
    assert all(len(tokenizer.encode(str(value))) == 1 for value in range(1, 61))
    assert all(len(tokenizer.encode(letter)) == 1 for letter in "ABCDEFGHIJ")
    assert len(tokenizer.encode("\nC: 17")) == 2
    assert len(tokenizer.encode(start.BOX)) == 1
    text = "héllo, wörld: 123 <x>\n\t\u202eC\u0000"
    assert tokenizer.decode(tokenizer.encode(text)) == text
    chat = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What?"}], tokenize=False, add_generation_prompt=True
    )
    assert chat == "<|user|>What?<|end|><|assistant|>"


def test_a_new_model_has_spare_rows_and_numbers_on_circles(base, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = start.make_start(tmp_path / "new", (text for row in base for text in parts(row)), 0, num_hidden_layers=2)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    weight = model.get_input_embeddings().weight.detach()
    assert weight.shape[0] == len(tokenizer) + start.SPARE_ROWS
    numbers = torch.nn.functional.normalize(weight[tokenizer.convert_tokens_to_ids(list(map(str, range(1, 61))))])
    alike = numbers @ numbers.T
    near = torch.tensor([alike[i, i + 1] for i in range(59)]).mean()
    far = torch.tensor([alike[i, j] for i, j in itertools.product(range(60), repeat=2) if abs(i - j) > 20]).mean()
    assert near > far + 0.2
