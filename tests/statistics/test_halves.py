"""Items are split into two halves that are the same for any rerun."""

import hashlib
import random

from rimbench.statistics.halves import choosing_half


def test_the_half_that_chooses_has_the_lower_hashes_of_seed_and_id():
    ids = [f"q{i}" for i in range(5)]
    by_hash = sorted(ids, key=lambda each: hashlib.sha256(f"0:item {each}".encode()).hexdigest())
    chosen = choosing_half(ids)
    assert {each for each, own in zip(ids, chosen, strict=True) if own} == set(by_hash[:3])


def test_the_split_does_not_depend_on_the_order_of_items():
    ids = [f"q{i}" for i in range(100)]
    shuffled = random.Random(0).sample(ids, 100)
    assert dict(zip(ids, choosing_half(ids), strict=True)) == dict(
        zip(shuffled, choosing_half(shuffled), strict=True)
    )


def test_a_cluster_is_on_one_side_whole():
    ids = [f"q{i}" for i in range(60)]
    clusters = [f"case {i // 3}" for i in range(60)]
    sides = {}
    for name, own in zip(clusters, choosing_half(ids, clusters), strict=True):
        sides.setdefault(name, set()).add(bool(own))
    assert all(len(found) == 1 for found in sides.values())
    assert sum(found == {True} for found in sides.values()) == 10


def test_one_item_chooses_and_none_judges():
    assert choosing_half(["q"]).tolist() == [True]
    assert choosing_half([]).tolist() == []
