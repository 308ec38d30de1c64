"""Stable: an accuracy that is said to stay the same over settings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Annotated, Literal, TypeVar

from pydantic import Field

from rimbench.claims.claim import PairsClaim, Published, wrong_references
from rimbench.claims.entries import Figure, Positive, Text
from rimbench.claims.finding import Ruling, joined
from rimbench.claims.held import Relation
from rimbench.claims.measured import Key
from rimbench.claims.pairs import Contrast, FigurePair, judge_tie

S = TypeVar("S")


class StabilityClaim(PairsClaim):
    """A system's accuracy stays the same over `settings`; `figures` are those published for them, if any.

    With `against`, one of the settings, the others are each compared with that one alone: every K with the largest.
    `margin` is the claim's own, where it is not that of the file.
    """

    kind: Literal["stability"]
    system: Text
    suite: Text
    settings: Annotated[list[Text], Field(min_length=2)]
    figures: list[Text] = Field(default_factory=list)
    against: Text | None = None
    margin: Positive | None = None

    def faults(self, figures: Mapping[str, Figure]) -> Iterator[str]:
        """An accuracy for each setting, or none."""
        yield from wrong_references(self.id, self.figures, figures, ("accuracy",))
        if self.figures and len(self.figures) != len(self.settings):
            yield f"{self.id}: {len(self.figures)} figures for {len(self.settings)} settings"
        if self.against is not None and self.against not in self.settings:
            yield f"{self.id}.against: '{self.against}' is none of the settings {', '.join(self.settings)}"
        elif self.against is not None and self.settings.count(self.against) > 1:
            yield f"{self.id}.settings: '{self.against}' is named twice"

    def cells(self) -> list[tuple[Key, Key]]:
        """All pairs of settings, or each other one with `against`."""
        return self._paired([(self.system, self.suite, setting, None) for setting in self.settings])

    def pairs(self, figures: Mapping[str, Figure]) -> list[FigurePair]:
        """The same pairs of the figures that are given."""
        found = [figures[name] for name in self.figures]
        return self._paired([figure for figure in found if figure.kind == "accuracy"])

    def wanted(self, margin: float) -> Relation:
        """Inside its own margin, or that of the file."""
        return Relation(self._margin(margin))

    def judge_pairs(self, pairs: list[Contrast], published: Published) -> Ruling:
        """Stable is tied over all settings."""
        if not self.figures:
            settings = joined(self.settings)
            sentence = f"No accuracy is published for {settings}: with one for each, and its n, this could be judged."
            return Ruling("cannot be checked from this", sentence)
        return judge_tie(pairs, replace(published.bar, margin=self._margin(published.bar.margin)))

    def _margin(self, of_file: float) -> float:
        return of_file if self.margin is None else self.margin.value

    def _paired(self, of_settings: Sequence[S]) -> list[tuple[S, S]]:
        """Pairs of what there is of each setting, in their order; none where nothing is given of them."""
        if self.against is None or not of_settings:
            return list(combinations(of_settings, 2))
        chosen = self.settings.index(self.against)
        return [(own, of_settings[chosen]) for place, own in enumerate(of_settings) if place != chosen]


KIND = StabilityClaim
