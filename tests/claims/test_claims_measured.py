"""Published against measured: two independent samples, both n counted."""

import dataclasses

import pytest
from claims_files import accuracy, latency

from rimbench.claims.audit import audit_file
from rimbench.claims.measured import MeasuredAccuracy, MeasuredTime
from rimbench.statistics.estimate import Estimate, bootstrap_share, wilson


def measured(right, n, system="a", suite="s"):
    return MeasuredAccuracy("run-1", system, suite, wilson(right, n))


@pytest.mark.parametrize(
    ("right", "n", "outcome"),
    [
        (500, 1000, "reproduced"),
        (543, 1000, "reproduced"),  # 4.3 points, half width 1.96 * 2.23 = 4.37
        (545, 1000, "not reproduced"),
        (455, 1000, "not reproduced"),
        (34, 50, "not reproduced"),  # 18 points, half width about 13
        (29, 50, "reproduced"),
        (20, 20, None),  # too few for a verdict
    ],
)
def test_an_accuracy_is_reproduced_where_the_difference_may_be_nothing(write, right, n, outcome):
    audit = audit_file(write(accuracy("a", "50.0 %")), [measured(right, n)])
    found = audit.reproductions["a-s"]
    assert found.outcome == outcome
    assert found.difference.value == pytest.approx(right / n - 0.5)
    assert found.difference.lo < found.difference.value < found.difference.hi


def test_a_figure_that_no_run_measured_has_none(write):
    audit = audit_file(write(accuracy("a", "50.0 %"), accuracy("b", "50.0 %")), [measured(5, 10, "b", "other")])
    assert audit.reproductions == {}


def test_an_unstated_n_leaves_the_measured_value_without_a_verdict(write):
    audit = audit_file(write(accuracy("a", "50.0 %", "unstated")), [measured(500, 1000)])
    assert (audit.reproductions["a-s"].outcome, audit.reproductions["a-s"].difference) == (None, None)


def test_an_accuracy_of_another_setting_is_not_the_systems(write):
    audit = audit_file(write(accuracy("a", "50.0 %", extra='setting = "K = 1"')), [measured(500, 1000)])
    assert audit.reproductions == {}


@pytest.mark.parametrize(
    ("k", "value", "n", "outcome"),
    [(8, "85.0 %", 1000, "reproduced"), (8, "80.0 %", 1000, "not reproduced"), (8, "85 %", '"unstated"', None)],
)
def test_pass_at_k_is_set_beside_the_runs_pass_at_the_same_k(write, k, value, n, outcome):
    figure = (
        f'[[figure]]\nkind = "pass_at_k"\nid = "p"\nsystem = "a"\nsuite = "s"\nk = {k}\nvalue = "{value}"\n'
        f'n = {n}\nsource = "table"\n'
    )
    found = bootstrap_share([1.0] * 850 + [0.0] * 150)
    runs = [measured(300, 1000), MeasuredAccuracy("run-1", "a", "s", found, k=8)]
    audit = audit_file(write(figure), runs)
    assert audit.reproductions["p"].outcome == outcome
    assert audit.reproductions["p"].measured.estimate.value == 0.85
    other = audit_file(write(figure), [MeasuredAccuracy("run-1", "a", "s", found, k=4)])
    assert other.reproductions == {}


@pytest.mark.parametrize(
    ("device", "dtype", "n", "seconds", "outcome"),
    [
        ("NVIDIA H100 SXM5", "bfloat16", 40, (0.0119, 0.0121), "reproduced"),
        ("NVIDIA H100 SXM5", "bfloat16", 40, (0.0125, 0.0127), "reproduced"),  # 12 ms is 11.5 to 12.5
        ("NVIDIA H100 SXM5", "bfloat16", 40, (0.0126, 0.0128), "not reproduced"),
        ("NVIDIA H100 SXM5", "bfloat16", 40, (0.0080, 0.0090), "not reproduced"),
        ("NVIDIA H100 SXM5", "float32", 40, (0.0119, 0.0121), None),
        ("NVIDIA L4", "bfloat16", 40, (0.0119, 0.0121), None),
        ("NVIDIA H100 SXM5", "bfloat16", 20, (0.0119, 0.0121), None),
    ],
)
def test_a_time_is_reproduced_on_its_own_hardware_alone(write, device, dtype, n, seconds, outcome):
    figure = latency("a", "12 ms", "readout", 'device = "H100 SXM"\ndtype = "bf16"\nbatch = 1\n')
    mean = Estimate(sum(seconds) / 2, *seconds, n, "BCa bootstrap")
    found = audit_file(write(figure), [MeasuredTime("here", "a", "readout", 1, device, dtype, mean)]).reproductions[
        "a"
    ]
    assert found.outcome == outcome
    assert found.difference.lo == pytest.approx(seconds[0] - 0.012)


@pytest.mark.parametrize("changed", [{"system": "b"}, {"quantity": "answer"}, {"batch": 8}])
def test_a_time_of_something_else_is_not_set_beside_it(write, changed):
    figure = latency("a", "12 ms", "readout", 'device = "H100 SXM"\ndtype = "bf16"\nbatch = 1\n')
    time = MeasuredTime("here", "a", "readout", 1, "H100 SXM", "bfloat16", Estimate(0.012, 0.011, 0.013, 40, "m"))
    assert audit_file(write(figure), [dataclasses.replace(time, **changed)]).reproductions == {}
