"""The chance level, as it was printed."""

from typing import Literal

from rimbench.claims.claim import SECTIONS, Claim, Published
from rimbench.claims.entries import Count, OptionCount, Share
from rimbench.claims.finding import Number, Ruling, in_points
from rimbench.statistics.passk import uniform_pass_at_k


class ChanceLevelClaim(Claim):
    """Choosing uniformly among `options` scores `value`; with `k`, at least once in k tries."""

    SECTION = SECTIONS[1]
    kind: Literal["chance level"]
    options: OptionCount
    value: Share
    k: Count = 1

    def judge(self, published: Published) -> Ruling:
        """Is the printed chance level that of choosing uniformly?"""
        chance = chance_among(self.options, self.k)
        numbers = (Number("chance", chance), Number("options", self.options), Number("k", self.k))
        what = f"Choosing at random among {self.options} options" + (f" {self.k} times" if self.k > 1 else "")
        if self.value.agrees_with(chance, chance):
            return Ruling("holds", f"{what} gives {in_points(chance)} %.", numbers)
        return Ruling("contradicted", f"{what} gives {in_points(chance)} %, not {self.value}.", numbers)


def chance_among(options: int, k: int) -> float:
    """How often choosing uniformly among so many options is right, once in k tries."""
    chance = uniform_pass_at_k([options], k)
    assert chance is not None  # there is one item
    return chance


KIND = ChanceLevelClaim
