"""The tables of a system's file are the values that a system is made of: every fault is named with its key."""

import datetime

import pytest

from rimbench.errors import ConfigError
from rimbench.rim.blocks import Memory
from rimbench.systems import AnswerStyle, PromptStyle, Weights, load

WHOLE = {
    "weights": {"repo": "org/name", "revision": "r"},
    "prompt": {"instruction": "Think.", "prefix": "A:", "chat_template": {"t": False}, "date": "2025-03-04"},
    "memory": {"blocks": 2, "memory_tokens": 3, "begin": "<a>", "memory": "<b>", "end": "<c>"},
    "answer": {"mode": "generate", "max_new_tokens": 9, "temperature": 0.5, "top_p": 0.9},
}


@pytest.fixture
def read(tmp_path):
    def write(**tables):
        lines = ['description = "d"']
        for name, values in (WHOLE | tables).items():
            lines += [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
        (tmp_path / "mine.toml").write_text("\n".join(lines))
        return load(str(tmp_path / "mine.toml"))

    return write


def _toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if not isinstance(value, datetime.date) else value.isoformat()


@pytest.mark.parametrize("date", ["2025-03-04", datetime.date(2025, 3, 4)])
def test_each_table_is_one_value(read, date):
    system = read(prompt=WHOLE["prompt"] | {"date": date})
    assert system.weights == Weights(repo="org/name", revision="r")
    assert system.prompt == PromptStyle("Think.", "A:", {"t": False}, "2025-03-04")
    assert system.memory == Memory(2, 3, "<a>", "<b>", "<c>")
    assert system.answer == AnswerStyle("generate", "text", 9, 0.5, 0.9)


@pytest.mark.parametrize(
    ("table", "values", "fault"),
    [
        (
            "weights",
            {"repo": "no name"},
            r"weights\.repo: expected a name on the hub, .* \(got 'no name'\)",
        ),
        ("weights", {"repo": "o/n", "path": "p"}, "weights: expected exactly one of repo, package, recipe, path"),
        ("weights", {"package": "p"}, "weights: package and file belong together"),
        ("weights", {"path": "p", "revision": "r"}, "weights: revision belongs to repo"),
        ("prompt", {"prefx": "A"}, r"prompt\.prefx: unknown key"),
        ("prompt", {"date": "someday"}, r"prompt\.date: expected a day, such as 2026-05-30 \(got 'someday'\)"),
        ("memory", {"blocks": 0}, r"memory\.blocks: expected 1 or more \(got 0\)"),
        ("memory", {"blocks": -3}, r"memory\.blocks: expected 0 or more"),
        ("memory", {"memory_tokens": 1}, r"memory\.blocks: required, but missing"),
        ("memory", {"blocks": 1, "memory_tokens": 0}, r"memory\.memory_tokens: expected 1 or more \(got 0\)"),
        ("memory", {"blocks": 1, "begin": ""}, r"memory\.begin: expected a text of 1 or more characters \(got ''\)"),
        ("answer", {"mode": "generate"}, "answer: mode 'generate' needs max_new_tokens"),
        ("answer", {"mode": "letters"}, r"answer\.mode: expected 'generate' or 'readout' \(got 'letters'\)"),
        ("answer", {"mode": "readout", "temperature": 0}, r"answer\.temperature: expected more than 0 \(got 0\)"),
        ("answer", {"mode": "readout", "reasoning_tags": [["<a>", "<a>"]]}, "expected pairs of two different tags"),
        ("answer", {"mode": "readout", "reasoning_tags": [["<a>", "</a>"]]}, "reasoning_tags belong to mode"),
    ],
)
def test_a_fault_is_named_with_its_table_and_key(read, table, values, fault):
    with pytest.raises(ConfigError, match=fault) as error:
        read(**{table: values})
    assert "\n" not in str(error.value)


def test_the_faults_of_all_tables_are_listed_at_once(read):
    with pytest.raises(ConfigError, match=r"3 faults: prompt\.prefx: .*; memory\.blocks: .*; answer\.mode: "):
        read(prompt={"prefx": 1}, memory={"blocks": 0}, answer={"mode": "letters"})
