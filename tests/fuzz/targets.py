"""Where text from outside enters rimbench: one target a border, each with seeds and the code that reads an input.

A target reads the bytes as the command does that meets such a file, down to what the command makes of it. Formats of
answers are found through the package, and so is all that it ships.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import seeds
from mutations import MOST_ROWS

from rimbench import importing, suites, systems
from rimbench.claims.audit import audit_file
from rimbench.claims.document import audit_document
from rimbench.claims.tables import audit_tables as claim_tables
from rimbench.errors import RimbenchError
from rimbench.extraction import extract, first_letter
from rimbench.records import LETTERS
from rimbench.reporting import formats, summary, tables
from rimbench.suites import schema, suite
from rimbench.training.data import read_corpus
from rimbench.training.recipe import load_recipe
from rimbench.training.source import open_rows, reading_rules

TEXTS = [
    "The answer is B.", "**Answer: (C)**", "A) Venus\nB) Mars\n\nB is right.", "\\boxed{\\text{D. Saturn}}",
    "<think>Perhaps A.</think>\nFinal answer: B", "I cannot help with that.", "Wait, no: it is C, not D.", "Mars",
    '{"answer": "B"}', "A: wrong. B: wrong. C: right. D: wrong.", "Answer: A\n\nQuestion 2: which?\nAnswer: B",
]  # fmt: skip
MOST_GENERATED = 200
"""Items of a generated suite: more are a wish, which takes its time, and no fault."""

Read = Callable[[Path, bytes], object]


@dataclass(frozen=True)
class Target:
    """`prepare` fills a new folder once, and `read` takes an input beside what lies there."""

    name: str
    suffix: str
    seeds: Sequence[bytes]
    read: Read
    prepare: Callable[[Path], object] = lambda _folder: None


def every_target() -> list[Target]:
    """All of them, in the order of the package's arrows: questions, answers, what is kept, what is claimed."""
    toml = seeds.toml_files()
    made = [Target("extraction", ".json", seeds.answers(TEXTS), _extract)]
    made += [
        Target(f"rows{suffix}", suffix, files, partial(_rows, f"rows{suffix}"), _write_suite)
        for suffix, files in seeds.row_files().items()
    ]
    chat = seeds.as_lines(seeds.rows()["chat"])
    made.append(Target("training-rows", ".jsonl", [chat], _training_rows))
    made.append(Target("suite", ".toml", toml["suite"], _suite, _write_rows))
    made.append(Target("system", ".toml", toml["system"], _system))
    made.append(Target("recipe", ".toml", toml["recipe"], _recipe))
    made.append(Target("claims", ".toml", toml["claims"], _claims))
    return [*made, *_report_targets(), *_import_targets()]


def _extract(_folder: Path, data: bytes) -> object:
    """An object of a text and its options, or any bytes as a text."""
    try:
        given = json.loads(data)
        text, options = str(given["text"]), list(map(str, given["options"].values()))[: len(LETTERS)]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        text, options = data.decode("utf-8", "surrogateescape"), list(seeds.options(seeds.QUIZ[0]).values())
    lettered = dict(zip(LETTERS, options if len(options) > 1 else ["x", "y"], strict=False))
    found = extract(text, lettered)
    if (found.status == "ok") != (found.letter in lettered):
        raise AssertionError(f"letter {found.letter!r} with status {found.status}")
    return found, first_letter(text, lettered)


def _write_suite(folder: Path) -> None:
    (folder / "quiz.toml").write_bytes(seeds.SUITE_TOML)


def _rows(name: str, folder: Path, data: bytes) -> object:
    (folder / name).write_bytes(data)
    if name.endswith(".parquet") and _has_many_rows(folder / name):
        return None
    loaded = suites.load(str(folder / "quiz.toml"), data=folder / name)
    return [suite.question_text(loaded.wording, item) for item in loaded.items]


def _has_many_rows(file: Path) -> bool:
    """A few bytes can hold any number of equal rows: those take their time, and that is no fault."""
    try:
        return pq.read_metadata(file).num_rows > MOST_ROWS
    except (OSError, ValueError, pa.ArrowException):  # which a reader of the rows will meet too
        return False


def _training_rows(folder: Path, data: bytes) -> object:
    (folder / "rows.jsonl").write_bytes(data)
    wanted = load_recipe("rim-v2")

    def letter_of(text: str, options: Any) -> str | None:
        return extract(text, options).letter

    return read_corpus(open_rows(wanted, folder / "rows.jsonl", folder).rows, reading_rules(wanted, letter_of))


def _write_rows(folder: Path) -> None:
    (folder / "rows.jsonl").write_bytes(seeds.as_lines(seeds.rows()["one"]))


def _suite(folder: Path, data: bytes) -> object:
    path = folder / "quiz.toml"
    path.write_bytes(data)
    spec = schema.read_suite(path)
    if spec.source is not None and spec.source.generator is not None and spec.n > MOST_GENERATED:
        return spec
    loaded = suites.load(str(path), limit=20)
    return [suite.question_text(loaded.wording, item) for item in loaded.items]


def _system(folder: Path, data: bytes) -> object:
    path = folder / "made.toml"
    path.write_bytes(data)
    loaded = systems.load(str(path))
    return systems.override(loaded, model="elsewhere", blocks=2 if loaded.memory else None, answer="readout")


def _recipe(folder: Path, data: bytes) -> object:
    path = folder / "made.toml"
    path.write_bytes(data)
    loaded = load_recipe(str(path))
    return loaded.block, loaded.wording, loaded.sha256()


def _claims(folder: Path, data: bytes) -> object:
    path = folder / "made.toml"
    path.write_bytes(data)
    audited = audit_file(path)
    return json.dumps(audit_document(audited), allow_nan=False), claim_tables(audited)


def _report_targets() -> list[Target]:
    """Each file of a results folder, replaced in turn."""
    with tempfile.TemporaryDirectory() as folder:
        seeds.write_results(Path(folder))
        paths = [f"one/{name}" for name in ("manifest.json", "items.jsonl", "records.jsonl")]
        paths += [str(path.relative_to(folder)) for path in Path(folder).glob("*/latency.json")]
        return [
            Target(
                Path(path).stem, Path(path).suffix, [(Path(folder) / path).read_bytes()], partial(_report, path),
                lambda place: seeds.write_results(place / "results"),
            )
            for path in paths
        ]  # fmt: skip


def _report(path: str, folder: Path, data: bytes) -> object:
    results = folder / "results"
    (results / path).write_bytes(data)
    summed = summary.summarise(results)
    return [formats.render(name, summed, results) for name in ("json", "markdown", "csv")], tables.make_tables(summed)


def _import_targets() -> list[Target]:
    return [
        Target(f"import-{name}{suffix}", suffix, files, partial(_import, name, f"answers{suffix}"), _write_quiz)
        for name, by_suffix in seeds.foreign_files().items()
        for suffix, files in by_suffix.items()
    ]


def _write_quiz(folder: Path) -> None:
    _write_suite(folder)
    _write_rows(folder)


def _import(format_name: str, name: str, folder: Path, data: bytes) -> object:
    path, results = folder / name, folder / "results"
    path.write_bytes(data)
    answers = importing.read(path, format_name)
    target = _quiz(str(folder / "quiz.toml"))
    matching = importing.match(answers.reading.answers, target, str(path))
    try:
        return importing.keep(answers, "them", target, matching, results)
    finally:
        shutil.rmtree(results, ignore_errors=True)


@lru_cache
def _quiz(path: str) -> importing.Target:
    return importing.load_target(path, None)


def refusals(target: Target, folder: Path) -> list[RimbenchError]:
    """Read every seed; the errors of those that rimbench refuses."""
    target.prepare(folder)
    found = []
    for data in target.seeds:
        try:
            target.read(folder, data)
        except RimbenchError as error:
            found.append(error)
    return found
