"""A probe finds what lies open to it, and nothing in noise; what it is judged on was met by nobody."""

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

import corpus  # noqa: E402
from family import SEED, TUNING_ROWS  # noqa: E402
from probes import ITEMS, asked, probe  # noqa: E402


def test_a_probe_names_classes_that_lie_apart_and_is_at_chance_in_noise():
    chance = torch.Generator().manual_seed(0)
    classes = torch.randint(0, 4, (400,), generator=chance)
    noise = torch.randn(400, 8, generator=chance)
    open_ones = noise + 9 * torch.nn.functional.one_hot(classes, 8)
    assert sum(probe(open_ones, classes)) == 200  # all of the second half
    assert sum(probe(noise, classes)) / 200 == pytest.approx(0.25, abs=0.12)  # four standard errors


def test_no_chain_is_both_fitted_and_judged_and_no_shipped_system_was_tuned_on_one():
    questions = {item.question for item in asked()}
    tuned = {row["messages"][0]["content"].partition("\n")[0] for row in corpus.tuning_rows(SEED, TUNING_ROWS)}
    assert len(questions) == ITEMS
    assert not questions & tuned
