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
from rimbench.claims.measured import ABLATED, INTACT_SETTING, Key
from rimbench.claims.pairs import FigurePair
from rimbench.records import KINDS

INTERVENTION = re.compile("|".join("drop-[1-9][0-9]*" if kind == "drop-k" else kind for kind in KINDS))


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
        known = ", ".join(KINDS).replace("drop-k", "drop-1, drop-2 and so on")
        for name in self.interventions:
            if not INTERVENTION.fullmatch(name):
                yield f"{self.id}.interventions: unknown intervention '{name}': known: {known}"

    def cells(self) -> list[tuple[Key, Key]]:
        """The intact system with each intervention."""
        intact: Key = (self.system, self.suite, INTACT_SETTING, None)
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
