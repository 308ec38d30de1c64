"""Name or TOML -> Suite: source -> rows -> readings -> audit -> frozen sample.

The held-out slice is cut to the suite's N; `train` and `all` take every usable item.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rimbench.errors import DataError, UsageError
from rimbench.plugins import whose
from rimbench.records.items import Items
from rimbench.suites import catalogue, hub, rows, slices, titration
from rimbench.suites.audit import Auditor, AuditRow
from rimbench.suites.suite import Slice, Source, Suite, Wording, content_sha256

if TYPE_CHECKING:
    from rimbench.suites.schema import Layout, SourceSpec, SuiteSpec


def load(
    name_or_path: str,
    *,
    data: Path | None = None,
    limit: int | None = None,
    slice_: Slice = "heldout",
    allow_outside: bool = False,
) -> Suite:
    """Load a suite by name, or from a TOML by path; the rows come from its source, or from the file `data`.

    `limit` takes the first items of the frozen order. In a suite that states no held-out fraction, every row
    is held out. A suite's file may name rows below its own folder, and elsewhere with `allow_outside`. Raises
    UsageError, ConfigError or DataError.
    """
    from rimbench.suites.schema import read_suite

    path = catalogue.find_suite(name_or_path)
    spec = read_suite(path)
    if limit is not None and limit < 1:
        raise UsageError(f"limit {limit}: must be at least 1")
    if slice_ == "train" and spec.heldout is None:
        raise UsageError(f"suite {path.stem}: has no train slice: its TOML has no [heldout] fraction")
    if data is None and spec.source is not None and spec.source.path is not None:
        from rimbench.files.toml import below  # pydantic is slow to import

        data = below(path, spec.source.path, "source.path", allow_outside=allow_outside)
    opened = _open(spec, path, data)
    n = spec.n if slice_ == "heldout" else None
    auditor = _audit(spec, path, opened, slice_)
    auditor.check(opened.where)
    order = slices.frozen_order(auditor.items, spec.seed)[: _smaller(n, limit)]
    items = Items(auditor.items.in_order(order))
    sha256 = content_sha256(auditor.using(items.by_id))
    return Suite(
        name=path.stem,
        items=items,
        content_sha256=sha256,
        source=opened.source,
        n_requested=_smaller(n, limit) or len(items),
        seed=spec.seed,
        wording=Wording(spec.wording.question, spec.wording.option),
        audit=auditor.report(),
        slice=slice_,
        file=whose(path, catalogue.folder()),
    )


def known_steps(name_or_path: str) -> dict[str, tuple[str, ...]]:
    """By question, the values on the way to its answer, of a generated suite; of any other nothing is known."""
    from rimbench.suites.schema import read_suite

    spec = read_suite(catalogue.find_suite(name_or_path))
    if spec.source is None or spec.source.generator is None:
        return {}
    settings = titration.TitrationSettings(**spec.source.settings.model_dump())
    made = titration.rows(settings, spec.seed, spec.n)
    return {str(row["question"]): tuple(map(str, row["steps"])) for row in made}  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True)
class _Opened:
    """Rows that are ready to be read once, where they come from, and how an error names that."""

    rows: Iterator[rows.Row]
    source: Source
    where: str


def _open(spec: "SuiteSpec", path: Path, data: Path | None) -> _Opened:
    source = spec.source
    if data is not None:
        kept = Source("file", data.name, None, None, rows.sha256(data))
        return _Opened(rows.read(data, path.stem), kept, str(data))
    if source is None:
        raise UsageError(f"suite {path.stem}: names no source: give the rows with --data FILE")
    if source.generator is not None:
        settings = titration.TitrationSettings(**source.settings.model_dump())
        made = titration.rows(settings, spec.seed, spec.n)
        return _Opened(made, Source("generated", source.generator, None, None, str(settings)), path.name)
    return _open_hub(source)


def _open_hub(source: "SourceSpec") -> _Opened:
    repo, split = source.repo or "", source.split
    dataset = hub.resolve_dataset(hub.Dataset(repo, source.revision or ""))
    kept = Source("hub", repo, source.file, split, dataset.revision)
    if source.file is not None:
        return _Opened(rows.read(hub.download(dataset, source.file), source.split), kept, f"{dataset}, {source.file}")
    return _Opened(hub.stream(dataset, split or ""), kept, f"{dataset}, split {split}")


def _audit(spec: "SuiteSpec", path: Path, opened: _Opened, slice_: Slice) -> Auditor:
    """Read rows into an auditor: to the end, or, for the held-out part of conversations, to its n-th item."""
    from rimbench.suites.schema import ConversationLayout

    first, every = rows.peek(opened.rows)
    if first is None:
        raise DataError(f"{opened.where}: holds no rows: expected one question a row")
    keep = _keeper(spec, slice_)
    layout = _fitting(spec, first, opened.where)
    if isinstance(layout, ConversationLayout):
        from rimbench.suites import conversation

        stop_at = spec.n if slice_ == "heldout" and spec.heldout is not None else None
        auditor = Auditor(repeats_expected=True)
        _fill(auditor, conversation.message_readings(every, layout.messages, keep), stop_at)
        return auditor
    from rimbench.suites import table

    auditor = Auditor(repeats_expected=False)
    _fill(auditor, table.readings(table.RowTable(every, layout, opened.where, path.name), keep), None)
    return auditor


def _fill(auditor: Auditor, readings: Iterable[AuditRow], stop_at: int | None) -> None:
    for reading in readings:
        auditor.add(reading)
        if auditor.usable == stop_at:
            return


def _keeper(spec: "SuiteSpec", slice_: Slice) -> Callable[[str], bool]:
    """Whether a question belongs to the slice that was asked for."""
    heldout = spec.heldout
    if slice_ == "all" or heldout is None:
        return lambda _question: True
    return lambda question: slices.heldout(question, heldout.fraction) == (slice_ == "heldout")


def _fitting(spec: "SuiteSpec", first: rows.Row, where: str) -> "Layout":
    """The first layout whose columns the first row has; DataError with the columns found and those known."""
    for layout in spec.layout:
        if set(layout.columns) <= first.keys():
            return layout
    known = "; ".join(f"{layout.name} ({', '.join(dict.fromkeys(layout.columns))})" for layout in spec.layout)
    raise DataError(
        f"{where}: unknown layout: its columns are {', '.join(map(str, first)) or 'none'}; "
        f"known layouts: {known}; name the columns under [[layout]] in a suite TOML of your own"
    )


def _smaller(a: int | None, b: int | None) -> int | None:
    return min((x for x in (a, b) if x is not None), default=None)
