"""Stable: an accuracy that is said to stay the same over settings."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Annotated, Literal

from pydantic import Field

from rimbench.claims.claim import PairsClaim, Published, wrong_references
from rimbench.claims.entries import Figure, Text
from rimbench.claims.finding import Ruling, joined
from rimbench.claims.measured import Key
from rimbench.claims.pairs import Contrast, FigurePair, judge_tie


class StabilityClaim(PairsClaim):
    """A system's accuracy stays the same over `settings`; `figures` are those published for them, if any."""

    kind: Literal["stability"]
    system: Text
    suite: Text
    settings: Annotated[list[Text], Field(min_length=2)]
    figures: list[Text] = Field(default_factory=list)

    def faults(self, figures: Mapping[str, Figure]) -> Iterator[str]:
        """An accuracy for each setting, or none."""
        yield from wrong_references(self.id, self.figures, figures, ("accuracy",))
        if self.figures and len(self.figures) != len(self.settings):
            yield f"{self.id}: {len(self.figures)} figures for {len(self.settings)} settings"

    def cells(self) -> list[tuple[Key, Key]]:
        """All pairs of settings."""
        return list(combinations([(self.system, self.suite, setting, None) for setting in self.settings], 2))

    def pairs(self, figures: Mapping[str, Figure]) -> list[FigurePair]:
        """All pairs of the figures that are given."""
        found = [figures[name] for name in self.figures]
        return list(combinations([figure for figure in found if figure.kind == "accuracy"], 2))

    def judge_pairs(self, pairs: list[Contrast], published: Published) -> Ruling:
        """Stable is tied over all settings."""
        if not self.figures:
            settings = joined(self.settings)
            sentence = f"No accuracy is published for {settings}: with one for each, and its n, this could be judged."
            return Ruling("cannot be checked from this", sentence)
        return judge_tie(pairs, published.bar)


KIND = StabilityClaim
