"""Ratios, passes, times and chance, worked by hand."""

import pytest
from claims_files import ON_H100, QWEN3, accuracy, claim, latency, numbers

from rimbench.claims.audit import audit_file

RATIO = 'numerator = "slow"\ndenominator = "fast"\nvalue = "{}"'


def ratio(value):
    return claim("ratio", RATIO.format(value))


def alike(rest=""):
    return 'device = "H100 SXM"\ndtype = "bf16"\nbatch = 1\n' + rest


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        ("~220 x", "holds"),  # 7.75 / 0.0355 = 218.3 to 7.85 / 0.0345 = 227.5
        ("223 x", "holds"),
        ("~230 x", "holds"),  # 225 to 235 overlaps
        ("217 x", "contradicted"),  # at most 217.5
        ("~300 x", "contradicted"),
    ],
)
def test_a_ratio_is_checked_with_the_rounding_of_all_three_figures_undone(judge, value, verdict):
    judgement = judge(latency("slow", "~7.8 s", extra=alike()), latency("fast", "35 ms", extra=alike()), ratio(value))
    assert judgement.verdict == verdict
    found = numbers(judgement)
    assert [found[name] for name in ("ratio", "ratio_lowest", "ratio_highest")] == pytest.approx(
        [222.9, 218.3, 227.5], abs=0.05
    )


def test_a_ratio_of_accuracies_is_arithmetic_alone(judge):
    figures = accuracy("slow", "60.0 %") + accuracy("fast", "30.0 %")
    of_shares = claim("ratio", 'numerator = "slow-s"\ndenominator = "fast-s"\nvalue = "2 x"')
    assert judge(figures, of_shares).verdict == "holds"


def test_a_large_ratio_is_written_out(judge):
    figures = accuracy("a", "90.0 %") + accuracy("b", "0.0300 %", n="unstated")
    ratio = claim("ratio", 'numerator = "a-s"\ndenominator = "b-s"\nvalue = "3000 x"')
    assert "is 3,000 (2,993 to 3,007 by rounding)" in judge(figures, ratio).sentence


def test_a_ratio_without_its_figures_cannot_be_checked(judge):
    assert judge(claim("ratio", 'value = "~27 x"')).verdict == "cannot be checked from this"


def test_a_ratio_of_unlike_or_unstated_conditions_does_not_plainly_hold(judge):
    slow = latency("slow", "2 s", extra=alike())
    other = latency("fast", "1 s", extra='device = "L4"\ndtype = "bf16"\nbatch = 1')
    judgement = judge(slow, other, ratio("2 x"))
    assert (judgement.verdict, "differ in device" in judgement.sentence) == ("not supported", True)
    judgement = judge(slow, latency("fast", "1 s", extra='device = "H100 SXM"'), ratio("2 x"))
    assert judgement.verdict == "holds only as worded"
    assert "dtype and batch are not stated" in judgement.sentence


def test_a_speed_up_above_the_pass_counts_is_not_the_methods(judge):
    slow = latency("slow", "10 s", extra=alike("generated_tokens = 100"))
    fast = latency("fast", "50 ms", "readout", extra=alike())
    judgement = judge(slow, fast, ratio("~200 x"))
    assert (judgement.verdict, "at most 100 to one" in judgement.sentence) == ("not supported", True)


def test_a_ratio_of_launch_bound_times_counts_passes(judge):
    # An H100 needs 1.03 ms a pass; 10, 8 and 12 ms are launches. The times give 375, but the passes are 300 to 1.
    slow = latency("slow", "3.0 s", extra=ON_H100 + "generated_tokens = 300")
    fast = latency("fast", "8.0 ms", "readout", extra=ON_H100)
    judgement = judge(QWEN3, slow, fast, ratio("~375 x"))
    assert judgement.verdict == "not supported"
    fast = latency("fast", "12.0 ms", "readout", extra=ON_H100)
    judgement = judge(QWEN3, slow, fast, ratio("~250 x"))
    assert judgement.verdict == "holds only as worded"
    assert "(300 over 1) gives 300" in judgement.sentence
    assert numbers(judgement)["denominator_floor_ms"] == pytest.approx(1.03, abs=0.005)


def test_a_ratio_holds_where_neither_side_waits_for_launches(judge):
    slow = latency("slow", "450 ms", extra=ON_H100 + "generated_tokens = 300")  # 1.5 ms a pass
    fast = latency("fast", "1.5 ms", "readout", extra=ON_H100)
    assert judge(QWEN3, slow, fast, ratio("300 x")).verdict == "holds"


def test_a_ratio_with_one_side_launch_bound_was_not_run_alike(judge):
    graphs = latency("slow", "1.50 s", extra=ON_H100 + "generated_tokens = 1400")  # 1.07 ms a pass
    eager = latency("fast", "5.0 ms", "readout", extra=ON_H100)
    judgement = judge(QWEN3, graphs, eager, ratio("300 x"))
    assert judgement.verdict == "holds only as worded"
    assert "only the second of the two waits for launches" in judgement.sentence


@pytest.mark.parametrize(("value", "verdict"), [(3, "holds"), (1, "not supported"), (4, "not supported")])
def test_a_time_is_that_of_so_many_passes(judge, value, verdict):
    figures = latency("whole", "35 ms") + latency("one", "12 ms", "readout")
    judgement = judge(figures, claim("passes", f'figure = "whole"\none_pass = "one"\nvalue = {value}'))
    assert judgement.verdict == verdict
    assert numbers(judgement)["passes"] == pytest.approx(2.917, abs=0.001)
    # 34.5 / 12.5 = 2.76 to 35.5 / 11.5 = 3.09
    assert numbers(judgement)["passes_highest"] == pytest.approx(3.087, abs=0.001)


@pytest.mark.parametrize(
    ("value", "extra", "verdict"),
    [
        ("0.9 ms", ON_H100, "contradicted"),  # an H100 needs 1.03 ms to read the weights
        ("1.0 ms", ON_H100, "holds"),  # up to 1.05 ms is printed so
        ("2.0 ms", ON_H100, "holds"),
        ("12 ms", ON_H100, "holds only as worded"),
        ("12 ms", "", "cannot be checked from this"),
        ("12 ms", ON_H100.replace("batch = 1", 'batch = "large"'), "cannot be checked from this"),
        ("0.7 ms", ON_H100.replace("batch = 1", 'batch = "large"'), "contradicted"),  # 0.857 / 989.4 = 0.866 ms
    ],
)
def test_times_are_held_against_the_floor_of_their_hardware(judge, value, extra, verdict):
    figure = latency("t", value, "readout", extra)
    assert judge(QWEN3, figure, claim("times", 'figures = ["t"]')).verdict == verdict


def test_an_impossible_time_is_a_contradicted_figure(write):
    figure = latency("t", "0.4 s", extra=ON_H100 + "generated_tokens = 520")
    [check] = audit_file(write(QWEN3, figure)).figures
    assert check.verdict == "contradicted"
    assert "H100 SXM allows, 544 ms" in check.sentence


def test_a_device_of_ones_own_is_read_from_the_file(judge):
    device = '[[device]]\nname = "mine"\nsource = "me"\ngigabytes_per_s = 344.1\ndense_bf16_tflop_per_s = 1000\n'
    figure = latency("t", "10.1 ms", "readout", ON_H100.replace("H100 SXM", "mine"))
    judgement = judge(QWEN3, device, figure, claim("times", 'figures = ["t"]'))
    assert numbers(judgement)["t_times_floor"] == pytest.approx(1.01, abs=0.001)


def passing(value, n, options=""):
    return (
        '[[figure]]\nkind = "pass_at_k"\nid = "p"\nsystem = "a"\nsuite = "s"\nk = 8\nsource = "x"\n'
        f'value = "{value}"\nn = {n}\n{options}\n'
    )


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (passing("92.0 %", 1000, "options = 4"), "holds"),  # Wilson's lower end is 90.2, chance is 89.99
        (passing("91.0 %", 1000, "options = 4"), "not supported"),
        (passing("85.0 %", 1000, "options = 4"), "contradicted"),
        (passing("85.0 %", 1000, "options = 10"), "holds"),  # chance is 57.0 %
        (passing("85.0 %", 1000, "options = [4, 10]"), "cannot be checked from this"),
        (passing("95.0 %", 1000, "options = [4, 10]"), "holds"),
        (passing("50.0 %", 1000, "options = [4, 10]"), "contradicted"),
        (passing("95.0 %", '"unstated"', "options = 4"), "cannot be checked from this"),
        (passing("95.0 %", 1000), "cannot be checked from this"),
    ],
)
def test_pass_at_k_is_held_against_chance(judge, figure, verdict):
    judgement = judge(figure, claim("above chance", 'figure = "p"'))
    assert judgement.verdict == verdict


def test_chance_for_pass_at_8_is_90_0_with_4_options_and_57_0_with_10(judge):
    judgement = judge(passing("85 %", 1000, "options = [4, 10]"), claim("above chance", 'figure = "p"'))
    assert "57.0 % with 10 options, 90.0 % with 4 options" in judgement.sentence


def test_an_accuracy_is_held_against_chance(judge):
    above = claim("above chance", 'figure = "a-s"\noptions = 4')
    assert judge(accuracy("a", "30.0 %"), above).verdict == "holds"
    assert judge(accuracy("a", "26.0 %"), above).verdict == "not supported"


@pytest.mark.parametrize(
    ("rest", "verdict"),
    [
        ('options = 4\nvalue = "25 %"', "holds"),
        ('options = 3\nvalue = "33.3 %"', "holds"),
        ('options = 4\nk = 8\nvalue = "90 %"', "holds"),
        ('options = 5\nvalue = "25 %"', "contradicted"),
    ],
)
def test_a_printed_chance_level_is_that_of_choosing_uniformly(judge, rest, verdict):
    assert judge(claim("chance level", rest)).verdict == verdict


@pytest.mark.parametrize(("value", "verdict"), [("~54 %", "holds"), ("53.6 %", "holds"), ("53 %", "contradicted")])
def test_a_figure_given_twice_agrees_with_itself(judge, value, verdict):
    assert judge(accuracy("a", "53.6 %"), claim("restated", f'figure = "a-s"\nvalue = "{value}"')).verdict == verdict


@pytest.mark.parametrize(
    ("value", "n", "verdict"),
    [
        ("50.9 %", 1000, "cannot be checked from this"),
        ("50.9 %", 30, "contradicted"),  # 15 of 30 are 50.0, 16 are 53.3
        ("53.3 %", 30, "cannot be checked from this"),
        ("0.509 %", 1000, "contradicted"),  # a fraction with a percent sign: 5 of 1000 are 0.500
        ("100 %", 7, "cannot be checked from this"),
        ("50.9 %", "unstated", "cannot be checked from this"),
    ],
)
def test_an_accuracy_that_no_count_gives_is_contradicted(write, value, n, verdict):
    [check] = audit_file(write(accuracy("a", value, n))).figures
    assert check.verdict == verdict
    assert (check.estimate is None) == (verdict == "contradicted" or n == "unstated")
