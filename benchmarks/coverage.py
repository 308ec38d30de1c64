"""How often rimbench's 95% intervals cover the truth, by simulation: `python benchmarks/coverage.py`.

Prints one row a situation: coverage in percent and, in brackets, the mean width in points. The tables in the
docstrings of `accuracy` and `score_difference` are this output. An interval that a method cannot give (a bootstrap
of values that do not vary) counts as a miss. With 2,000 cells a coverage has a standard error of 0.5.
"""

import argparse
import math
import sys
from collections.abc import Callable
from itertools import permutations, product
from pathlib import Path
from statistics import NormalDist

import numpy as np
from evalstats.core import resampling
from scipy.stats import t

from rimbench.statistics.bootstrap import ITEMWISE, Resampling
from rimbench.statistics.estimate import Estimate, accuracy, bootstrap_mean, bootstrap_share, wilson
from rimbench.statistics.paired import PairedTable, bootstrap_difference, score_difference
from rimbench.statistics.passk import pass_at_k
from rimbench.statistics.selective import certified_coverage
from rimbench.statistics.stopping import stages_at, steps
from rimbench.statistics.times import mean_time, ratio_of_times
from rimbench.statistics.unpaired import newcombe_independent

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "experiments"))
from seed_intervals import mean_over_seeds

SHARES = (0.05, 0.25, 0.50, 0.95)
SIZES = (50, 1000)
# The correlation of two language models' outcomes (gpt-4o-mini and QwQ-32B-Preview): 0.41 on MedQA, 0.42 on MedMCQA.
CORRELATION = 0.4

Count = tuple[int, ...]
Method = Callable[[Count], Estimate | None]


def measure(counts: np.ndarray, truth: float, method: Method) -> str:
    """Coverage and mean width over simulated tables, one a row; equal tables are worked out once."""
    distinct, times = np.unique(counts, axis=0, return_counts=True)
    hits, width, known = 0.0, 0.0, 0.0
    for row, weight in zip(distinct, times, strict=True):
        estimate = method(tuple(int(x) for x in row))
        if estimate is not None and estimate.lo is not None and estimate.hi is not None:
            hits += weight * (estimate.lo <= truth + 1e-12 and truth - 1e-12 <= estimate.hi)
            width += weight * (estimate.hi - estimate.lo)
            known += weight
    return f"{100 * hits / len(counts):5.1f} ({100 * width / max(known, 1):4.1f})"


def outcomes(*cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Two systems' outcomes with these four cells."""
    a, b = np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0])
    return np.repeat(a, cells), np.repeat(b, cells)


def newcombe(cells: Count) -> Estimate:
    """The paired difference with the interval of Newcombe 1998 (Statistics in Medicine 17:2635), method 10."""
    a, b = outcomes(*cells)
    lo, hi = resampling.newcombe_mover_paired_ci(a, b, alpha=0.05)
    return Estimate(float(a.mean() - b.mean()), lo, hi, a.size, "Newcombe method 10")


def one_proportion(cells: int, rng: np.random.Generator) -> None:
    print("\nOne proportion\n   n    p   Wilson        BCa")
    for n in SIZES:
        for p in SHARES:
            counts = rng.binomial(n, p, size=(cells, 1))
            score = measure(counts, p, lambda c, n=n: wilson(c[0], n))  # type: ignore[misc]
            bca = measure(counts, p, lambda c, n=n: bootstrap_mean(np.arange(n) < c[0]))  # type: ignore[misc]
            print(f"{n:4}  {p:.2f}  {score}  {bca}")


def paired(cells: int, rng: np.random.Generator) -> None:
    print(f"\nPaired difference d = p - q, outcome correlation {CORRELATION}; m: discordant items expected")
    print("   n    q     d      m   Tango         Newcombe      BCa")
    for n in SIZES:
        for q in SHARES:
            for d in (0.0, 0.03):
                p = q + d
                both = p * q + CORRELATION * math.sqrt(p * (1 - p) * q * (1 - q))
                chances = [both, p - both, q - both, 1 - p - q + both]
                tables = rng.multinomial(n, chances, size=cells)
                tango = measure(tables, d, lambda c: score_difference(PairedTable(*c)))
                squared = measure(tables, d, newcombe)
                bca = measure(tables, d, lambda c: bootstrap_difference(*outcomes(*c)))
                print(f"{n:4}  {q:.2f}  {d:.2f}  {n * sum(chances[1:3]):5.1f}  {tango}  {squared}  {bca}")


def unpaired(cells: int, rng: np.random.Generator) -> None:
    print("\nTwo independent proportions, p - q = 0.03\n   n    q   Newcombe")
    for n in SIZES:
        for q in SHARES:
            counts = np.column_stack([rng.binomial(n, q + 0.03, size=cells), rng.binomial(n, q, size=cells)])
            found = measure(counts, 0.03, lambda c, n=n: newcombe_independent(c[0], n, c[1], n))  # type: ignore[misc]
            print(f"{n:4}  {q:.2f}  {found}")


def several_samples(cells: int, rng: np.random.Generator) -> None:
    """Questions differ: each one's chance to be answered rightly is Beta(a, b), eight samples a question."""
    print("\npass@k from 8 samples, BCa over questions\n   n   chances         k   truth    BCa")
    for n in SIZES:
        for a, b in ((0.5, 0.5), (2.0, 2.0), (0.5, 4.0)):
            shares = rng.beta(a, b, size=(cells, n))
            right = rng.binomial(8, shares)
            kinds = np.stack([(right == c).sum(axis=1) for c in range(9)], axis=1)
            for k in (1, 8):
                missed = math.prod((b + i) / (a + b + i) for i in range(k))
                found = measure(kinds, 1 - missed, lambda c, k=k: pass_of(c, k))  # type: ignore[misc]
                print(f"{n:4}  Beta({a}, {b})  {k:2}   {1 - missed:.3f}  {found}")


def pass_of(kinds: Count, k: int) -> Estimate | None:
    right = [c for c, times in enumerate(kinds) for _ in range(times)]
    return pass_at_k(right, [8] * len(right), k, Resampling(resamples=2000))


def clustered(cells: int, rng: np.random.Generator) -> None:
    print("\nClusters of 5 items, intra-cluster correlation 1/3, p = 0.5\nclusters   Wilson        cluster BCa")
    for groups in (10, 30, 200):
        per_group = np.sort(rng.binomial(5, rng.beta(1, 1, size=(cells, groups))), axis=1)
        names = [str(index // 5) for index in range(5 * groups)]
        plain = measure(per_group, 0.5, lambda c, g=groups: wilson(sum(c), 5 * g))  # type: ignore[misc]
        how = Resampling(clusters=names, resamples=2000)
        grouped = measure(
            per_group,
            0.5,
            lambda c, how=how: bootstrap_mean([float(i < right) for right in c for i in range(5)], how),  # type: ignore[misc]
        )
        print(f"{groups:8}   {plain}  {grouped}")


def single_pass(cells: int, rng: np.random.Generator) -> None:
    """What is chosen on one half and judged on the other: the truth is that of the threshold that was chosen."""
    print("\nChosen on one half of n items, judged on the other: coverage in %")
    print("   n   cascade  blocks  certified  of those wrong, %  distance")
    for n in (400, 2000):
        choosing = np.arange(n) < n // 2
        hits = np.zeros(4)
        certified = wrong = known = 0
        for _ in range(cells):
            margin = rng.uniform(size=(n, 3))
            # A cascade: the first is right with (1 + margin) / 2, the second with 0.85.
            right = rng.uniform(size=(n, 2)) < np.column_stack([(1 + margin[:, 0]) / 2, np.full(n, 0.85)])
            found = steps(margin[choosing, :1], right[choosing])
            t = min(1.0, float(found.thresholds[found.choose()]))
            stage = stages_at(margin[~choosing, :1], t)
            judged = accuracy(right[~choosing][np.arange(n // 2), stage])
            hits[0] += within(judged, (1 - t) / 2 + (1 - t * t) / 4 + 0.85 * t)
            # Memory of four blocks whose margins do not depend on each other: 1 + t + t^2 + t^3 on the mean.
            blocks = bootstrap_mean(stages_at(margin[~choosing], 0.6) + 1, Resampling(resamples=2000))
            hits[1] += within(blocks, 1 + 0.6 + 0.6**2 + 0.6**3)
            sure = margin[:, 0]
            own = certified_coverage(sure, rng.uniform(size=n) < sure**0.25, choosing, 0.1, ITEMWISE)
            if own.threshold is not None:
                t, certified = own.threshold, certified + 1
                known += within(own.coverage, 1 - t)
                wrong += 1 - (1 - t**1.25) / 1.25 / (1 - t) > 0.1
            distance = bootstrap_share(rng.beta(2, 6, size=n // 2), Resampling(resamples=2000))
            hits[3] += within(distance, 0.25)
        cascade, blocks_hit, _, distance_hit = 100 * hits / cells
        print(
            f"{n:4}   {cascade:7.1f}  {blocks_hit:6.1f}  {100 * known / max(certified, 1):9.1f}  "
            f"{100 * wrong / cells:17.1f}  {distance_hit:8.1f}"
        )


def within(found: Estimate | None, truth: float) -> bool:
    return found is not None and found.lo is not None and found.hi is not None and found.lo <= truth <= found.hi


def seeds_and_items(cells: int, rng: np.random.Generator) -> None:
    """Two systems trained with several seeds, asked the same items: normal scores, right above 0.

    An item is hard for both (spread 1), and harder for one of them (`liking`); a seed moves a training (`seed`).
    """
    print("\nDifference of two systems over seeds and items")
    print("   n  seeds  seed  liking   t, both       t, seeds      percentile bootstrap")
    for n, seeds, seed, liking in product((200, 1000), (3, 5), (0.0, 0.1, 0.3), (0.0, 0.5)):
        spread = math.sqrt(2 + liking**2 + seed**2)
        truth = NormalDist().cdf(0.6 / spread) - NormalDist().cdf(0.3 / spread)
        drawn = rng.multinomial(n, np.full(n, 1 / n), size=500) / n
        trained = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=500) / seeds
        found: dict[str, list[tuple[float, float]]] = {"both": [], "seeds": [], "percentile": []}
        for _ in range(min(cells, 1000)):
            hard = rng.normal(size=n)
            a, b = (
                hard + liking * rng.normal(size=n) + seed * rng.normal(size=(seeds, 1)) + rng.normal(size=(seeds, n))
                for _ in range(2)
            )
            rows = (a > -0.6).astype(float) - (b > -0.3)
            means = rows.mean(axis=1)
            half = t.ppf(0.975, seeds - 1) * means.std(ddof=1) / math.sqrt(seeds)
            both = mean_over_seeds(rows)  # type: ignore[arg-type]
            found["both"].append((both.lo, both.hi))  # type: ignore[union-attr, arg-type]
            found["seeds"].append((means.mean() - half, means.mean() + half))
            found["percentile"].append(tuple(np.quantile((trained @ rows * drawn).sum(axis=1), (0.025, 0.975))))
        shown = [
            f"{100 * hits:5.1f} ({100 * width:4.1f})" for hits, width in (covers(f, truth) for f in found.values())
        ]
        print(f"{n:4}  {seeds:5}  {seed:4.1f}  {liking:6.1f}  {'  '.join(shown)}")


def times_in_turn(cells: int, rng: np.random.Generator) -> None:
    """Two systems timed in the same rounds, whose logarithms share the machine's noise (spread 0.1), have their own
    (0.1), each with this lag-1 autocorrelation, and in each process their own level, spread by `between`.
    """
    print("\nMean times and ratios: coverage in %, and of 100 reruns how many find a value within the interval")
    print("processes  rounds  between  lag-1   mean  rerun  ratio  rerun  ratio, rounds independent")
    settings = [(3, 11, 0.0), (3, 11, 0.05), (5, 7, 0.05), (1, 32, 0.0), (1, 8, 0.0)]
    for (processes, rounds, between), lag in product(settings, (0.0, 0.25, 0.5)):
        taken, hits = (rounds,) * processes, np.zeros(5)
        before: tuple[Estimate, Estimate] | None = None
        for _ in range(cells):
            machine = correlated(lag, (processes, rounds), rng)
            one, other = (
                np.exp(machine + correlated(lag, machine.shape, rng) + between * rng.normal(size=(processes, 1)))
                for _ in range(2)
            )
            found = mean_time(one.ravel().tolist(), taken), ratio_of_times(other.ravel(), one.ravel(), taken)
            hits[[0, 2]] += within(found[0], math.exp((0.02 + between**2) / 2)), within(found[1], 1.0)
            if before is not None:
                hits[[1, 3]] += [within(b, f.value) for b, f in zip(before, found, strict=True)]
            apart = np.log(other / one).ravel()
            hits[4] += abs(apart.mean()) <= 1.96 * apart.std(ddof=1) / math.sqrt(apart.size)
            before = found
        shown = "  ".join(f"{hit:5.1f}" for hit in 100 * hits / cells)
        print(f"{processes:9}  {rounds:6}  {between:7.2f}  {lag:5.2f}  {shown}")


def correlated(lag: float, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Rows of normal noise of spread 0.1, neighbours correlated by `lag`."""
    noise = 0.1 * rng.normal(size=shape)
    for i in range(1, shape[1]):
        noise[:, i] = lag * noise[:, i - 1] + math.sqrt(1 - lag**2) * noise[:, i]
    return noise


RERUNS = 10


def times_that_drift(cells: int, rng: np.random.Generator) -> None:
    """Ten runs of two systems at two batch sizes, one after another on a machine whose level drifts.

    The drift of the machine (spread 0.05) and of each system alone (0.03) are correlated by exp(-minutes); each
    process has its own level (0.02). Runs of three processes, those of a batch size at once, then agree as often as
    ten real ones did: within each other's intervals 60 to 81% of the pairs for times, 70 and 74% for ratios. A
    process gives one value here: the noise of its rounds is left out.
    """
    print("\nTimes that drift: coverage in %, and of 100 reruns how many find a value within the interval")
    print("minutes  processes of a size  mean  rerun  ratio  rerun  half the interval of a ratio")
    for minutes, processes, in_turn in product((1.2, 5.0), (2, 3, 5), (False, True)):
        taken, half = (1,) * processes, list[float]()
        hits = np.zeros(4)
        for _ in range(cells // RERUNS):
            starts = np.arange(processes) * (2 if in_turn else 1) / (2 * processes)  # those of the other size between
            at = minutes * (np.arange(RERUNS)[:, None] + starts)
            machine = drifting(0.05, at, rng)
            one, other = (
                np.exp(machine + drifting(0.03, at, rng) + 0.02 * rng.normal(size=at.shape)) for _ in range(2)
            )
            times = [mean_time(run.tolist(), taken) for run in one]
            ratios = [ratio_of_times(b, a, taken) for a, b in zip(one, other, strict=True)]
            for place, stated, truth in ((0, times, math.exp((0.05**2 + 0.03**2 + 0.02**2) / 2)), (2, ratios, 1.0)):
                hits[place] += np.mean([within(each, truth) for each in stated])
                hits[place + 1] += np.mean([within(a, b.value) for a, b in permutations(stated, 2)])
            half += [math.log(each.hi / each.value) for each in ratios if each.hi is not None]
        shown = "  ".join(f"{hit:5.1f}" for hit in 100 * hits / (cells // RERUNS))
        order = "in turn" if in_turn else "at once"
        print(f"{minutes:7}  {processes:9}  {order:9}  {shown}  {100 * float(np.median(half)):5.1f}%")


def drifting(spread: float, minutes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Normal values at these ascending times, correlated by exp(-minutes between them)."""
    kept = np.exp(-np.diff(minutes.ravel(), prepend=-math.inf))
    drift, level = np.sqrt(1 - kept**2) * rng.normal(size=kept.size), 0.0
    for i, share in enumerate(kept):
        drift[i] = level = share * level + drift[i]
    drifted: np.ndarray = spread * drift.reshape(minutes.shape)
    return drifted


def covers(intervals: list[tuple[float, float]], truth: float) -> tuple[float, float]:
    """The share of intervals with the truth in them, and their mean width."""
    lo, hi = np.array(intervals, dtype=float).T
    return float(((lo <= truth) & (truth <= hi)).mean()), float(np.nanmean(hi - lo))


TABLES = (
    one_proportion, paired, unpaired, several_samples, clustered, single_pass, seeds_and_items, times_in_turn,
    times_that_drift,
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=2000, help="simulated cells a row")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--table", choices=[table.__name__ for table in TABLES], help="this one alone")
    options = parser.parse_args()
    print(
        f"95% intervals: coverage in % (mean width in points), {options.cells} simulated cells, seed {options.seed}"
    )
    for table in TABLES:
        if options.table not in (None, table.__name__):
            continue
        table(options.cells, np.random.default_rng(options.seed))


if __name__ == "__main__":
    main()
