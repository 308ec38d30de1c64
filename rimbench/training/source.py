"""Where training rows come from: a local file, or the hub, streamed at a commit that a resumed training keeps.

Flows in: a recipe. Flows out: rows, and the rules by which they are read. The suite whose questions were held out
of the same data says what is held out here, so that both sides are cut by one rule.
"""

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rimbench.errors import ConfigError, UsageError
from rimbench.files.writing import write_whole
from rimbench.records import LETTERS
from rimbench.suites import catalogue, heldout, hub, rows
from rimbench.suites.choices import MultipleChoice, split_choices
from rimbench.training.data import RowRules
from rimbench.training.recipe import Recipe

if TYPE_CHECKING:
    from rimbench.suites.schema import SuiteSpec

PIN = "data.json"
"""The hub's repository and commit that a training reads, kept in its folder: a branch may move before it resumes."""


@dataclass(frozen=True, slots=True)
class RowSource:
    """Rows that are ready to be read once, and what they are called."""

    rows: Iterator[Mapping[str, object]]
    name: str


def open_rows(recipe: Recipe, data: Path | None, folder: Path) -> RowSource:
    """The rows of a file, or of the recipe's data set on the hub; UsageError where the recipe names none.

    The data set's revision is the recipe's, else that of its held-out suite's source.
    """
    if data is not None:
        return RowSource(rows.read(data), data.name)
    if recipe.data.repo is None:
        raise UsageError("the recipe names no data set: give the rows with --data FILE")
    suite = held_out_suite(recipe)
    source = suite.source if suite else None
    same = source if source is not None and source.repo == recipe.data.repo else None
    revision = recipe.data.revision or (same.revision if same else None) or "main"
    dataset = _pinned(hub.Dataset(recipe.data.repo, revision), folder)
    split = (same.split if same else None) or "train"
    return RowSource(hub.stream(dataset, split), f"{dataset}, split {split}")


def reading_rules(recipe: Recipe, letter_of: Callable[[str, Mapping[str, str]], str | None]) -> RowRules:
    """How rows are read: options as suites find them, the suite's questions held out, letters by `letter_of`."""
    split = functools.lru_cache(maxsize=4)(split_choices)
    suite = held_out_suite(recipe)

    def options_of(message: str) -> Mapping[str, str]:
        asked = split(message)
        return {} if asked is None else dict(zip(LETTERS, asked.options, strict=False))

    def held_out(message: str) -> bool:
        kept = suite.heldout if suite else None
        return kept is not None and heldout(_question(split(message), message), kept.fraction)

    return RowRules(recipe.data.max_steps, options_of, letter_of, held_out)


def held_out_suite(recipe: Recipe) -> "SuiteSpec | None":
    """The suite that the recipe's data must not meet; ConfigError where that suite states no held-out fraction."""
    from rimbench.suites.schema import read_suite

    name = recipe.data.held_out_suite
    if name is None:
        return None
    suite = read_suite(catalogue.find_suite(name))
    if suite.heldout is None:
        raise ConfigError(
            f"recipe, data.held_out_suite: suite '{name}' states no [heldout] fraction, so nothing of it is held "
            "out; name a suite that does, or leave held_out_suite out"
        )
    return suite


def _question(asked: MultipleChoice | None, message: str) -> str:
    """What is hashed: the question without its options, as the suite hashes it."""
    return message if asked is None else asked.question


def _pinned(dataset: hub.Dataset, folder: Path) -> hub.Dataset:
    """The data set at the commit that a training in this folder began with, else at the one that it is at now."""
    pin = folder / PIN
    if pin.exists():
        kept = hub.Dataset(**json.loads(pin.read_text(encoding="utf-8")))
        if kept.repo == dataset.repo:
            return kept
    dataset = hub.resolve_dataset(dataset)
    if not pin.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(pin, json.dumps({"repo": dataset.repo, "revision": dataset.revision}))
    return dataset
