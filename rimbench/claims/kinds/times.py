"""Times as they were measured: judged against the floor of their hardware."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from rimbench.claims.claim import SECTIONS, Claim, Published, wrong_references
from rimbench.claims.entries import Figure, Text
from rimbench.claims.finding import Number, Ruling, in_time, joined
from rimbench.claims.floors import TimeCheck
from rimbench.claims.held import Held, Measures


class TimesClaim(Claim):
    """These times were measured: judged against the floor of their hardware."""

    SECTION = SECTIONS[2]
    kind: Literal["times"]
    figures: Annotated[list[Text], Field(min_length=1)]

    def faults(self, figures: Mapping[str, Figure]) -> Iterator[str]:
        """Times alone."""
        yield from wrong_references(self.id, self.figures, figures, ("latency",))

    def judge(self, published: Published) -> Ruling:
        """Are the times possible on their hardware, and do they tell of the method or of the launches?"""
        checks = published.times
        listed_figures = [published.figures[name] for name in self.figures]
        of = [(figure, checks[figure.id]) for figure in listed_figures if figure.kind == "latency"]
        numbers = tuple(Number(f"{figure.id}_times_floor", check.times_floor) for figure, check in of)
        told = [
            f"{figure.value} is {check.times_floor:.2g} times the least possible {in_time(check.floor_s)}"
            for figure, check in of
            if check.times_floor is not None and check.floor_s is not None
        ]
        below = [figure for figure, check in of if check.floor_s is not None and figure.value.highest < check.floor_s]
        if below:
            figure = below[0]
            least = checks[figure.id].floor_s or 0.0
            sentence = f"{figure.value} is impossible on {figure.device}: it takes {in_time(least)} at the least."
            return Ruling("contradicted", sentence, numbers)
        unknown = [figure.id for figure, check in of if check.floor_s is None]
        if unknown:
            sentence = (
                f"Device, model or token counts of {joined(unknown)} are not stated, so there is no least time."
            )
            return Ruling("cannot be checked from this", sentence, numbers)
        if any(not isinstance(figure.batch, int) for figure, _ in of):
            sentence = (
                f"{joined(told)}, in a batch of unstated size: which of them saturate the device cannot be told."
            )
            return Ruling("cannot be checked from this", sentence, numbers)
        slow = [check for _, check in of if check.launch_bound]
        if slow:
            return Ruling("holds only as worded", f"Possible, but {_waiting(slow)}; {joined(told)}.", numbers)
        return Ruling("holds", f"Possible: {joined(told)}.", numbers)

    def hold(self, measures: Measures) -> Held | None:
        """What its figures come to."""
        bar, found = measures.time_bar, measures.reproduced
        there = {name: found[name] for name in self.figures if name in found}
        if not there:
            return None
        outcomes = [side.outcome for side in there.values()]
        told = "; ".join(f"{name}: {side.outcome or side.reason}" for name, side in there.items())
        if len(there) < len(self.figures):
            told += f"; {len(there)} of its {len(self.figures)} times were measured"
        if "contradicted" in outcomes:
            return Held("contradicted", told, bar.level, bar.margin)
        if None in outcomes:
            return Held(None, told, bar.level, bar.margin)
        whole = len(there) == len(self.figures) and set(outcomes) == {"reproduced"}
        return Held("reproduced" if whole else "undecided", told, bar.level, bar.margin)


def _waiting(slow: Sequence[TimeCheck]) -> str:
    passes = sorted(check.pass_s for check in slow if check.pass_s is not None)
    floors = sorted(check.pass_floor_s for check in slow if check.pass_floor_s is not None)
    took = in_time(passes[0]) if passes[0] == passes[-1] else f"{in_time(passes[0])} to {in_time(passes[-1])}"
    return (
        f"a pass takes {took} where the hardware needs {in_time(floors[0])}: at batch 1 they time "
        "the launching of kernels more than the model"
    )


KIND = TimesClaim
