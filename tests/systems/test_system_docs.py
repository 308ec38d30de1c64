"""docs/systems.md names every key of a system's file, with its default, and no other."""

import dataclasses
import re
from pathlib import Path

import pytest

from rimbench.rim.blocks import Memory
from rimbench.systems import AnswerStyle, CascadeFile, PromptStyle, SystemFile, Weights, read_system

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "systems.md").read_text()
TABLES = {
    "At the top": SystemFile, "`[weights]`": Weights, "`[prompt]`": PromptStyle, "`[memory]`": Memory,
    "`[answer]`": AnswerStyle, "A cascade": CascadeFile,
}  # fmt: skip
NOTHING = ("none", "nothing", "no memory", "the newest", "`pip install`", "a single system")


def rows_of(title):
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", section, re.MULTILINE))


def defaults_of(table):
    if dataclasses.is_dataclass(table):
        return {field.name: field.default for field in dataclasses.fields(table)}
    return {name: ... if field.is_required() else field.default for name, field in table.model_fields.items()}


@pytest.mark.parametrize("title", TABLES)
def test_every_key_stands_in_its_table_with_what_holds_without_it(title):
    rows, defaults = rows_of(title), defaults_of(TABLES[title])
    assert rows.keys() == defaults.keys()
    for key, default in defaults.items():
        if default in (None, (), "") or not isinstance(default, str | int | float):
            required = default in (..., dataclasses.MISSING) and key not in ("chat_template", "kind")
            assert rows[key].startswith("required" if required else NOTHING), key
        else:
            assert rows[key].startswith(f"`{default}`"), key


def test_the_example_is_a_system(tmp_path):
    example = re.search(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "mine.toml").write_text(example[1])
    (tmp_path / "checkpoints" / "mine").mkdir(parents=True)
    assert read_system(tmp_path / "mine.toml").baseline == "base-direct"
