import pytest

from rimbench.records import Item
from rimbench.suites.controls import Controls, show

ITEM = Item("7", "Which?", {"A": "w", "B": "x", "C": "y", "D": "z"}, "C")


def test_without_controls_an_item_is_shown_as_it_is():
    assert show(ITEM, Controls()).item == ITEM


def test_a_permuted_item_keeps_its_texts_and_its_gold_text():
    shown = show(ITEM, Controls(permute_options=3)).item
    assert sorted(shown.options.values()) == ["w", "x", "y", "z"]
    assert shown.options[shown.gold] == "y"
    assert list(shown.options) == ["A", "B", "C", "D"]


def test_the_way_back_leads_to_the_option_that_was_shown():
    shown = show(ITEM, Controls(permute_options=3))
    assert all(ITEM.options[own] == shown.item.options[letter] for letter, own in shown.own_letters.items())


def test_an_order_depends_on_the_seed_and_the_item():
    orders = {tuple(show(ITEM, Controls(permute_options=seed)).own_letters.values()) for seed in range(40)}
    assert len(orders) > 10
    assert show(ITEM, Controls(permute_options=3)) == show(ITEM, Controls(permute_options=3))


@pytest.mark.parametrize("seed", [None, 3])
def test_a_blind_item_has_its_options_and_no_question(seed):
    shown = show(ITEM, Controls(permute_options=seed, blind=True)).item
    assert shown.question == ""
    assert len(shown.options) == 4
