"""Memory is used: answers that are said to get worse where the memory is interfered with.

An intervention shows use, where a pattern that a probe reads from the memory does not.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from rimbench.claims.claim import PairsClaim, Published
from rimbench.claims.entries import Figure, Names, Positive, Text
from rimbench.claims.finding import Ruling
from rimbench.claims.held import Relation
from rimbench.claims.measured import ABLATED, INTACT, Key
from rimbench.claims.pairs import FigurePair

INTERVENTION = re.compile(r"filler|transplant|mean|noise|shuffle|drop-[1-9][0-9]*|blind-readout")


class MemoryUsedClaim(PairsClaim):
    """Each of `interventions` of `rimbench ablate` costs a system more than `margin` on a suite; without one it is
    the file's.
    """

    kind: Literal["memory is used"]
    system: Text
    suite: Text
    interventions: Names
    margin: Positive | None = None

    def faults(self, figures: Mapping[str, Figure]) -> Iterator[str]:
        """Interventions that there are."""
        known = "filler, transplant, mean, noise, shuffle, drop-1, drop-2 and so on, blind-readout"
        for name in self.interventions:
            if not INTERVENTION.fullmatch(name):
                yield f"{self.id}.interventions: unknown intervention '{name}': known: {known}"

    def cells(self) -> list[tuple[Key, Key]]:
        """The intact system with each intervention."""
        intact: Key = (self.system, self.suite, INTACT, None)
        return [(intact, (self.system, self.suite, f"{ABLATED}{name}", None)) for name in self.interventions]

    def pairs(self, figures: Mapping[str, Figure]) -> list[FigurePair]:
        """Of interventions no figures are published."""
        return []

    def judge(self, published: Published) -> Ruling:
        """No published accuracy says it."""
        sentence = "Accuracies do not say whether the memory makes them: that takes the same items without it."
        return Ruling("cannot be checked from this", sentence)

    def wanted(self, margin: float) -> Relation:
        """More lost than the margin; less is as good as nothing."""
        return Relation(None, margin if self.margin is None else self.margin.value)


KIND = MemoryUsedClaim
