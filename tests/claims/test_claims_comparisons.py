"""Each relation, worked by hand: at n = 1000 and half right, a difference has a standard error of 2.24 points."""

import pytest
from claims_files import accuracy, claim, comparison, numbers

from rimbench.claims.audit import audit_file


def pair(a, b, n=1000):
    return accuracy("a", a, n) + accuracy("b", b, n)


@pytest.mark.parametrize(
    ("a", "b", "relation", "verdict"),
    [
        ("55.0 %", "50.0 %", "better", "holds"),  # z = 5.0 / 2.24 = 2.24
        ("52.0 %", "50.0 %", "better", "not supported"),  # z = 0.89
        ("50.0 %", "50.0 %", "better", "contradicted"),
        ("49.0 %", "50.0 %", "better", "contradicted"),
        ("50.0 %", "55.0 %", "worse", "holds"),
        ("50.0 %", "52.0 %", "worse", "not supported"),
        ("55.0 %", "50.0 %", "higher", "holds"),
        ("52.0 %", "50.0 %", "higher", "holds only as worded"),
        ("50.0 %", "52.0 %", "lower", "holds only as worded"),
        ("52.0 %", "50.0 %", "lower", "contradicted"),
        ("50.0 %", "50.0 %", "tied", "not supported"),  # up to 1.645 * 2.24 = 3.7 points are left open
        ("55.0 %", "50.0 %", "tied", "contradicted"),
        ("51.0 %", "50.0 %", "at least as good", "holds"),  # at worst 1.0 - 3.7 = -2.7
        ("50.5 %", "50.0 %", "at least as good", "not supported"),  # at worst -3.2
        ("49.0 %", "50.0 %", "best or tied", "not supported"),
        ("45.0 %", "50.0 %", "best or tied", "contradicted"),
    ],
)
def test_one_pair_is_judged_by_what_a_thousand_items_can_show(judge, a, b, relation, verdict):
    assert judge(pair(a, b), comparison(relation)).verdict == verdict


def test_a_tie_holds_where_the_items_rule_out_the_margin(judge):
    # 20,000 items: standard error 0.5 points, so that 0.82 points are left open either way.
    judgement = judge(pair("50.00 %", "50.00 %", 20_000), comparison("tied"))
    assert judgement.verdict == "holds"
    assert numbers(judgement)["room_points"] == pytest.approx(0.822, abs=0.005)


def test_the_margin_and_the_level_are_the_files(judge):
    figures, claims = pair("50.5 %", "50.0 %"), comparison("at least as good")
    head = 'title = "T"\nsource = "x"\n'
    assert judge(figures, claims, head=head + 'margin = "4 points"\n').verdict == "holds"
    assert judge(figures, claims, head=head + "alpha = 0.1\n").verdict == "holds"  # 0.5 - 1.28 * 2.24 = -2.4


def test_holm_runs_over_the_family_that_claims_declare(write):
    figures = pair("55.0 %", "50.0 %") + accuracy("d", "50.5 %")
    first = comparison("better", extra='family = "f"')
    second = comparison("better", against='["d"]', extra='family = "f"').replace('id = "c"', 'id = "d"')
    alone = audit_file(write(figures, comparison("better"))).findings[0]
    [one, two] = audit_file(write(figures, first, second)).findings
    assert (alone.judgement.verdict, alone.pairs[0].family_size) == ("holds", 1)
    assert alone.pairs[0].p_value == pytest.approx(0.0250, abs=0.0005)  # z = 0.05 / sqrt(2 * 0.525 * 0.475 / 1000)
    # 55.0 against 50.5: z = 2.02, p = 0.044. Holm: 2 * 0.0250 = 0.0501, and 0.044 is lifted to that.
    assert [f.pairs[0].p_adjusted for f in (one, two)] == pytest.approx([0.0501, 0.0501], abs=0.001)
    assert {one.judgement.verdict, two.judgement.verdict} == {"not supported"}


def test_the_same_pair_in_two_claims_of_a_family_is_tested_once(write):
    first = comparison("better", extra='family = "f"')
    again = comparison("worse", '["b"]', '["a"]', extra='family = "f"').replace('id = "c"', 'id = "d"')
    findings = audit_file(write(pair("55.0 %", "50.0 %"), first, again)).findings
    assert [finding.pairs[0].family_size for finding in findings] == [1, 1]
    assert [finding.judgement.verdict for finding in findings] == ["holds", "holds"]
    assert findings[0].pairs[0].swapped == findings[1].pairs[0]


def test_best_or_tied_of_two_systems_says_of_which_it_holds(judge):
    figures = pair("53.0 %", "50.0 %") + accuracy("v", "49.0 %")
    judgement = judge(figures, comparison("best or tied", '["a", "v"]'))
    assert judgement.verdict == "holds only as worded"
    assert "It holds of a" in judgement.sentence and "not hold of v" in judgement.sentence


def test_best_or_tied_is_contradicted_only_where_all_of_the_systems_are_beaten(judge):
    one_beaten = pair("45.0 %", "50.0 %") + accuracy("v", "50.0 %")
    both_beaten = pair("45.0 %", "51.0 %") + accuracy("v", "45.5 %")
    claims = comparison("best or tied", '["a", "v"]')
    assert judge(one_beaten, claims).verdict == "not supported"
    assert judge(both_beaten, claims).verdict == "contradicted"


def test_without_n_nothing_can_be_compared(judge):
    judgement = judge(accuracy("a", "55.0 %", "unstated"), accuracy("b", "50.0 %"), comparison("better"))
    assert judgement.verdict == "cannot be checked from this"


def test_what_the_figures_do_not_cover_caps_the_verdict(judge):
    extra = 'partial = "the other suites"'
    judgement = judge(pair("55.0 %", "50.0 %"), comparison("better", extra=extra))
    assert judgement.verdict == "holds only as worded"
    assert judgement.sentence.endswith("Not covered by these figures: the other suites.")
    assert judge(pair("49.0 %", "50.0 %"), comparison("better", extra=extra)).verdict == "contradicted"


def noise(margin, against=""):
    return claim("noise", f'suite = "s"\nsystems = ["a", "b"]\nmargin = "{margin}"\n{against}')


@pytest.mark.parametrize(
    ("a", "b", "margin", "verdict"),
    [
        ("51.0 %", "50.0 %", "~1.5 points", "holds only as worded"),  # smaller than 1.5, but the noise is 4.4
        ("51.5 %", "50.0 %", "~1.5 points", "holds only as worded"),
        ("53.0 %", "50.0 %", "~1.5 points", "contradicted"),
        ("51.0 %", "50.0 %", "4.4 points", "holds"),  # 1.96 * 2.24 = 4.38
        ("56.0 %", "50.0 %", "9 points", "contradicted"),  # a difference is shown
    ],
)
def test_a_stated_noise_is_held_against_the_noise_there_is(judge, a, b, margin, verdict):
    judgement = judge(pair(a, b), noise(margin))
    assert judgement.verdict == verdict
    assert numbers(judgement)["standard_error_points"] == pytest.approx(1.58, abs=0.005)
    assert numbers(judgement)["interval_of_an_accuracy_points"] == pytest.approx(3.09, abs=0.01)
    assert numbers(judgement)["interval_of_a_difference_points"] == pytest.approx(4.37, abs=0.02)


def test_stability_without_figures_cannot_be_checked(judge):
    rest = 'system = "a"\nsuite = "s"\nsettings = ["K = 1", "K = 8"]'
    assert judge(accuracy("a", "50.0 %"), claim("stability", rest)).verdict == "cannot be checked from this"


@pytest.mark.parametrize(
    ("first", "second", "n", "verdict"),
    [
        ("50.0 %", "50.3 %", 1000, "not supported"),
        ("50.00 %", "50.30 %", 20_000, "holds"),
        ("45.0 %", "50.3 %", 1000, "contradicted"),
    ],
)
def test_stability_with_figures_is_a_tie_over_settings(judge, first, second, n, verdict):
    rest = 'system = "a"\nsuite = "s"\nsettings = ["K = 1", "K = 8"]\nfigures = ["a-s", "a8-s"]'
    one = accuracy("a", first, n, extra='setting = "K = 1"')
    eight = accuracy("a", second, n, extra='setting = "K = 8"').replace('id = "a-s"', 'id = "a8-s"')
    assert judge(one, eight, claim("stability", rest)).verdict == verdict


def test_stability_against_one_setting_judges_the_published_pairs_with_that_one_alone(judge):
    """Printed 45.0, 47.5 and 50.0 %: the ends differ by a test, p 0.025; neighbours do not, p 0.26."""
    rest = 'system = "a"\nsuite = "s"\nsettings = ["1", "2", "3"]\nfigures = ["a1-s", "a2-s", "a3-s"]\nagainst = "2"'
    printed = [
        accuracy("a", value, extra=f'setting = "{k}"').replace('id = "a-s"', f'id = "a{k}-s"')
        for k, value in (("1", "45.0 %"), ("2", "47.5 %"), ("3", "50.0 %"))
    ]
    found = judge(*printed, claim("stability", rest))
    assert (found.verdict, numbers(found)["pairs"]) == ("not supported", 2)
    wide = judge(*printed, claim("stability", f'{rest}\nmargin = "7 points"'))
    assert (wide.verdict, wide.sentence) == (
        "holds",
        "A difference of 7.0 points or more is ruled out everywhere.",
    )
