"""Claims against own runs: pairs item by item, ratios of times, pass@k against chance on the same items."""

import dataclasses

import pytest
from claims_files import accuracy, claim, comparison, latency

from rimbench.claims.audit import audit_file
from rimbench.claims.measured import MeasuredAccuracy, MeasuredFlips, MeasuredTime
from rimbench.claims.outcomes import Outcomes
from rimbench.statistics.bootstrap import Resampling
from rimbench.statistics.estimate import bootstrap_mean

FIGURES = (accuracy("a", "50.0 %"), accuracy("b", "45.0 %"), accuracy("c", "45.0 %"))

USED = claim("memory is used", 'system = "a"\nsuite = "s"\ninterventions = ["filler", "drop-1"]')
ORDER = claim("order-invariant", 'system = "a"\nsuite = "s"\nflips = "5 %"')


def run(system, right, n=1000, suite="s", **changes):
    """The items from `right.start` to `right.stop` are answered right."""
    return MeasuredAccuracy(
        f"run-{system}", system, suite, Outcomes({i: float(i in right) for i in range(n)}), **changes
    )


def held(write, claims, runs, *figures):
    return audit_file(write(*(figures or FIGURES), claims), runs).findings[0].held


@pytest.mark.parametrize(
    ("relation", "a", "b", "outcome"),
    [
        ("better", range(550), range(500), "reproduced"),  # 50 of 1000 differ, all one way
        ("better", range(500), range(500), "undecided"),
        ("better", range(500), range(550), "contradicted"),
        ("better", range(505), range(500), "reproduced"),  # 5 to 0, one-sided p 0.03
        ("better", range(501), range(500), "undecided"),
        ("worse", range(550), range(500), "contradicted"),
        ("worse", range(500), range(550), "reproduced"),
        ("tied", range(505), range(500), "reproduced"),  # half a point, and the margin is 3
        ("tied", range(530), range(500), "undecided"),
        ("tied", range(560), range(500), "contradicted"),
        ("tied", range(500), range(250, 750), "undecided"),  # equal, but 500 items differ: 3.7 points either way
        ("at least as good", range(500), range(505), "reproduced"),
        ("at least as good", range(500), range(530), "undecided"),
        ("at least as good", range(500), range(560), "contradicted"),
    ],
)
def test_a_comparison_is_judged_item_by_item(write, relation, a, b, outcome):
    found = held(write, comparison(relation), [run("a", a), run("b", b)])
    assert found.outcome == outcome
    [pair] = found.pairs
    assert pair.difference.value == pytest.approx((len(a) - len(b)) / 1000)


def test_an_undecided_comparison_says_how_many_items_would_decide(write):
    """Tango's interval shrinks with the root of n: at 10 of 1000 items to 0 margin is left, at 4 times as many "
    "none."""
    found = held(write, comparison("tied"), [run("a", range(500)), run("b", range(250, 750))])
    assert f"{found.items_needed:,} items would decide it" in found.reason
    assert found.items_needed == pytest.approx(1000 * (3.7 / 3) ** 2, rel=0.05)
    more = [run("a", range(800), 1600), run("b", range(400, 1200), 1600)]
    assert held(write, comparison("tied"), more).outcome == "reproduced"


def test_noise_is_held_to_the_margin_that_is_claimed(write):
    noise = claim("noise", 'suite = "s"\nsystems = ["a", "b"]\nmargin = "1 points"')
    runs = [run("a", range(502)), run("b", range(500))]
    assert held(write, noise, runs).outcome == "reproduced"
    assert held(write, noise.replace("1 points", "0.3 points"), runs).outcome == "undecided"


def test_stability_needs_equivalence_of_all_budgets(write):
    stable = claim("stability", 'system = "a"\nsuite = "s"\nsettings = ["K = 1", "K = 2", "K = 4"]')
    runs = [run("a", range(500 + 5 * k), setting=f"K = {k}") for k in (1, 2, 4)]
    assert held(write, stable, runs).outcome == "reproduced"
    found = held(write, stable, runs[:2])
    assert (found.outcome, "1 of its 3 pairs were measured" in found.reason) == ("undecided", True)
    assert held(write, stable, [*runs[:2], run("a", range(700), setting="K = 4")]).outcome == "contradicted"
    few = [run("a", range(50), 100, setting=f"K = {k}") for k in (1, 2)] + [run("a", range(53), 100, setting="K = 4")]
    assert held(write, stable, few).outcome == "undecided"
    assert held(write, stable, [run("a", range(500))]) is None


def test_best_or_tied_of_several_is_contradicted_where_each_of_them_is_beaten(write):
    best = comparison("best or tied", '["a", "b"]', '["c"]')
    rival = run("c", range(600))
    assert held(write, best, [run("a", range(500)), run("b", range(500)), rival]).outcome == "contradicted"
    assert held(write, best, [run("a", range(500)), run("b", range(600)), rival]).outcome == "undecided"


def test_one_pair_of_several_contradicts_at_a_level_that_counts_them(write):
    """44 items that differ one way: 4.4 points, 3.4 at the least; with one of 12 pairs looked for, 2.9."""
    suites = [f"s{i}" for i in range(12)]
    figures = [accuracy(name, "50.0 %", suite=suite) for suite in suites for name in "ab"]
    tied = comparison("tied", suites=str(suites).replace("'", '"'))
    even = [run(name, range(500), suite=suite) for suite in suites for name in "ab"]
    odd = [r for r in even if r.suite != "s0"] + [run("a", range(544), suite="s0"), run("b", range(500), suite="s0")]
    alone = held(write, comparison("tied", suites='["s0"]'), odd, *figures)
    assert (alone.outcome, held(write, tied, odd, *figures).outcome) == ("contradicted", "undecided")


def test_a_claim_on_a_run_of_something_else_is_not_judged(write):
    other = run("b", range(500), unlike=("weights of x, not y",))
    found = held(write, comparison("better"), [run("a", range(550)), other])
    assert (found.outcome, found.reason) == (None, "not judged: b on s: weights of x, not y")


def test_fewer_than_30_shared_items_decide_nothing(write):
    found = held(write, comparison("better"), [run("a", range(20), 20), run("b", range(0), 20)])
    assert (found.outcome, "fewer than 30" in found.reason) == ("undecided", True)


def test_clusters_are_resampled_whole(write):
    """50 items that differ are 5 clusters of 10: far less certain than 50 items."""
    clusters = {i: f"c{i // 10}" for i in range(1000)}
    runs = [run("a", range(550)), run("b", range(500))]
    clustered = [dataclasses.replace(r, outcomes=dataclasses.replace(r.outcomes, clusters=clusters)) for r in runs]
    plain, whole = (held(write, comparison("better"), each).pairs[0].difference for each in (runs, clustered))
    assert whole.hi - whole.lo > 2 * (plain.hi - plain.lo)
    assert "clusters" in whole.method


CONDITIONS = 'device = "L4"\ndtype = "bf16"\nbatch = 1\n'
TIMES = (latency("slow", "2.2 s", "answer", CONDITIONS), latency("quick", "20 ms", "answer", CONDITIONS))
RATIO = claim("ratio", 'numerator = "slow"\ndenominator = "quick"\nvalue = "110 x"')


def timed(system, seconds, taken="now", device="L4", **more):
    """40 rounds about `seconds`, all systems slower in the same ones, but for a little of their own."""
    rounds = tuple(seconds * (1 + 0.02 * (i % 5) + 0.001 * (i * len(system) % 7)) for i in range(40))

    def at(level):
        return bootstrap_mean(rounds, Resampling(level=level))

    return MeasuredTime("here", system, "answer", 1, device, "bfloat16", at, rounds, taken, **more)


@pytest.mark.parametrize(
    ("slow", "outcome"), [(2.2, "reproduced"), (2.35, "reproduced"), (2.43, "undecided"), (3.0, "contradicted")]
)
def test_a_ratio_is_held_to_the_printed_one_round_by_round(write, slow, outcome):
    found = held(write, RATIO, [timed("slow", slow), timed("quick", 0.02)], *TIMES)
    assert found.outcome == outcome
    assert found.value == pytest.approx(slow / 0.02, rel=0.01)


def test_a_ratio_over_two_measurements_is_less_certain(write):
    together, apart = (
        held(write, RATIO, [timed("slow", 2.2), timed("quick", 0.02, taken)], *TIMES) for taken in ("now", "then")
    )
    assert "two measurements" in apart.reason
    assert (
        together.interval is None
        or apart.interval[1] - apart.interval[0] > together.interval[1] - together.interval[0]
    )


def test_a_ratio_on_other_hardware_is_not_judged(write):
    found = held(write, RATIO, [timed("slow", 2.2, device="cpu"), timed("quick", 0.02)], *TIMES)
    assert (found.outcome, "slow: not judged: measured on cpu, published on L4" in found.reason) == (None, True)


@pytest.mark.parametrize("unlike", ["engine", "dtype", "launches", "path"])
def test_a_ratio_of_sides_that_ran_unlike_is_not_judged(write, unlike):
    alike = {"engine": "transformers", "dtype": "bfloat16", "launches": "eager", "path": "short decoder"}
    slow, quick = timed("slow", 2.2, conditions=alike), timed("quick", 0.02, conditions=alike | {unlike: "x"})
    found = held(write, RATIO, [slow, quick], *TIMES)
    assert (found.outcome, found.value) == (None, None)
    assert found.reason == f"not judged: {unlike} {alike[unlike]} against x"


def test_a_ratio_says_what_makes_either_side_doubtful(write):
    noisy = timed("slow", 2.2, noises=("noisy: drift +50%", "load 3.2"))
    found = held(write, RATIO, [noisy, timed("quick", 0.02)], *TIMES)
    assert found.outcome == "reproduced" and found.reason.endswith("; slow: noisy: drift +50%, load 3.2")


def test_a_claim_of_times_is_what_its_times_are(write):
    times = claim("times", 'figures = ["slow", "quick"]')
    assert held(write, times, [timed("slow", 2.1), timed("quick", 0.019)], *TIMES).outcome == "reproduced"
    assert held(write, times, [timed("slow", 2.1), timed("quick", 0.04)], *TIMES).outcome == "contradicted"
    assert held(write, times, [timed("slow", 2.1)], *TIMES).outcome == "undecided"
    assert held(write, times, [], *TIMES) is None


@pytest.mark.parametrize(
    ("right", "n", "outcome"), [(700, 1000, "reproduced"), (21, 30, "undecided"), (400, 1000, "contradicted")]
)
def test_above_chance_is_held_against_chance_on_the_runs_own_items(write, right, n, outcome):
    figure = accuracy("a", "70.0 %")
    above = claim("above chance", 'figure = "a-s"\noptions = 2')
    shares = {i: float(i < right) for i in range(n)}
    found = held(write, above, [MeasuredAccuracy("r", "a", "s", Outcomes(shares, chance=0.6))], figure)
    assert found.outcome == outcome
    assert "chance is 60.0 %" in found.reason


def test_stability_against_the_largest_budget_compares_every_other_one_with_that_alone(write):
    """K = 1 has 494 of 1000 right, K = 4 506 and K = 8 500: 1.2 points apart, 0.6 from the largest."""
    rest = 'system = "a"\nsuite = "s"\nsettings = ["K = 1", "K = 4", "K = 8"]\nmargin = "1.3 points"\n'
    runs = [run("a", range(right), setting=f"K = {k}") for k, right in ((1, 494), (4, 506), (8, 500))]
    found = held(write, claim("stability", f'{rest}against = "K = 8"'), runs)
    assert [(pair.a, pair.b) for pair in found.pairs] == [("a (K = 1)", "a (K = 8)"), ("a (K = 4)", "a (K = 8)")]
    assert [pair.difference.value for pair in found.pairs] == pytest.approx([-0.006, 0.006])
    assert (found.outcome, found.margin) == ("reproduced", pytest.approx(0.013))
    assert held(write, claim("stability", rest), runs).outcome == "undecided"
    far = [*runs[:2], run("a", range(530), setting="K = 8")]
    assert held(write, claim("stability", f'{rest}against = "K = 8"'), far).outcome == "contradicted"


@pytest.mark.parametrize(
    ("flipped", "n", "outcome"),
    [
        (30, 1000, "reproduced"),  # 3 % [2.2, 4.0]
        (45, 1000, "undecided"),  # 4.5 % [3.5, 5.7]
        (70, 1000, "contradicted"),  # 7 % [5.8, 8.4]
        (0, 1000, "reproduced"),  # 0 % [0, 0.3]
        (0, 40, "undecided"),  # 0 % [0, 6.3]
        (29, 29, "undecided"),  # fewer than 30 items say nothing
    ],
)
def test_order_invariant_is_judged_by_the_interval_of_the_flip_rate(write, flipped, n, outcome):
    flips = MeasuredFlips("r", "a", "s", Outcomes({i: float(i < flipped) for i in range(n)}))
    found = held(write, ORDER, [flips])
    assert found.outcome == outcome
    lo, hi = found.interval
    assert lo <= flipped / n == found.value <= hi


def test_order_invariance_of_which_nothing_was_measured_is_not_held_and_cannot_be_checked_from_accuracies(write):
    found = audit_file(write(*FIGURES, ORDER), [run("a", range(500))]).findings[0]
    assert (found.held, found.judgement.verdict) == (None, "cannot be checked from this")
    other = MeasuredFlips("r", "a", "s", Outcomes(dict.fromkeys(range(100), 0.0)), unlike=("weights of x, not y",))
    assert held(write, ORDER, [other]).reason == "not judged: weights of x, not y"


def test_an_undecided_flip_rate_says_how_many_items_would_decide(write):
    def of(flipped, n):
        return held(write, ORDER, [MeasuredFlips("r", "a", "s", Outcomes({i: float(i < flipped) for i in range(n)}))])

    needed = of(45, 1000).items_needed
    assert needed == pytest.approx(1000 * (1.2 / 0.5) ** 2, rel=0.05)  # 1.2 points up to Wilson's end, 0.5 to the bar
    assert of(round(0.045 * needed), needed).outcome == "reproduced"
    assert of(180, 4000).outcome == "undecided"


@pytest.mark.parametrize(
    ("filler", "dropped", "outcome"),
    [
        (range(400), range(420), "reproduced"),  # 10 and 8 points lost, and 3 do not matter
        (range(400), range(500), "contradicted"),  # dropping a block costs nothing
        (range(400), range(490), "contradicted"),  # 1 point, at most 1.7
        (range(400), range(470), "undecided"),  # 3 points are the margin
        (range(400), range(600), "contradicted"),  # better without
        (range(200, 550), range(420), "reproduced"),  # 15 points less of the items, 5 back: 200 to 50
    ],
)
def test_memory_is_used_where_every_intervention_costs_more_than_the_margin(write, filler, dropped, outcome):
    runs = [run("a", range(500), setting="ablated: intact"), run("a", filler, setting="ablated: filler")]
    found = held(write, USED, [*runs, run("a", dropped, setting="ablated: drop-1")])
    assert found.outcome == outcome
    assert [pair.b for pair in found.pairs] == ["a (ablated: filler)", "a (ablated: drop-1)"]
    assert found.pairs[1].difference.value == pytest.approx((500 - len(dropped)) / 1000)


def test_use_of_memory_is_not_held_without_the_intact_run_and_undecided_without_one_intervention(write):
    filler = run("a", range(400), setting="ablated: filler")
    assert held(write, USED, [filler, run("a", range(500))]) is None
    found = held(write, USED, [filler, run("a", range(500), setting="ablated: intact")])
    assert (found.outcome, "1 of its 2 pairs were measured" in found.reason) == ("undecided", True)
    assert audit_file(write(USED)).findings[0].judgement.verdict == "cannot be checked from this"


def test_the_margin_of_use_is_the_claims_own_where_it_has_one(write):
    runs = [run("a", range(right), setting=f"ablated: {name}") for name, right in (("intact", 500), ("filler", 470))]
    runs.append(run("a", range(470), setting="ablated: drop-1"))
    assert held(write, f'{USED}\nmargin = "1 points"', runs).outcome == "reproduced"
    assert held(write, f'{USED}\nmargin = "9 points"', runs).outcome == "contradicted"
