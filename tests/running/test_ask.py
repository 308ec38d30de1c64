"""One question of a user's own: the letter and the probabilities."""

import json

import pytest
import tiny

import rimbench
from rimbench import suites, systems
from rimbench.cli.ask import ask
from rimbench.errors import UsageError
from rimbench.running import completion, plans
from rimbench.store import RECORDS, read_records


@pytest.fixture
def system(tmp_path, checkpoint):
    path = tmp_path / "tiny-rim.toml"
    path.write_text(
        f'description = "made for tests"\n[weights]\npath = "{tiny.beside(checkpoint, tmp_path)}"\n'
        '[prompt]\nprefix = "The answer is {"\n[memory]\nblocks = 8\n'
        '[answer]\nmode = "generate"\nextraction = "first_letter"\nmax_new_tokens = 8\n'
    )
    return str(path)


class Quiet:
    note = start = advance = finish = lambda *_: None


def test_an_answer_is_that_of_a_run_over_the_same_question(system, suite_file, tmp_path):
    suite = suites.load(str(suite_file), limit=2)
    settings = plans.RunSettings(tmp_path / "results", batch_size=1)
    asked = systems.override(systems.load(system), answer="readout")
    (run,) = plans.plan_runs([asked], [suite], settings)
    completion.run_all([run], settings, Quiet())
    records = {record.item_id: record for record in read_records(run.folder / RECORDS)}
    for item in suite.items:
        answered = rimbench.answer(item.question, item.options, system=system)
        assert answered.letter == records[item.item_id].answer
        assert sum(answered.probabilities.values()) == pytest.approx(1)
        assert max(answered.probabilities, key=answered.probabilities.get) == answered.letter


def test_options_may_be_plain_texts_and_another_model_answers_otherwise(system, tmp_path):
    by_letter = rimbench.answer("Which?", {"A": "this", "B": "that"}, system=system)
    assert rimbench.answer("Which?", ["this", "that"], system=system) == by_letter
    other = str(tiny.make_checkpoint(tmp_path / "other", seed=1))
    assert rimbench.answer("Which?", ["this", "that"], system=system, model=other) != by_letter
    tiny.make_checkpoint(tmp_path / "other", seed=0)  # the same folder with other weights is loaded again
    assert rimbench.answer("Which?", ["this", "that"], system=system, model=other) == by_letter


@pytest.mark.parametrize(
    ("question", "options", "fault"),
    [
        ("Which?", ["one"], "1 options .* expected 2 to 10"),
        ("Which?", list("abcdefghijk"), "11 options"),
        ("Which?", {"A": "x", "C": "y"}, "lettered from A on"),
        ("Which?", ["x", " "], "option B is empty"),
        ("", ["x", "y"], "the question is empty"),
        ("Which? " * 300, ["x", "y"], "takes 1024: shorten the question"),
    ],
)
def test_what_is_no_question_with_options_is_refused(system, question, options, fault):
    with pytest.raises(UsageError, match=fault):
        rimbench.answer(question, options, system=system)


def test_a_system_that_writes_shows_its_text_and_the_letter_that_a_run_reads_there(tmp_path, capsys):
    suite = suites.load("demo-in-dist", limit=3)
    settings = plans.RunSettings(tmp_path / "results", batch_size=1)
    (run,) = plans.plan_runs([systems.load("nano-cot")], [suite], settings)
    completion.run_all([run], settings, Quiet())
    records = {record.item_id: record for record in read_records(run.folder / RECORDS)}
    for item in suite.items:
        answered = rimbench.answer(item.question, item.options, system="nano-cot")
        assert (answered.letter, answered.text) == (records[item.item_id].answer, records[item.item_id].text)
        assert answered.probabilities == {}
    ask(item.question, list(item.options.values()), system="nano-cot")
    printed = capsys.readouterr().out
    assert printed.startswith(answered.text) and f"Answer: {answered.letter}" in printed


def test_a_text_that_states_no_letter_is_shown_and_one_that_is_cut_off_says_so(checkpoint, tmp_path, capsys):
    path = tmp_path / "short.toml"
    path.write_text(
        f'description = "made for tests"\n[weights]\npath = "{tiny.beside(checkpoint, tmp_path)}"\n'
        '[answer]\nmode = "generate"\nmax_new_tokens = 3\n'
    )
    ask("Which?", ["x", "y"], system=str(path))
    printed = capsys.readouterr()
    assert "Answer: none is stated" in printed.out and "cut off at 3 tokens" in printed.err
    ask("Which?", ["x", "y"], system=str(path), json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["letter"] is None and document["probabilities"] == {} and document["text"]


def test_the_command_prints_letter_and_probabilities_and_says_on_stderr_that_it_is_no_advice(system, capsys):
    ask("Which?", ["this", "that"], system=system)
    printed = capsys.readouterr()
    assert printed.out.startswith("Answer: ") and "that" in printed.out
    assert "no medical advice" in printed.err
    ask("Which?", ["this", "that"], system=system, json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["letter"] in "AB" and list(document["probabilities"]) == ["A", "B"]


def test_an_embedded_model_says_what_it_knows_and_one_of_the_users_does_not(system, capsys):
    ask("Which?", ["this", "that"], system="nano-direct")
    assert "nano-direct knows doses that are raised, lowered, doubled and halved" in capsys.readouterr().err
    ask("Which?", ["this", "that"], system=system)
    assert "knows" not in capsys.readouterr().err


def test_importing_rimbench_loads_no_library_until_something_is_asked():
    import subprocess
    import sys

    code = "import sys, rimbench; print([n for n in ('torch', 'transformers', 'pydantic') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
