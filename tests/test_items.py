"""Packed items are the items that were put in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rimbench.records import LETTERS, Item
from rimbench.records.items import Items, ItemTable

TEXTS = st.text(max_size=20)
ITEMS = st.lists(
    st.builds(
        lambda item_id, question, letters, options, cluster: Item(
            item_id, question, dict(zip(letters, options, strict=False)), letters[len(options) - 1], cluster
        ),
        TEXTS,
        TEXTS,
        st.sampled_from([LETTERS, "ZYXWVUTSRQ", [f"option {i}" for i in range(10)]]),
        st.lists(TEXTS, min_size=2, max_size=10),
        st.none() | TEXTS,
    ),
    unique_by=lambda item: item.item_id,
    max_size=6,
)


@given(ITEMS)
def test_packed_items_are_equal_to_those_that_were_put_in_by_place_by_id_and_in_a_slice(items):
    packed = Items(ItemTable(items))
    assert packed == items == list(packed)
    assert [packed[i] for i in range(len(items))] == items
    assert packed.by_id == {item.item_id: item for item in items}
    assert packed[1:3] == items[1:3]
    assert packed[::-1] == items[::-1]


@given(ITEMS.filter(lambda items: len(items) > 1))
def test_packed_items_in_another_order_or_fewer_of_them_are_not_equal(items):
    packed = Items(ItemTable(items))
    assert packed != items[::-1] or items == items[::-1]
    assert packed != items[1:]


def test_an_item_is_put_into_the_place_of_the_one_with_its_id_and_dropped_once():
    table = ItemTable(
        [Item("a", "first?", {"A": "1", "B": "2"}, "A"), Item("b", "other?", {"A": "1", "B": "2"}, "A")]
    )
    table.put(Item("a", "second?", {"A": "1", "B": "2"}, "B"))
    assert [item.question for item in table.values()] == ["second?", "other?"]
    assert table.drop("a")
    assert not table.drop("a")
    with pytest.raises(KeyError):
        table["a"]
