"""Before a run: what difference N items can detect, and how many items a difference or a margin needs.

In: sizes, shares and a margin. Out: plain numbers, by normal approximations that the tests check by simulation.
All tests are two-sided but for equivalence. Exact McNemar, which verdicts use, has one to two points less power.
"""

import math
from statistics import NormalDist

_normal = NormalDist()


def _quantiles(power: float, alpha: float) -> tuple[float, float]:
    if not (0 < alpha < 1 and alpha / 2 < power < 1):
        raise ValueError(f"power {power} lies between alpha/2 and 1, alpha {alpha} between 0 and 1")
    return _normal.inv_cdf(1 - alpha / 2), _normal.inv_cdf(power)


def detectable_paired(n: int, discordant: float, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """The smallest difference that McNemar's test finds with this power on n shared items.

    Connor 1987 (Biometrics 43:207), solved for the difference. None where even a difference as large as the
    discordant share would not be found, as with no discordant items at all.
    """
    _check(n, discordant)
    z_alpha, z_power = _quantiles(power, alpha)
    # (d sqrt(n) - z_alpha sqrt(share))^2 = z_power^2 (share - d^2), a quadratic in d; for power below one
    # half z_power is negative and the smaller root is meant.
    a = n + z_power**2
    b = math.sqrt(n * discordant) * z_alpha
    c = discordant * (z_alpha**2 - z_power**2)
    root = math.sqrt(max(b * b - a * c, 0.0))
    difference = (b + math.copysign(root, z_power)) / a
    return difference if 0 < difference <= discordant else None


def items_paired(difference: float, discordant: float, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """How many shared items McNemar's test needs to find `difference` with this power.

    Connor 1987. None where the difference exceeds the discordant share, which cannot be.
    """
    _check(1, discordant)
    if difference == 0:
        raise ValueError("no number of items finds a difference of 0")
    if abs(difference) > discordant:
        return None
    z_alpha, z_power = _quantiles(power, alpha)
    root = z_alpha * math.sqrt(discordant) + z_power * math.sqrt(discordant - difference**2)
    return max(1, math.ceil((root / difference) ** 2))


def power_unpaired(n: int, base: float, difference: float, alpha: float = 0.05) -> float:
    """The power of the pooled two-proportion test with n items each, `base` against `base + difference`.

    Fleiss, Levin and Paik 2003, chapter 4, without its continuity correction; the far tail is left out.
    """
    other = base + difference
    if n < 1 or not (0 <= base <= 1 and 0 <= other <= 1):
        raise ValueError(f"n = {n}, accuracies {base} and {other}")
    mean = (base + other) / 2
    pooled = math.sqrt(2 * mean * (1 - mean))
    separate = math.sqrt(base * (1 - base) + other * (1 - other))
    reach = abs(difference) * math.sqrt(n) - _normal.inv_cdf(1 - alpha / 2) * pooled
    return _normal.cdf(reach / separate) if separate > 0 else float(reach > 0)


def detectable_unpaired(n: int, base: float, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """The smallest gain over `base` that the two-proportion test finds with this power, n items each.

    Fleiss, Levin and Paik 2003, chapter 4, solved by bisection. None where not even 100% would be found.
    """
    _quantiles(power, alpha)
    missed, found = 0.0, 1 - base
    if power_unpaired(n, base, found, alpha) < power:
        return None
    while found - missed > 1e-9:
        middle = (missed + found) / 2
        if power_unpaired(n, base, middle, alpha) < power:
            missed = middle
        else:
            found = middle
    return found


def items_unpaired(difference: float, base: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """How many items each of two samples needs to find `base` against `base + difference`.

    Fleiss, Levin and Paik 2003, chapter 4, without its continuity correction.
    """
    other = base + difference
    if difference == 0 or not (0 <= base <= 1 and 0 <= other <= 1):
        raise ValueError(f"accuracies {base} and {other} must differ and lie in [0, 1]")
    z_alpha, z_power = _quantiles(power, alpha)
    mean = (base + other) / 2
    root = z_alpha * math.sqrt(2 * mean * (1 - mean))
    root += z_power * math.sqrt(base * (1 - base) + other * (1 - other))
    return max(1, math.ceil((root / difference) ** 2))


def power_equivalence(
    n: int, discordant: float, margin: float, difference: float = 0.0, alpha: float = 0.05
) -> float:
    """The chance that TOST shows two systems equivalent on n shared items, at a true difference.

    Liu, Hsueh, Hsieh and Chen 2002 (Statistics in Medicine 21:231), the large-sample form; never below 0.
    """
    _check(n, discordant)
    if margin <= 0 or abs(difference) > discordant:
        raise ValueError(f"margin {margin} is above 0, and a difference needs discordant items")
    error = math.sqrt((discordant - difference**2) / n)
    if error == 0:
        return float(abs(difference) < margin)
    z = _normal.inv_cdf(1 - alpha)
    inside = _normal.cdf((margin - difference) / error - z) + _normal.cdf((margin + difference) / error - z)
    return max(0.0, inside - 1)


def items_equivalence(margin: float, discordant: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """How many shared items TOST needs for this power where the systems do not differ at all.

    Liu, Hsueh, Hsieh and Chen 2002, the large-sample form, at a true difference of 0.
    """
    _check(1, discordant)
    if margin <= 0 or not 0 < power < 1:
        raise ValueError(f"margin {margin} is above 0, power {power} between 0 and 1")
    z = _normal.inv_cdf(1 - alpha) + _normal.inv_cdf((1 + power) / 2)
    return max(1, math.ceil(discordant * (z / margin) ** 2))


def items_deciding(
    difference: float, discordant: float, margin: float, alpha: float = 0.05, size: int = 1
) -> int | None:
    """How many shared items give a verdict in 4 of 5 tries, were a pair as it looks: those that find its difference
    at alpha in a family of so many, or show it to be within the margin, whichever are fewer; None where none do.
    """
    power, found = 0.8, list[int]()
    if difference and (needed := items_paired(difference, discordant, power, alpha / size)) is not None:
        found.append(needed)
    if abs(difference) < margin:
        low, high = 0, items_equivalence(margin, discordant, power, alpha) if discordant else 1
        while power_equivalence(high, discordant, margin, difference, alpha) < power:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            enough = power_equivalence(middle, discordant, margin, difference, alpha) >= power
            low, high = (low, middle) if enough else (middle, high)
        found.append(high)
    return min(found, default=None)


def _check(n: int, discordant: float) -> None:
    if n < 1 or not 0 <= discordant <= 1:
        raise ValueError(f"n = {n} is at least 1, the discordant share {discordant} in [0, 1]")
