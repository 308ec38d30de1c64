"""Published against measured: an interval of the difference against a margin, both n counted.

Published 50.0 % of 1000 has a 90% Wilson interval of 2.6 points either way. At n = 10,000 a measured share near one
half adds 0.8 to it, together 2.7.
"""

import dataclasses

import pytest
from claims_files import accuracy, latency

from rimbench.claims.audit import audit_file
from rimbench.claims.measured import MeasuredAccuracy, MeasuredTime
from rimbench.claims.outcomes import Outcomes
from rimbench.statistics.estimate import Estimate


def outcomes(right, n):
    return Outcomes({i: float(i < right) for i in range(n)})


def measured(right, n, system="a", suite="s", **changes):
    return MeasuredAccuracy("run-1", system, suite, outcomes(right, n), **changes)


@pytest.mark.parametrize(
    ("right", "n", "outcome"),
    [
        (5000, 10_000, "reproduced"),  # -2.7 to 2.7
        (5020, 10_000, "reproduced"),  # -2.5 to 2.9
        (5040, 10_000, "undecided"),  # -2.3 to 3.1
        (500, 1000, "undecided"),  # -3.7 to 3.7: the same share, too few items
        (560, 1000, "undecided"),  # 6 points: 2.3 to 9.7, which leaves 0 out and 3 in
        (455, 1000, "undecided"),
        (570, 1000, "contradicted"),  # 7 points: 3.3 to 10.6
        (430, 1000, "contradicted"),
        (34, 50, "contradicted"),  # 18 points: 6.6 to 28
        (29, 50, "undecided"),
        (11, 30, "undecided"),
        (20, 20, "undecided"),  # fewer than 30 items say nothing
    ],
)
def test_an_accuracy_is_reproduced_inside_the_margin_and_contradicted_outside_it(write, right, n, outcome):
    found = audit_file(write(accuracy("a", "50.0 %")), [measured(right, n)]).reproductions["a-s"]
    assert found.outcome == outcome
    assert found.difference.value == pytest.approx(right / n - 0.5)
    lo, hi = found.interval
    assert lo < found.difference.value < hi
    assert found.difference.lo < lo and hi < found.difference.hi  # 95% beside the 90% that decide


def test_eleven_of_thirty_do_not_reproduce_a_share_of_a_thousand(write):
    found = audit_file(write(accuracy("a", "53.6 %")), [measured(11, 30)]).reproductions["a-s"]
    assert (found.outcome, found.difference.lo < 0 < found.difference.hi) == ("undecided", True)


@pytest.mark.parametrize(("margin", "outcome"), [("5 points", "reproduced"), ("3 points", "undecided")])
def test_the_margin_is_that_of_the_file(write, margin, outcome):
    head = f'title = "T"\nsource = "s"\nmargin = "{margin}"\n'
    assert (
        audit_file(write(accuracy("a", "50.0 %"), head=head), [measured(500, 1000)]).reproductions["a-s"].outcome
        == outcome
    )


@pytest.mark.parametrize("percent", [50, 51, 52, 56, 60])
def test_as_many_items_as_are_said_to_be_needed_decide_and_a_tenth_fewer_do_not(write, percent):
    """The published n is so large here that it leaves nothing open."""
    path = write(accuracy("a", "50.0 %", 10**8))
    needed = audit_file(path, [measured(percent, 100)]).reproductions["a-s"].items_needed

    def outcome(n):
        return audit_file(path, [measured(round(percent / 100 * n), n)]).reproductions["a-s"].outcome

    assert outcome(needed * 11 // 10) == ("contradicted" if percent > 53 else "reproduced")
    assert outcome(needed * 9 // 10) == "undecided"


def test_where_no_number_of_measured_items_decides_the_n_of_both_is_said(write):
    """At 2 points, 1 below the margin, the published n of 1000 alone leaves 2.6 points open."""
    found = audit_file(write(accuracy("a", "50.0 %")), [measured(520, 1000)]).reproductions["a-s"]
    assert (found.outcome, found.items_needed) == ("undecided", None)
    spread = 2 * 1.6449**2 * 0.25  # of one item on each side
    assert found.items_needed_on_both == pytest.approx(spread / 0.01**2, rel=0.02)
    assert f"{found.items_needed_on_both:,} items on both sides" in found.reason


def test_what_rounding_leaves_open_counts_against_a_verdict(write):
    """54 % of 100,000 is 53.5 to 54.5 %, and half a point of 3 is a sixth of the margin."""
    exact = audit_file(write(accuracy("a", "54.000 %", 100_000)), [measured(56_400, 100_000)])
    rounded = audit_file(write(accuracy("a", "54 %", 100_000)), [measured(56_400, 100_000)])
    assert exact.reproductions["a-s"].outcome == "reproduced"
    assert rounded.reproductions["a-s"].outcome == "undecided"


def test_a_run_of_something_else_is_set_beside_the_figure_and_not_judged(write):
    run = measured(5000, 10_000, unlike=("weights of x, not y", "answer.mode is 'readout', not 'generate'"))
    found = audit_file(write(accuracy("a", "50.0 %")), [run]).reproductions["a-s"]
    assert (found.outcome, found.interval) == (None, None)
    assert found.reason == "not judged: weights of x, not y; answer.mode is 'readout', not 'generate'"
    assert found.estimate.value == 0.5


def test_a_figure_that_no_run_measured_has_none(write):
    audit = audit_file(write(accuracy("a", "50.0 %"), accuracy("b", "50.0 %")), [measured(5, 10, "b", "other")])
    assert audit.reproductions == {}


def test_an_unstated_n_leaves_the_measured_value_without_a_verdict(write):
    found = audit_file(write(accuracy("a", "50.0 %", "unstated")), [measured(500, 1000)]).reproductions["a-s"]
    assert (found.outcome, found.difference, found.estimate.value) == (None, None, 0.5)
    assert "n is not stated" in found.reason


def test_an_accuracy_of_another_setting_is_not_the_systems(write):
    path = write(accuracy("a", "50.0 %", extra='setting = "K = 1"'))
    assert audit_file(path, [measured(500, 1000)]).reproductions == {}
    found = audit_file(path, [measured(5000, 10_000, setting="K = 1")])
    assert found.reproductions["a-s"].outcome == "reproduced"


@pytest.mark.parametrize(
    ("k", "value", "n", "outcome"),
    [
        (8, "85.0 %", 5000, "reproduced"),  # 90%: 0.83 on each side
        (8, "85.0 %", 300, "undecided"),  # 3.3 and 0.83
        (8, "~85 %", 5000, "reproduced"),  # half a point more
        (8, "80.0 %", 5000, "contradicted"),
        (8, "85 %", '"unstated"', None),
    ],
)
def test_pass_at_k_is_set_beside_the_runs_pass_at_the_same_k(write, k, value, n, outcome):
    figure = (
        f'[[figure]]\nkind = "pass_at_k"\nid = "p"\nsystem = "a"\nsuite = "s"\nk = {k}\nvalue = "{value}"\n'
        f'n = {n}\nsource = "table"\n'
    )
    runs = [measured(300, 1000), measured(4250, 5000, k=8)]
    found = audit_file(write(figure), runs).reproductions["p"]
    assert (found.outcome, found.estimate.value) == (outcome, 0.85)
    assert audit_file(write(figure), [measured(4250, 5000, k=4)]).reproductions == {}


def time_of(seconds, n=40, device="NVIDIA H100 SXM5", dtype="bfloat16", **changes):
    mean = Estimate(sum(seconds) / 2, *seconds, n, "BCa bootstrap")
    values = {"run": "here", "system": "a", "quantity": "readout", "batch": 1, "device": device, "dtype": dtype}
    return MeasuredTime(**(values | {"at": lambda _: mean} | changes))


TIME = latency("a", "12 ms", "readout", 'device = "H100 SXM"\ndtype = "bf16"\nbatch = 1\n')


@pytest.mark.parametrize(
    ("device", "dtype", "n", "seconds", "outcome"),
    [
        # 12 ms is 11.5 to 12.5: inside 10% of all of it is 11.25 to 12.65, outside it below 10.35 or above 13.75.
        ("NVIDIA H100 SXM5", "bfloat16", 40, (0.0119, 0.0121), "reproduced"),
        ("NVIDIA H100 SXM5", "bfloat16", 40, (0.0113, 0.0126), "reproduced"),
        ("NVIDIA H100 SXM5", "bfloat16", 40, (0.0112, 0.0121), "undecided"),
        ("NVIDIA H100 SXM5", "bfloat16", 40, (0.0100, 0.0140), "undecided"),
        ("NVIDIA H100 SXM5", "bfloat16", 40, (0.0126, 0.0136), "undecided"),
        ("NVIDIA H100 SXM5", "bfloat16", 40, (0.0138, 0.0140), "contradicted"),
        ("NVIDIA H100 SXM5", "bfloat16", 40, (0.0080, 0.0103), "contradicted"),
        ("NVIDIA H100 SXM5", "float32", 40, (0.0119, 0.0121), None),
        ("NVIDIA L4", "bfloat16", 40, (0.0119, 0.0121), None),
        ("NVIDIA H100 SXM5", "bfloat16", 20, (0.0119, 0.0121), "undecided"),
    ],
)
def test_a_time_is_judged_on_its_own_hardware_alone(write, device, dtype, n, seconds, outcome):
    found = audit_file(write(TIME), [time_of(seconds, n, device, dtype)]).reproductions["a"]
    assert found.outcome == outcome
    assert found.difference.lo == pytest.approx(seconds[0] - 0.012)
    if outcome is None:
        assert ("float32" if dtype == "float32" else "NVIDIA L4") in found.reason


@pytest.mark.parametrize("changed", [{"system": "b"}, {"quantity": "answer"}, {"batch": 8}])
def test_a_time_of_something_else_is_not_set_beside_it(write, changed):
    assert audit_file(write(TIME), [dataclasses.replace(time_of((0.011, 0.013)), **changed)]).reproductions == {}


def test_a_time_of_prompts_of_another_length_is_not_judged(write):
    path = write(TIME.replace("batch = 1", "batch = 1\nprompt_tokens = 300"))
    near, far = (time_of((0.0119, 0.0121), prompt_tokens=tokens) for tokens in (280, 60))
    assert audit_file(path, [near]).reproductions["a"].outcome == "reproduced"
    found = audit_file(path, [far]).reproductions["a"]
    assert (found.outcome, found.reason) == (None, "not judged: prompts of 60 tokens, published with 300")


def test_a_measurement_that_can_be_judged_is_taken_before_a_later_one_that_cannot(write):
    good, other = time_of((0.0119, 0.0121)), time_of((0.5, 0.6), device="cpu")
    assert audit_file(write(TIME), [good, other]).reproductions["a"].outcome == "reproduced"


def test_a_time_that_was_printed_too_roughly_is_never_reproduced(write):
    """~1 s is 0.5 to 1.5 s: a third of it either way, more than a tenth."""
    path = write(latency("a", "~1 s", "readout", 'device = "L4"\ndtype = "bf16"\nbatch = 1\n'))
    found = audit_file(path, [time_of((0.99, 1.01), device="L4")]).reproductions["a"]
    assert (found.outcome, found.items_needed) == ("undecided", None)
    assert "as it was printed" in found.reason
