"""Items are split into two halves that are the same for any rerun."""

import hashlib
import random
import re
from pathlib import Path

import pytest

from rimbench.statistics.halves import HOW, choosing_half


def test_the_half_that_chooses_has_the_lower_hashes_of_seed_and_id():
    ids = [f"q{i}" for i in range(5)]
    by_hash = sorted(ids, key=lambda each: hashlib.sha256(f"0:item {each}".encode()).hexdigest())
    chosen = choosing_half(ids)
    assert {each for each, own in zip(ids, chosen, strict=True) if own} == set(by_hash[:3])


@pytest.mark.parametrize(("kind", "clusters"), [("item", None), ("cluster", ["a", "b", "c", "d"])])
def test_the_words_on_the_split_name_what_is_hashed(kind, clusters):
    [prefix] = re.findall(rf"'([^']*{kind} )'", HOW)
    names = clusters or ["q1", "q2", "q3", "q4"]
    lower = sorted(names, key=lambda each: hashlib.sha256(f"{prefix}{each}".encode()).hexdigest())[:2]
    assert choosing_half(["q1", "q2", "q3", "q4"], clusters).tolist() == [name in lower for name in names]
    assert f"`{prefix}`" in (Path(__file__).parents[2] / "docs" / "single-pass.md").read_text()


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
