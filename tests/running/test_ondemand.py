"""Values made on demand are those of a tuple; few are made once, many are made again rather than held."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rimbench.running import ondemand
from rimbench.running.ondemand import OnDemand, take


@pytest.fixture
def squares():
    """A sequence of squares, and the places that were made of it."""

    def make(count):
        made = []

        def squared(places):
            made.extend(places)
            return [place * place for place in places]

        return OnDemand(count, squared), made

    return make


@given(st.integers(0, 40), st.lists(st.integers(-40, 39)), st.slices(40), st.sampled_from([0, 8192]))
def test_values_on_demand_are_those_of_a_tuple(count, places, cut, held):
    values, whole = OnDemand(count, lambda asked: [i * i for i in asked]), tuple(i * i for i in range(count))
    before, ondemand.HELD = ondemand.HELD, held
    try:
        assert tuple(values) == whole and len(values) == count
        assert values[cut] == whole[cut]
        assert [values[i] for i in places if -count <= i < count] == [whole[i] for i in places if -count <= i < count]
    finally:
        ondemand.HELD = before


def test_a_place_beyond_the_end_is_none(squares):
    with pytest.raises(IndexError):
        squares(3)[0][3]


def test_few_values_are_made_once_and_many_only_where_they_are_asked_for(squares):
    few, made = squares(5)
    assert (list(few), few[2], list(take(few, [4, 0]))) == ([0, 1, 4, 9, 16], 4, [16, 0])
    assert made == [0, 1, 2, 3, 4]
    many, made = squares(ondemand.HELD + 1)
    assert (many[7], list(take(many, [3, 2]))) == (49, [9, 4])
    assert made == [7, 3, 2]


def test_taking_from_a_tuple_gives_its_values_at_the_places():
    assert list(take(("a", "b", "c"), [2, 0])) == ["c", "a"]
