"""A figure that is given twice."""

from collections.abc import Iterator, Mapping
from typing import Literal

from rimbench.claims.claim import Claim, Published, wrong_references
from rimbench.claims.entries import KINDS_WITH_ACCURACY, Figure, Share, Text
from rimbench.claims.finding import Number, Ruling


class RestatedClaim(Claim):
    """A figure is given again elsewhere as `value`."""

    kind: Literal["restated"]
    figure: Text
    value: Share

    def faults(self, figures: Mapping[str, Figure]) -> Iterator[str]:
        """A share."""
        yield from wrong_references(self.id, [self.figure], figures, KINDS_WITH_ACCURACY)

    def judge(self, published: Published) -> Ruling:
        """Does the second printing agree with the first?"""
        first = published.figures[self.figure].value
        numbers = (Number("first", first.value), Number("again", self.value.value))
        if self.value.agrees_with(first.lowest, first.highest):
            return Ruling("holds", f"{first} rounds to {self.value}.", numbers)
        return Ruling("contradicted", f"{self.value} here, {first} there.", numbers)


KIND = RestatedClaim
