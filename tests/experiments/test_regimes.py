"""The regimes' questions: answered as they say, from their own words alone, and none of those asked is trained on."""

import re
import sys
from itertools import islice
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

import regimes
from controls import CHOICE, OPEN, Trained, summarise
from family import Scale, texts
from regimes import REGIMES, Regime
from start import make_tokenizer

from rimbench.extraction import extract
from rimbench.training.data import read_corpus
from rimbench.training.recipe import find_recipe
from rimbench.training.source import reading_rules

CHAINS = ("few-layers", "long-chains", "table-last")


def done(value, words):
    """The dose after what these words say."""
    assert words != "halved" or value % 2 == 0
    amount = int((re.findall(r"\d+", words) or ["0"])[0])
    return {"raised": value + amount, "lowered": value - amount, "doubled": value * 2, "halved": value // 2}[
        re.match(r"\w+", words)[0]
    ]


def followed(question):
    """The values on the way, worked out from a question's words and nothing else."""
    if question.startswith("Doses"):
        *doses, total = map(int, re.findall(r"\d+", question))
        return [*(total - dose for dose in doses), min(dose for dose in doses if total - dose in doses)]
    table = dict(re.findall(r"\n(\w): ([^.]*)\.", question))
    value, values = int(re.search(r"\d+", question)[0]), []
    for words in re.findall(r"Day \d: ([^.]*)\.", question):
        value = done(value, table.get(words, words))
        values.append(value)
    return values


@pytest.mark.parametrize(
    ("name", "question", "values"),
    [
        ("pairs", "Doses: 4, 15, 3, 10, 17, 6 mg. The smaller of the two that make 19?", (15, 4, 16, 9, 2, 13, 4)),
        (
            "table-last",
            "Dose: 15 mg. Day 1: S. Day 2: R. Day 3: S. Day 4: S. Dose then, in mg, where\n"
            "P: halved.\nQ: doubled.\nR: raised by 4.\nS: lowered by 1.",
            (14, 18, 17, 16),
        ),
        (
            "few-layers",
            "Dose: 9 mg. Day 1: lowered by 1. Day 2: doubled. Day 3: lowered by 3. Day 4: raised by 3. "
            "Day 5: lowered by 1. Day 6: lowered by 3. Day 7: halved. Dose now, in mg?",
            (8, 16, 13, 16, 15, 12, 6),
        ),
    ],
)
def test_the_first_question_of_a_regime_worked_by_hand(name, question, values):
    first = REGIMES[name].items()[0]
    assert (first.question, first.values) == (question, values)


@pytest.mark.parametrize("name", REGIMES)
def test_every_question_is_answered_by_its_own_words(name):
    for item in islice(REGIMES[name].questions("a test"), 500):
        assert followed(item.question) == list(item.values)
        assert all(1 <= value <= regimes.LARGEST for value in item.values)


@pytest.mark.parametrize("name", REGIMES)
def test_questions_have_the_steps_that_their_regime_says(name):
    least, most = REGIMES[name].steps
    assert {len(item.values) for item in REGIMES[name].items()} == set(range(least, most + 1))
    shorter = {len(item.values) for item in islice(REGIMES[name].questions("a test", shortest=1), 500)}
    assert min(shorter) < least and max(shorter) == most


def test_what_a_code_does_is_drawn_for_every_question_and_told_behind_the_days():
    meanings = set()
    for item in REGIMES["table-last"].items():
        days, table = item.question.split("Dose then, in mg, where")
        assert "Day" not in table
        assert not re.search("raised|lowered|doubled|halved", days)
        meanings.add(re.search(r"\nP: ([^.]*)\.", table)[1])
    assert len(meanings) == 10  # by 1 to 4 up or down, doubled, halved


def test_exactly_two_doses_make_the_total_and_it_is_the_last_number():
    for item in REGIMES["pairs"].items():
        *doses, total = map(int, re.findall(r"\d+", item.question))
        assert [a + b for i, a in enumerate(doses) for b in doses[:i]].count(total) == 1
        assert len(doses) == len(set(doses)) == regimes.DOSES


@pytest.mark.parametrize("name", REGIMES)
def test_nothing_that_is_asked_is_trained_on(name):
    asked = {item.question for item in REGIMES[name].items()}
    assert len(asked) == 1000
    for rows in (REGIMES[name].rows("base", 2000, shortest=1), REGIMES[name].tuning_rows(0, 2000)):
        assert not asked & {row["messages"][0]["content"] for row in rows}


def test_nothing_that_is_asked_is_trained_on_where_there_are_few_questions(monkeypatch):
    monkeypatch.setattr(regimes, "ITEMS", 100)
    few = Regime("few", (1, 1), 2, regimes.chain)  # 20 doses, at most 10 things to do
    asked = {item.question for item in few.items()}
    trained = {row["messages"][0]["content"] for row in few.tuning_rows(0, 5000)}
    every = {item.question for item in islice(few.questions("tuning 0"), 5000)}
    assert len(asked & every) > 90
    assert trained == every - asked


@pytest.mark.parametrize("name", REGIMES)
def test_training_reads_the_rows_as_open_ended_with_a_step_a_line(name):
    rows = list(REGIMES[name].tuning_rows(0, 200))
    rules = reading_rules(find_recipe("nano-rim-v2"), lambda text, options: extract(text, options).letter)
    read = read_corpus(rows, rules)
    assert read.tally.kept == 200 and read.tally.no_steps == 0
    for example, item in zip(read.examples, rows, strict=True):
        values = list(map(str, followed(example.question)))
        assert list(example.steps) == values and example.answer == values[-1]
        assert not example.multiple_choice, item


@pytest.mark.parametrize("name", CHAINS)
def test_an_event_costs_a_token_or_two_and_a_number_one(name):
    regime = REGIMES[name]
    tokenizer = make_tokenizer(texts(regime.rows("base", 2000, shortest=1)))
    for item in regime.items()[:50]:
        assert len(tokenizer.encode(item.question)) < 8 * len(item.values) + 16
        assert all(len(tokenizer.encode(str(value))) == 1 for value in item.values)


def test_a_setting_without_a_suite_has_a_table_of_its_items_alone():
    scale = Scale(0.1, 8, 2000)
    found = {
        Trained("rim-v2", 0, scale, REGIMES["pairs"]): {
            OPEN: [[False] * 4] * 8 + [[True] * 3 + [False]],
            "steps": {},
        },
        Trained("curriculum-only", 0, scale, REGIMES["pairs"]): {OPEN: [[True] + [False] * 3], "steps": {}},
    }
    document = summarise(found)
    assert CHOICE not in {entry["kind"] for entry in document["accuracies"]}
    (gap,) = [e for e in document["differences"] if e["pair"] == "rim-v2, K = 8 - curriculum-only"]
    assert gap["value"] == 0.5
    folders = {each.folder.as_posix() for each in found}
    assert folders == {
        "checkpoints/nano/regimes/pairs/0.1x8-2000/rim-v2-0",
        "checkpoints/nano/regimes/pairs/0.1x8-2000/curriculum-only-0",
    }
