"""What a lens saw, as it is kept: `results/<run>-lens/lens.json`, beside the run of the same system and suite.

Reports read it without a model; what is in it was written by others, and is checked.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from rimbench.errors import DataError, UsageError
from rimbench.files import strict_json
from rimbench.files.faults import describe_faults
from rimbench.files.writing import open_regular, write_whole
from rimbench.store.lines import adapter_of

LENS = "-lens"
"""How the name of its folder ends."""
FILE = "lens.json"
Probability = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class AfterBlock:
    """What follows a block: the text that is written, which of the item's steps it begins with, counted from 0, and
    the probability of each step there.
    """

    text: str
    begins: tuple[int, ...]
    probabilities: tuple[Probability, ...]


@dataclass(frozen=True, slots=True)
class SeenItem:
    """One item: its steps, none where they are not known, and what follows its blocks, the question itself first."""

    item_id: str
    question: str
    steps: tuple[str, ...]
    blocks: tuple[AfterBlock, ...]


@dataclass(frozen=True, slots=True)
class Lens:
    """A system's memory on the items of a suite; `run` names the run whose prompts were looked into."""

    run: str
    system: str
    suite: str
    weights_sha256: str | None
    content_sha256: str
    items: tuple[SeenItem, ...]
    schema: Literal[1] = 1


def write_lens(lens: Lens, results: Path) -> Path:
    """Keep it, in place of an earlier one of the same run; its file."""
    folder = results / f"{lens.run}{LENS}"
    folder.mkdir(parents=True, exist_ok=True)
    if folder.is_symlink():
        raise UsageError(f"{folder} is a symbolic link, through which nothing is written: remove it")
    write_whole(folder / FILE, json.dumps(asdict(lens), ensure_ascii=False) + "\n")
    return folder / FILE


def read_lenses(results: Path, say: Callable[[str], None]) -> list[Lens]:
    """Every lens of a results folder, by name; `say` is told of those that cannot be read."""
    found = []
    for path in sorted(results.glob(f"*{LENS}/{FILE}")):
        try:
            found.append(_read(path))
        except DataError as error:
            say(f"left out: {error}")
    return found


def _read(path: Path) -> Lens:
    try:
        with open_regular(path) as file:
            value = strict_json.parse(file.read())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: cannot be read ({error}): look again with 'rimbench lens'") from None
    try:
        lens = adapter_of(Lens).validate_python(value)
    except ValidationError as error:
        raise DataError(f"{path}: {describe_faults(error)}") from None
    for item in lens.items:
        for block in item.blocks:
            if len(block.probabilities) != len(item.steps) or not set(block.begins) <= set(range(len(item.steps))):
                raise DataError(f"{path}: item {item.item_id!r}: expected one probability for each of its steps")
    return lens
