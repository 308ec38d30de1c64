"""Generated questions: right by the arithmetic of their own words, and no shortcut through the options."""

import re
from collections import Counter

import pytest
from scipy.stats import binomtest

from rimbench.errors import DataError
from rimbench.suites.titration import TitrationSettings, generate, rows

SETTINGS = {
    "in-dist": TitrationSettings((2, 4), (4, 10)),
    "long": TitrationSettings((5, 6), (4, 4)),
    "reworded": TitrationSettings((2, 4), (4, 4), "unseen"),
}
EVENT = re.compile(
    r"raised by (?P<up>\d+)|lowered by (?P<down>\d+)|(?P<twice>doubled|twice)|(?P<half>halved|half)"
    r"|(?P<more>\d+) mg more|(?P<off>\d+) mg less"
)


def solve(question):
    """The value after each event, read from the words alone."""
    value = int(re.search(r"(\d+) mg", question)[1])
    values = []
    for event in EVENT.finditer(question.split(".", 1)[1]):
        value += int(event["up"] or event["more"] or 0) - int(event["down"] or event["off"] or 0)
        value = value * 2 if event["twice"] else value // 2 if event["half"] else value
        values.append(value)
    return values


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_gold_option_is_what_the_words_add_up_to(settings):
    for i in range(300):
        made = generate(settings, 7, i)
        assert solve(made.question) == list(made.values)
        assert made.options[made.gold] == made.values[-1]


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_options_are_apart_and_as_many_as_asked_for(settings):
    for i in range(300):
        made = generate(settings, 7, i)
        assert settings.options[0] <= len(set(made.options)) == len(made.options) <= settings.options[1]
        assert settings.steps[0] <= len(made.values) <= settings.steps[1]


def test_an_item_depends_on_its_seed_and_number_alone():
    assert generate(TitrationSettings(), 1, 5) == generate(TitrationSettings(), 1, 5)
    assert generate(TitrationSettings(), 1, 5) != generate(TitrationSettings(), 1, 6)
    assert generate(TitrationSettings(), 1, 5) != generate(TitrationSettings(), 2, 5)


def test_no_question_comes_twice():
    made = [row["question"] for row in rows(TitrationSettings((1, 2), (2, 2)), 3, 2000)]
    assert len(set(made)) == 2000


def test_a_reader_of_the_options_alone_is_at_chance_whichever_rank_it_picks():
    """The rank of the gold value among the options is uniform: 4 ranks, none more often than chance allows."""
    ranks = Counter()
    n = 4000
    for i in range(n):
        made = generate(SETTINGS["long"], 11, i)
        ranks[sorted(made.options).index(made.values[-1])] += 1
    assert all(binomtest(ranks[rank], n, 0.25).pvalue > 0.001 for rank in range(4)), ranks


def test_the_option_nearest_to_all_others_is_no_better_than_a_guess():
    """Distractors scattered around the right value would give it away."""
    n = 4000
    right = 0
    for i in range(n):
        made = generate(SETTINGS["long"], 12, i)
        nearest = min(made.options, key=lambda x: sum(abs(x - y) for y in made.options))
        right += nearest == made.values[-1]
    assert binomtest(right, n, 0.25).pvalue > 0.001, right


@pytest.mark.parametrize(("n", "found"), [(1000, 420), (421, 420)])
def test_settings_that_do_not_give_so_many_questions_are_told(n, found):
    with pytest.raises(
        DataError, match=rf"steps = \[1, 1\].* give about {found} different questions, {n} were asked"
    ):
        list(rows(TitrationSettings((1, 1), (2, 2)), 1, n))


def test_settings_that_give_no_question_at_all_are_told():
    with pytest.raises(DataError, match=r"options = \[4, 4\] give no question in 10000 draws"):
        next(rows(TitrationSettings((1, 1), (4, 4)), 1, 1))
