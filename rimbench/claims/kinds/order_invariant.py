"""Order-invariant: answers that are said to stay the same whatever the order of the options."""

from typing import Literal

from rimbench.claims.claim import Claim, Published
from rimbench.claims.entries import PositiveShare, Text
from rimbench.claims.finding import Ruling, in_points
from rimbench.claims.held import Held, Measures, Relation, hold_share


class OrderInvariantClaim(Claim):
    """At most `flips` of the items do not get the same option in every rotation of their options."""

    kind: Literal["order-invariant"]
    system: Text
    suite: Text
    flips: PositiveShare

    def orders(self) -> list[tuple[str, str]]:
        """The one cell."""
        return [(self.system, self.suite)]

    def judge(self, published: Published) -> Ruling:
        """No published accuracy says it."""
        sentence = "Accuracies do not say how many answers follow the order: that takes the items in every rotation."
        return Ruling("cannot be checked from this", sentence)

    def hold(self, measures: Measures) -> Held | None:
        """The interval of the flip rate against the most that is claimed."""
        run = measures.flips.get((self.system, self.suite))
        if run is None:
            return None
        most = self.flips.value
        beside = f"at most {in_points(most)} % are claimed"
        return hold_share(run, Relation(None, -most, downward=True), measures.bar.level, beside)


KIND = OrderInvariantClaim
