"""A claims file is checked as a whole: faults at once, each with its place."""

import pytest
from claims_files import ON_H100, accuracy, claim, comparison, latency

from rimbench.claims.schema import read_claims
from rimbench.errors import ConfigError

BOTH = accuracy("a", "50.0 %") + accuracy("b", "45.0 %")
TIMES = latency("t", "3 s") + latency("u", "0 s")
PASS_AT_8 = (
    '[[figure]]\nkind = "pass_at_k"\nid = "p"\nsystem = "a"\nsuite = "s"\nk = 8\nvalue = "85 %"\nn = 100\n'
    'source = "x"\n'
)


def ratio(numerator, denominator):
    return claim("ratio", f'numerator = "{numerator}"\ndenominator = "{denominator}"\nvalue = "2 x"')


def noise(systems, margin):
    return claim("noise", f'suite = "s"\nsystems = {systems}\nmargin = "{margin}"')


def test_all_faults_of_a_file_are_listed_at_once_in_one_line(write):
    path = write(
        '[[figure]]\nkind = "accuracy"\nid = "a"\nsystem = "a"\nsuite = "s"\nvalue = "50.9 %"\nextra = 1\n',
        '[[figure]]\nkind = "accuracy"\nid = "b"\nsystem = "b"\nsuite = "s"\nvalue = 0.509\nn = 0\nsource = "x"\n',
        '[[claim]]\nkind = "ratio"\nid = "c"\ntext = "fast"\nvalue = "9 %"\n',
        head='titel = "T"\nsource = "x"\n',
    )
    with pytest.raises(ConfigError) as caught:
        read_claims(path)
    message = str(caught.value)
    assert "\n" not in message
    for part in [
        "claims.toml",
        "titel: unknown key: did you mean title? known here: title, source, note, margin",
        "title: required, but missing",
        "figure.0.accuracy.n: required, but missing",
        "figure.0.accuracy.source: required, but missing",
        "figure.0.accuracy.extra: unknown key: known here: id, source, note, kind, system, suite, setting, value, n",
        "figure.1.accuracy.value: expected a figure in quotes as it was printed",
        "figure.1.accuracy.n",
        "claim.0.ratio.source: required, but missing",
        "claim.0.ratio.value: expected a factor, not a share",
    ]:
        assert part in message


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (accuracy("a", "101 %"), "lies between 0 % and 100 %"),
        (accuracy("a", "0.509"), "as it was printed, with its unit"),
        (accuracy("a", "35 ms"), "expected a share, not a time"),
        (accuracy("a", "50 %", n="many"), "figure.0.accuracy.n: expected a whole number of items"),
        (accuracy("a", "50 %", n="1000"), 'without quotes, or "unstated" (got \'1000\')'),
        (accuracy("a", "50 %", n=0), 'or "unstated" (got 0)'),
        (accuracy("a", "50 %") * 2, "id 'a-s' is used 2 times; 2 accuracies of 'a' on 's': tell them apart"),
        (BOTH + ratio("a-s", "x"), "c: unknown figure 'x'"),
        (BOTH + claim("ratio", 'numerator = "a-s"\nvalue = "2 x"'), "numerator and denominator, or neither"),
        (BOTH + TIMES + ratio("a-s", "t"), "c: a ratio of unlike units, share and time"),
        (TIMES + ratio("t", "u"), "u may be 0 as it was printed"),
        (BOTH + claim("times", 'figures = ["a-s"]'), "figure 'a-s' has kind 'accuracy', expected latency"),
        (BOTH + comparison("better", against='["d"]'), "c: no accuracy of 'd' on 's' among the figures"),
        (BOTH + comparison("better", against='["a"]'), "'a' is compared with itself"),
        (BOTH + comparison("nicer"), "claim.0.comparison.relation"),
        (BOTH + noise('["a"]', "1 points"), "a difference needs two systems"),
        (BOTH + noise('["a", "b"]', "1 %"), "expected a difference, not a share"),
        (claim("stability", 'system = "a"\nsuite = "s"\nsettings = ["1"]'), "claim.0.stability.settings"),
        (
            claim("stability", 'system = "a"\nsuite = "s"\nsettings = ["1", "2"]\nagainst = "3"'),
            "c.against: '3' is none of the settings 1, 2",
        ),
        (
            claim("stability", 'system = "a"\nsuite = "s"\nsettings = ["1", "1"]\nagainst = "1"'),
            "c.settings: '1' is named twice",
        ),
        (
            claim("stability", 'system = "a"\nsuite = "s"\nsettings = ["1", "2"]\nmargin = "0 points"'),
            "a margin is above 0",
        ),
        (claim("order-invariant", 'system = "a"\nsuite = "s"\nflips = "0 %"'), "a margin is above 0"),
        (claim("order-invariant", 'system = "a"\nsuite = "s"\nflips = "5 points"'), "expected a share"),
        (
            claim("memory is used", 'system = "a"\nsuite = "s"\ninterventions = ["filler", "drop-0"]'),
            "c.interventions: unknown intervention 'drop-0': known: filler, transplant",
        ),
        (claim("memory is used", 'system = "a"\nsuite = "s"\ninterventions = []'), "interventions"),
        (claim("order-invariant", 'system = "a"\nsuite = "s"'), "claim.0.order-invariant.flips"),
        (
            BOTH + claim("stability", 'system = "a"\nsuite = "s"\nsettings = ["1", "2"]\nfigures = ["a-s"]'),
            "c: 1 figures for 2 settings",
        ),
        (latency("t", "3 s", extra='device = "H100 SMX"'), "unknown device 'H100 SMX': did you mean H100 SXM"),
        (latency("t", "3 s", extra=ON_H100), "unknown model 'Qwen3-1.7B': known: none; or add it as [[model]]"),
        (latency("t", "3 s", extra='one_pass = "u"'), "t: unknown figure 'u'"),
        (latency("t", "3 s", "readout", "generated_tokens = 5"), "neither for a readout"),
        (claim("guess", ""), "claim.0: kind 'guess': expected 'above chance', 'chance level'"),
        ('[[figure]]\nid = "a"\n', "figure.0: kind is required, but missing"),
    ],
)  # fmt: skip
def test_a_fault_is_said_with_its_place(write, parts, message):
    with pytest.raises(ConfigError) as caught:
        read_claims(write(parts))
    assert message in str(caught.value)


def test_an_option_range_is_least_and_most(write):
    assert read_claims(write(PASS_AT_8, "options = [4, 10]\n")).figure[0].options == [4, 10]
    with pytest.raises(ConfigError, match=r"p\.options: expected \[least, most\]"):
        read_claims(write(PASS_AT_8, "options = [10, 4]\n"))


def test_a_file_without_claims_is_only_its_figures(write):
    assert read_claims(write(BOTH)).claim == []


def test_a_file_that_is_missing_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"claims file .*none\.toml does not exist"):
        read_claims(tmp_path / "none.toml")
