"""What a run answered, item by item, as the claims need it: an estimate at any level, and paired differences."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from rimbench.statistics.bootstrap import Cluster, Resampling
from rimbench.statistics.estimate import Estimate, accuracy, bootstrap_share
from rimbench.statistics.paired import bootstrap_difference, paired_table, score_difference


@dataclass(frozen=True, slots=True)
class Outcomes:
    """One share an item: right or wrong, or the item's pass@k; `clusters` where items hang together.

    Items are known by all that is in them, so that two which merely share an id are never compared. `chance` is what
    choosing uniformly has on these items.
    """

    shares: Mapping[Hashable, float]
    clusters: Mapping[Hashable, Cluster] | None = None
    chance: float | None = None

    def at(self, level: float) -> Estimate | None:
        """The mean, with its interval at this level."""
        how, shares = self._how(list(self.shares), level), list(self.shares.values())
        return accuracy([share == 1 for share in shares], how) if self._whole else bootstrap_share(shares, how)

    def less(self, other: "Outcomes", level: float) -> Estimate | None:
        """The difference on the items that both answered, paired; None where there are none."""
        shared = [key for key in self.shares if key in other.shares]
        a, b = [self.shares[key] for key in shared], [other.shares[key] for key in shared]
        if self._whole and other._whole and self.clusters is None:
            return score_difference(paired_table(a, b), level)
        return bootstrap_difference(a, b, self._how(shared, level))

    @property
    def _whole(self) -> bool:
        return all(share in (0, 1) for share in self.shares.values())

    def _how(self, keys: list[Hashable], level: float) -> Resampling:
        clusters = None if self.clusters is None else [self.clusters[key] for key in keys]
        return Resampling(level=level, clusters=clusters)
