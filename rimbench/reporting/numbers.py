"""Numbers as every table writes them; what is undefined is a dash."""

from collections.abc import Mapping

from rimbench.statistics.estimate import Estimate


def decimal(value: float, digits: int, *, signed: bool = False) -> str:
    """A number to so many digits; one that rounds to nothing has no sign."""
    rounded = round(value, digits) or 0.0
    return f"{rounded:+.{digits}f}" if signed and rounded else f"{rounded:.{digits}f}"


def counted(n: int, asked: int) -> str:
    """How many there are, and of how many where some are missing."""
    return str(n) if n == asked else f"{n}/{asked}"


def share(value: float | None) -> str:
    """A share as a percentage."""
    return "-" if value is None else decimal(100 * value, 1)


def percent(estimate: Estimate | None) -> str:
    """A share as a percentage with its interval."""
    return "-" if estimate is None else _with_interval(estimate, 100, 1)


def points(estimate: Estimate) -> str:
    """A difference of shares in percentage points, signed, with its interval."""
    return _with_interval(estimate, 100, 1, signed=True)


def number(estimate: Estimate) -> str:
    """A plain number with its interval."""
    return _with_interval(estimate, 1, 3)


def interval(lo: float | None, hi: float | None, *, signed: bool = False) -> str:
    """An interval of shares in percent."""
    if lo is None or hi is None:
        return "-"
    return f"[{decimal(100 * lo, 1, signed=signed)}, {decimal(100 * hi, 1, signed=signed)}]"


def _with_interval(estimate: Estimate, factor: int, digits: int, *, signed: bool = False) -> str:
    value, *ends = (
        None if each is None else decimal(factor * each, digits, signed=signed)
        for each in (estimate.value, estimate.lo, estimate.hi)
    )
    return f"{value}" if None in ends else f"{value} [{', '.join(map(str, ends))}]"


def milliseconds(value: float | None) -> str:
    """A time to three digits."""
    return "-" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def times(ratio: Estimate) -> str:
    """A ratio with its interval."""
    around = "" if ratio.lo is None or ratio.hi is None else f" [{ratio.lo:.3g}, {ratio.hi:.3g}]"
    return f"{ratio.value:.3g}{around}"


def letter_counts(letters: Mapping[str, int]) -> str:
    """How often each letter occurs."""
    return " ".join(f"{letter} {count}" for letter, count in letters.items()) or "-"


def csv_columns(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    """An estimate and the ends of its interval as three columns; undefined is empty."""
    found = (None,) * 3 if estimate is None else (estimate.value, estimate.lo, estimate.hi)
    return dict(zip((name, f"{name}_lo", f"{name}_hi"), found, strict=True))
