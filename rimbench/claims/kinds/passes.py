"""A time as that of so many forward passes."""

from collections.abc import Iterator, Mapping
from typing import Literal

from rimbench.claims.claim import SECTIONS, Claim, Published, wrong_references
from rimbench.claims.entries import Count, Figure, Text
from rimbench.claims.finding import Number, Ruling
from rimbench.claims.held import Held, Measures, hold_factor


class PassesClaim(Claim):
    """The time of `figure` is that of `value` forward passes, one of which takes `one_pass`."""

    SECTION = SECTIONS[2]
    kind: Literal["passes"]
    figure: Text
    one_pass: Text
    value: Count

    def faults(self, figures: Mapping[str, Figure]) -> Iterator[str]:
        """Two times."""
        yield from wrong_references(self.id, [self.figure, self.one_pass], figures, ("latency",))

    def judge(self, published: Published) -> Ruling:
        """Is a time that of the stated number of passes?"""
        whole, one = published.figures[self.figure].value, published.figures[self.one_pass].value
        lowest, highest = whole.lowest / one.highest, whole.highest / one.lowest
        numbers = (
            Number("passes", whole.value / one.value),
            Number("passes_lowest", lowest),
            Number("passes_highest", highest),
            Number("claimed_passes", self.value),
        )
        what = f"{whole} is the time of {whole.value / one.value:.2g} passes of {one}"
        if lowest <= self.value <= highest:
            return Ruling("holds", f"{what}.", numbers)
        sentence = f"{what} ({lowest:.2g} to {highest:.2g} by rounding), not of {self.value}."
        return Ruling("not supported", sentence, numbers)

    def hold(self, measures: Measures) -> Held | None:
        """One measured time over another."""
        return hold_factor((self.figure, self.one_pass), (self.value, self.value), measures)


KIND = PassesClaim
