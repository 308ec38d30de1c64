"""What a folder of results says: its records, its report, a pair of its systems, and a claim beside it.

Nothing here runs a model, or needs a library that does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rimbench.api.arguments import StrPath, checked
from rimbench.api.notebook import ShowsTables
from rimbench.api.project import RESULTS, read_project
from rimbench.display.notes import note
from rimbench.display.tabular import Table
from rimbench.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from rimbench.claims.audit import ClaimsAudit
    from rimbench.claims.measured import OwnMeasurement
    from rimbench.claims.schema import ClaimsSpec
    from rimbench.reporting.compared import Pair
    from rimbench.reporting.document import CellResult, Report
    from rimbench.reporting.families import Choice
    from rimbench.statistics.verdict import Settings

ReportForm = Literal["markdown", "json", "csv", "latex", "bibtex", "model-index", "html"]


@dataclass(frozen=True, slots=True, repr=False)
class Reported(ShowsTables):
    """The report of a folder: `report` holds every figure, `notes` what to distrust."""

    results: Path
    report: "Report"

    @property
    def cells(self) -> "tuple[CellResult, ...]":
        """One for each run: `n`, `greedy_accuracy` and all else that a report gives of it."""
        return self.report.cells

    @property
    def notes(self) -> tuple[str, ...]:
        """What to distrust."""
        return self.report.notes

    @property
    def tables(self) -> Sequence[Table]:
        """Every table, as the terminal has it."""
        from rimbench.reporting.tables import make_tables

        return make_tables(self.report)

    @property
    def document(self) -> dict[str, Any]:
        """What `rimbench report --json` prints."""
        from rimbench.reporting.document import as_document

        return as_document(self.report)

    def render(self, form: ReportForm) -> str:
        """The report in one of the command's formats."""
        from rimbench.reporting import formats

        return formats.render(form, self.report, self.results)

    def __repr__(self) -> str:
        return f"<report of {self.results}: {len(self.cells)} cells, {len(self.report.comparisons)} pairs>"


@dataclass(frozen=True, slots=True, repr=False)
class Compared(ShowsTables):
    """Two systems, item by item: a pair for each suite that both have answered, and `notes` on what to distrust."""

    pairs: "tuple[Pair, ...]"
    notes: tuple[str, ...]
    settings: "Settings"

    @property
    def tables(self) -> Sequence[Table]:
        """The verdicts, how sure they are, and the counts behind them."""
        from rimbench.reporting import pair_tables

        pairs = self.pairs
        return [
            pair_tables.verdict_table(pairs),
            pair_tables.certainty_table(pairs, self.settings.margin, self.settings.alpha),
            pair_tables.pair_details(pairs),
        ]

    @property
    def document(self) -> list[dict[str, Any]]:
        """What `rimbench compare --json` prints."""
        from rimbench.reporting.document import as_document

        return [as_document(pair) for pair in self.pairs]

    def __repr__(self) -> str:
        return f"<comparison: {'; '.join(', '.join(row) for row in self.tables[0].rows)}>"


@dataclass(frozen=True, slots=True, repr=False)
class Audited(ShowsTables):
    """The claims of a card or a paper, judged: `audit` holds each figure and finding."""

    audit: "ClaimsAudit"

    @property
    def tables(self) -> Sequence[Table]:
        """The figures, and the verdicts claim by claim."""
        from rimbench.claims.tables import audit_tables

        return audit_tables(self.audit)

    @property
    def document(self) -> dict[str, Any]:
        """What `rimbench audit --json` prints."""
        from rimbench.claims.document import audit_document

        return audit_document(self.audit)

    def __repr__(self) -> str:
        return f"<audit of {self.audit.spec.title!r}: {len(self.audit.findings)} claims>"


@checked
def load(results: StrPath | None = None) -> "pd.DataFrame":
    """The records of all runs of a results folder as a pandas data frame, with the columns of `rimbench export`.

    `option_logprobs` holds a dict by letter, or None; `departures` the JSON of what the run departs from in its
    system's own file. Raises DataError where there is no run, or a run cannot be read.
    """
    from rimbench.store import exporting

    return exporting.records_frame(read_project().runs_in(results))


@checked
def report(
    results: StrPath | None = None,
    *,
    by: str | None = None,
    margin: float = 0.03,
    baseline: str | None = None,
    family: str | Sequence[str] | None = None,
    allow_partial: bool = False,
    allow_outside: bool = False,
    systems: str | Sequence[str] = (),
    suites: str | Sequence[str] = (),
) -> Reported:
    """The report of a results folder: cells, comparisons, latency; `rimbench report` in Python.

    `by` is a facet to break answers down by: a column that the suite keeps, `options` or `length`. `margin` is the
    largest difference that does not matter, `baseline` what to compare with where it is not the one
    of the systems' files, `family` the systems whose pairs are judged together, or `all`. `systems` and `suites` are
    those whose cells alone are wanted. Raises DataError where there is no run.
    """
    from rimbench.reporting import summary
    from rimbench.reporting.selection import Selection
    from rimbench.statistics.verdict import Settings

    folder = read_project(allow_outside=allow_outside).runs_in(results)
    choice = _choice(family, baseline, allow_partial=allow_partial)
    selection = Selection(*([each] if isinstance(each, str) else each for each in (systems, suites)))
    return Reported(folder, summary.summarise(folder, Settings(margin=_share(margin)), choice, by, selection))


@checked
def compare(
    a: str,
    b: str,
    results: StrPath | None = None,
    *,
    margin: float = 0.03,
    family: str | Sequence[str] | None = None,
    allow_partial: bool = False,
    allow_outside: bool = False,
) -> Compared:
    """Compare a with b, the baseline, on the items that both have answered; `rimbench compare` in Python.

    Both are names of systems or of runs. Judged as in the report, whose arguments these are. Raises UsageError where
    the two share no items.
    """
    from rimbench.reporting import summary
    from rimbench.reporting.families import ALL, DECLARED
    from rimbench.statistics.verdict import Settings

    folder = read_project(allow_outside=allow_outside).runs_in(results)
    settings = Settings(margin=_share(margin))
    choice = _choice(family, b if family not in (None, ALL, DECLARED) else None, allow_partial=allow_partial)
    pairs, notes = summary.summarise_pair(folder, a, b, settings, choice)
    return Compared(tuple(pairs), tuple(notes), settings)


@checked
def audit(claims: StrPath, results: StrPath | None = None, *, allow_outside: bool = False) -> Audited:
    """Judge the claims of a model card or a paper from its own figures; `rimbench audit` in Python.

    `claims` is a claims file, or the name of one that is known, such as `rim-card`. Runs in `results` are held
    against it, where there are any.
    """
    from rimbench.claims import catalogue
    from rimbench.claims.audit import audit_claims
    from rimbench.claims.schema import read_claims

    path = catalogue.find_claims(str(claims))
    spec = read_claims(path, allow_outside=allow_outside)
    return Audited(audit_claims(spec, _measured(spec, path, results, allow_outside=allow_outside)))


def _choice(family: str | Sequence[str] | None, baseline: str | None, *, allow_partial: bool) -> "Choice":
    from rimbench.reporting.families import read_choice

    named = family if family is None or isinstance(family, str) else ",".join(family)
    return read_choice(named, baseline, allow_partial=allow_partial)


def _share(margin: float) -> float:
    if not 0 < margin < 1:
        raise UsageError(f"margin {margin:g}: expected a share between 0 and 1, such as 0.03")
    return margin


def _measured(
    spec: "ClaimsSpec", path: Path, results: StrPath | None, *, allow_outside: bool
) -> "Sequence[OwnMeasurement]":
    """What was measured here; what cannot be read is an error where it was asked for."""
    from rimbench.claims import runs
    from rimbench.store import no_runs

    folder = Path(results or read_project(allow_outside=allow_outside).results or RESULTS)
    if not runs.holds_any(folder):
        if results is None:
            return ()
        raise no_runs(folder)
    try:
        own = runs.measure_own(spec, path, folder)
    except DataError as error:
        if results is not None:
            raise
        note(f"what was measured in {folder} is left out: {error}")
        return ()
    for line in own.notes:
        note(line)
    return own.measured
