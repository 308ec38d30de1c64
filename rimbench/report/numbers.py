"""Numbers as every table writes them; what is undefined is a dash."""

from collections.abc import Mapping

from rimbench.statistics.estimate import Estimate


def share(value: float | None) -> str:
    """A share as a percentage."""
    return "-" if value is None else f"{100 * value:.1f}"


def percent(estimate: Estimate | None) -> str:
    """A share as a percentage with its interval."""
    if estimate is None:
        return "-"
    value = f"{100 * estimate.value:.1f}"
    if estimate.lo is None or estimate.hi is None:
        return value
    return f"{value} [{100 * estimate.lo:.1f}, {100 * estimate.hi:.1f}]"


def points(estimate: Estimate) -> str:
    """A difference of shares in percentage points, signed, with its interval."""
    if estimate.lo is None or estimate.hi is None:
        return f"{100 * estimate.value:+.1f}"
    return f"{100 * estimate.value:+.1f} [{100 * estimate.lo:+.1f}, {100 * estimate.hi:+.1f}]"


def number(estimate: Estimate) -> str:
    """A plain number with its interval."""
    if estimate.lo is None or estimate.hi is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.lo:.3f}, {estimate.hi:.3f}]"


def milliseconds(value: float | None) -> str:
    """A time to three digits."""
    return "-" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def times(ratio: Estimate) -> str:
    """A ratio with its interval."""
    around = "" if ratio.lo is None or ratio.hi is None else f" [{ratio.lo:.3g}, {ratio.hi:.3g}]"
    return f"{ratio.value:.3g}{around}"


def counts(letters: Mapping[str, int]) -> str:
    """How often each letter occurs."""
    return " ".join(f"{letter} {count}" for letter, count in letters.items()) or "-"
