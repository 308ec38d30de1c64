import json

import pytest

from rimbench import suites
from rimbench.errors import ConfigError, DataError, UsageError
from rimbench.extraction import extract
from rimbench.suites import hub
from rimbench.training.data import read_corpus
from rimbench.training.recipe import Recipe, find_recipe
from rimbench.training.source import open_rows, reading_rules


def row(question, content=r"So \boxed{B}"):
    reply = {"role": "assistant", "content": content, "reasoning_content": "One.\n\nTwo."}
    return {"messages": [{"role": "user", "content": question}, reply]}


def letter_of(text, options):
    return extract(text, options).letter


def recipe(**data):
    stage = {"objective": "sft", "completion": "answer", "epochs": 1, "learning_rate": 1e-3, "batch_size": 2}
    return Recipe.model_validate(
        {
            "description": "made for a test",
            "base": {"repo": "tiny", "revision": "0"},
            "data": {"max_row_tokens": 256, **data},
            "stages": [{**stage, "rows_per_device": 2}],
        }
    )


@pytest.fixture
def moving_hub(monkeypatch):
    """A hub whose branch stands at another commit each time that it is asked, and who asked for which rows."""
    commits, streamed = iter("abc"), []
    monkeypatch.setattr(hub, "resolve_dataset", lambda dataset: hub.Dataset(dataset.repo, next(commits) * 40))

    def stream(dataset, split):
        streamed.append((dataset.repo, dataset.revision[0], split))
        return iter([row("Which?\nA: x\nB: y")])

    monkeypatch.setattr(hub, "stream", stream)
    return streamed


def test_training_and_the_suite_share_no_question_and_lose_none_between_them(tmp_path):
    asked = [row(f"Question number {i}?\n\nA. yes {i}\nB. no {i}") for i in range(300)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in asked))
    wanted = find_recipe("rim-v2")
    corpus = read_corpus(open_rows(wanted, path, tmp_path).rows, reading_rules(wanted, letter_of))
    trained = {example.question.partition("\n")[0] for example in corpus.examples}
    evaluated = {item.question for item in suites.load("in-dist", data=path).items}
    assert trained.isdisjoint(evaluated) and len(trained) + len(evaluated) == 300
    assert corpus.tally.held_out == len(evaluated) > 10


def test_an_open_ended_row_that_asks_a_held_out_question_is_held_out_too(tmp_path):
    rules = reading_rules(find_recipe("rim-v1"), letter_of)
    for i in range(100):
        question = f"Question number {i}?"
        assert (
            rules.held_out(question) == rules.held_out(f"{question}\nA. yes\nB. no") == suites.heldout(question, 0.1)
        )


def test_letters_and_options_are_read_as_suites_read_them():
    rules = reading_rules(recipe(), letter_of)
    stated = row("Which?\n(A) the first\n(B) the second", "**Answer: A.** It is the first.")
    unclear = row("Which?\n(A) the first\n(B) the second", "It could be either.")
    corpus = read_corpus([stated, unclear, row("Why?", r"\boxed{because}")], rules)
    assert [(e.answer, e.multiple_choice) for e in corpus.examples] == [("A", True), ("because", False)]
    assert corpus.tally.no_answer == 1


def test_a_formula_in_a_box_and_two_options_are_no_training_label():
    asked = "Which?\n(A) the first\n(B) the second"
    said = [r"\boxed{A = 20 mg}. Answer: B", r"\boxed{A = 20 mg}", "The answer is the first or the second."]
    corpus = read_corpus([row(asked, each) for each in said], reading_rules(recipe(), letter_of))
    assert [example.answer for example in corpus.examples] == ["B"]
    assert corpus.tally.no_answer == 2


def test_the_first_examples_alone_are_read_where_a_limit_is_given():
    rows = iter([row("One?", "1"), {"messages": "faulty"}, row("Two?", "2"), row("Three?", "3")])
    corpus = read_corpus(rows, reading_rules(recipe(), letter_of), limit=2)
    assert [e.question for e in corpus.examples] == ["One?", "Two?"]
    assert (corpus.tally.read, corpus.tally.faulty) == (3, 1)
    assert next(rows)["messages"][0]["content"] == "Three?"


def test_the_hub_is_read_where_the_held_out_suite_reads_it_and_again_at_the_same_commit(moving_hub, tmp_path):
    for _ in range(2):
        open_rows(find_recipe("rim-v1"), None, tmp_path / "one")
    open_rows(find_recipe("rim-v1"), None, tmp_path / "other")
    repo = "OpenMed/Medical-Reasoning-SFT-Mega"
    assert moving_hub == [(repo, "a", "train"), (repo, "a", "train"), (repo, "b", "train")]


def test_a_recipe_without_data_wants_a_file(tmp_path):
    with pytest.raises(UsageError, match="--data FILE"):
        open_rows(recipe(), None, tmp_path)


def test_a_suite_that_holds_nothing_out_is_refused():
    with pytest.raises(ConfigError, match="'medqa' states no"):
        reading_rules(recipe(held_out_suite="medqa"), letter_of)


def test_a_line_that_is_no_row_is_named(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"messages": []}\nnot json\n')
    with pytest.raises(DataError, match="line 2"):
        read_corpus(open_rows(recipe(), tmp_path / "rows.jsonl", tmp_path).rows, reading_rules(recipe(), letter_of))
