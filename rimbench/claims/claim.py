"""What every kind of claim has, and what it is judged with; a kind is one file of `rimbench.claims.kinds`.

Importing this imports pydantic.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from rimbench.claims.entries import AccuracyFigure, Entry, Figure, Text
from rimbench.claims.finding import Ruling
from rimbench.claims.floors import TimeCheck
from rimbench.claims.held import Held, Measures, Relation, hold_pairs
from rimbench.claims.measured import Key
from rimbench.claims.pairs import Bar, Contrast, FigurePair, pick
from rimbench.plugins import unknown

SECTIONS = ("Claims of accuracy", "Claims above chance", "Claims of speed")
"""Under which title claims are shown, in this order."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a claim is judged with: the file's figures and their times by id, the families of tests, and the bar."""

    figures: Mapping[str, Figure]
    times: Mapping[str, TimeCheck]
    families: Mapping[str, Mapping[frozenset[str], Contrast]]
    bar: Bar

    @property
    def accuracies(self) -> list[AccuracyFigure]:
        """The figures that are accuracies."""
        return [figure for figure in self.figures.values() if figure.kind == "accuracy"]


class Claim(Entry):
    """`text` is the sentence as published; `partial` says what of it the listed figures do not cover."""

    SECTION: ClassVar[str] = SECTIONS[0]
    kind: str
    text: Text
    partial: Text | None = None

    def faults(self, figures: Mapping[str, Figure]) -> Iterator[str]:
        """What it refers to that is not in the file, or not of the right kind."""
        yield from ()

    def orders(self) -> list[tuple[str, str]]:
        """The systems and suites that it needs runs of in every order of the options."""
        return []

    def judge(self, published: Published) -> Ruling:
        """What the published figures say of it."""
        raise NotImplementedError(self.kind)

    def hold(self, measures: Measures) -> Held | None:
        """What own runs say of it; None where nothing of it was measured, or could be."""
        return None


class PairsClaim(Claim):
    """A claim of differences. `family` joins claims whose tests are corrected for one another; without it a claim is
    a family by itself.
    """

    family: Text | None = None

    @property
    def family_name(self) -> str:
        """A name of its own where the claim declares none; the colon keeps it apart from declared ones."""
        return f"family:{self.family}" if self.family is not None else f"claim:{self.id}"

    def cells(self) -> list[tuple[Key, Key]]:
        """The pairs of cells that it speaks of, in its own order."""
        raise NotImplementedError(self.kind)

    def pairs(self, figures: Mapping[str, Figure]) -> list[FigurePair]:
        """The published figures of these."""
        cells = {(f.system, f.suite): f for f in figures.values() if f.kind == "accuracy" and f.setting is None}
        return [(cells[a[:2]], cells[b[:2]]) for a, b in self.cells()]

    def tested(self, published: Published) -> list[Contrast] | None:
        """The pairs, tested; None where one could not be."""
        return pick(published.families[self.family_name], self.pairs(published.figures))

    def judge(self, published: Published) -> Ruling:
        """Held against all of its pairs."""
        pairs = self.tested(published)
        if pairs is None:
            sentence = "The number of items behind some of these figures is not stated."
            return Ruling("cannot be checked from this", sentence)
        return self.judge_pairs(pairs, published)

    def judge_pairs(self, pairs: list[Contrast], published: Published) -> Ruling:
        """What the tested pairs say of it."""
        raise NotImplementedError(self.kind)

    def wanted(self, margin: float) -> Relation:
        """What of a measured difference reproduces it."""
        return Relation(margin)

    def entrants(self) -> Mapping[str, set[str]] | None:
        """By suite, the systems that are one entrant, each of which must be beaten; None: each by itself."""
        return None

    def hold(self, measures: Measures) -> Held | None:
        """All pairs, item by item."""
        return hold_pairs(self.cells(), self.wanted(measures.bar.margin), self.entrants(), measures)


def wrong_references(
    where: str, names: Iterable[str], figures: Mapping[str, Figure], kinds: tuple[str, ...] = ()
) -> Iterator[str]:
    """Names that no figure has, or one of another kind."""
    for name in names:
        if name not in figures:
            yield f"{where}: {unknown('figure', name, figures)}"
        elif kinds and figures[name].kind not in kinds:
            yield f"{where}: figure '{name}' has kind '{figures[name].kind}', expected {' or '.join(kinds)}"


def absent_cells(
    where: str, systems: Iterable[str], suites: Iterable[str], figures: Mapping[str, Figure]
) -> Iterator[str]:
    """Cells that no accuracy is of."""
    cells = {(f.system, f.suite) for f in figures.values() if f.kind == "accuracy" and f.setting is None}
    for system in dict.fromkeys(systems):
        for suite in dict.fromkeys(suites):
            if (system, suite) not in cells:
                yield f"{where}: no accuracy of '{system}' on '{suite}' among the figures"
