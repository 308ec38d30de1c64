import pytest

from rimbench.records import Item
from rimbench.suites.controls import Controls, show_item

ITEM = Item("7", "Which?", {"A": "w", "B": "x", "C": "y", "D": "z"}, "C")


def test_without_controls_an_item_is_shown_as_it_is():
    assert show_item(ITEM, Controls()).item == ITEM


def test_a_permuted_item_keeps_its_texts_and_its_gold_text():
    shown = show_item(ITEM, Controls(permute_options=3)).item
    assert sorted(shown.options.values()) == ["w", "x", "y", "z"]
    assert shown.options[shown.gold] == "y"
    assert list(shown.options) == ["A", "B", "C", "D"]


def test_the_way_back_leads_to_the_option_that_was_shown():
    shown = show_item(ITEM, Controls(permute_options=3))
    assert all(ITEM.options[own] == shown.item.options[letter] for letter, own in shown.own_letters.items())


def test_an_order_depends_on_the_seed_and_the_item():
    orders = {tuple(show_item(ITEM, Controls(permute_options=seed)).own_letters.values()) for seed in range(40)}
    assert len(orders) > 10
    assert show_item(ITEM, Controls(permute_options=3)) == show_item(ITEM, Controls(permute_options=3))


@pytest.mark.parametrize("seed", [None, 3])
def test_a_blind_item_has_its_options_and_no_question(seed):
    shown = show_item(ITEM, Controls(permute_options=seed, blind=True)).item
    assert shown.question == ""
    assert len(shown.options) == 4


def test_a_rotated_item_shows_under_each_letter_the_option_so_many_places_further():
    shown = show_item(ITEM, Controls(rotate_options=1))
    assert dict(shown.item.options) == {"A": "x", "B": "y", "C": "z", "D": "w"}
    assert dict(shown.own_letters) == {"A": "B", "B": "C", "C": "D", "D": "A"}
    assert shown.item.gold == "B"


def test_over_all_rotations_every_option_stands_once_under_every_letter():
    places = [show_item(ITEM, Controls(rotate_options=n)).item.options for n in range(4)]
    assert all(sorted(options[letter] for options in places) == ["w", "x", "y", "z"] for letter in "ABCD")
    assert show_item(ITEM, Controls(rotate_options=0)).item == ITEM
