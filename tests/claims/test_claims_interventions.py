"""Claims of memory and of order against folders of runs, which lie one level below the others."""

import json

import pytest
from claims_files import HEAD, claim

from rimbench.claims.audit import audit_claims
from rimbench.claims.runs import holds_any, measure_own
from rimbench.claims.schema import read_claims
from rimbench.records import Item, Record
from rimbench.store import RunStore, manifest_of

ITEMS = [Item(str(i), f"q{i}", {"A": "x", "B": "y"}, "A") for i in range(200)]
USED = claim("memory is used", 'system = "a"\nsuite = "s"\ninterventions = ["filler"]')
ORDER = claim("order-invariant", 'system = "a"\nsuite = "s"\nflips = "5 %"')


def keep(folder, answers, **controls):
    """A run that answers the items with these letters; without a letter an item is not answered."""
    identity = {
        "weights_sha256": "w" * 64,
        "suite": {"content_sha256": "s" * 64},
        "engine": {"name": "e", "device": "none", "dtype": "none"},
        "controls": {"permute_options": None, "blind": False} | controls,
    }
    values = {
        "schema_version": 1, "run": folder.name, "system": "a", "suite": "s", "n": len(ITEMS), "samples": 0,
        "identity": identity, "suite_source": {}, "model_source": {"source": "m", "revision": None},
        "versions": {}, "device": {}, "commit": None, "dirty": None, "started_at": "2026-01-01T00:00:00+00:00",
        "ended_at": None, "sessions": 1,
    }  # fmt: skip
    with RunStore(folder) as store:
        store.write_manifest(manifest_of(json.dumps(values)), ITEMS)
        store.append(
            [
                Record(item.item_id, 0, "A", letter, "ok", letter, None, 5, 1, "p")
                for item, letter in zip(ITEMS, answers, strict=False)
            ]
        )


def audited(tmp_path, *claims):
    path = tmp_path / "claims.toml"
    path.write_text(HEAD + "".join(claims))
    spec = read_claims(path)
    own = measure_own(spec, path, tmp_path / "results")
    return audit_claims(spec, own.measured).findings, own.notes


def letters(right, n=200):
    return "A" * right + "B" * (n - right)


def test_use_of_memory_is_read_from_the_intact_run_and_the_intervention_beside_it(tmp_path):
    """160 of 200 right, 100 without memory: 30 points. The plain run, of 100 right, is not the intact one."""
    results = tmp_path / "results"
    keep(results / "plain", letters(100))
    for name, right in (("intact", 160), ("filler", 100), ("mean", 160)):
        keep(results / "plain-ablate" / name, letters(right))
    [finding], _ = audited(tmp_path, USED)
    [pair] = finding.held.pairs
    assert (finding.held.outcome, pair.difference.value, pair.difference.n) == ("reproduced", 0.3, 200)


def test_flips_are_read_from_the_runs_in_every_order(tmp_path):
    """30 of 200 items get another option where the options stand the other way: 15 %, and 5 % are claimed."""
    results = tmp_path / "results"
    keep(results / "a-rotated" / "r0", letters(200), rotate_options=0)
    keep(results / "a-rotated" / "r1", letters(170), rotate_options=1)
    assert holds_any(results)
    [finding], notes = audited(tmp_path, ORDER)
    assert (finding.held.outcome, finding.held.value, notes) == ("contradicted", 0.15, ())


@pytest.mark.parametrize(
    ("changes", "answered", "reason"),
    [
        ({"blind": True}, 200, "asked without the questions"),
        ({"permute_options": 3}, 200, "with the options permuted"),
        ({}, 150, "the runs are partial: 150 of 200 items in every order"),
    ],
)
def test_flips_of_other_questions_or_of_a_part_are_not_judged(tmp_path, changes, answered, reason):
    for places in (0, 1):
        keep(
            tmp_path / "results" / "a-rotated" / f"r{places}",
            letters(answered, answered),
            rotate_options=places,
            **changes,
        )
    [finding], _ = audited(tmp_path, ORDER)
    assert finding.held.outcome is None and reason in finding.held.reason


def test_rotations_that_lack_an_order_yet_are_left_out_with_a_note(tmp_path):
    keep(tmp_path / "results" / "a-rotated" / "r0", letters(200), rotate_options=0)
    [finding], [note] = audited(tmp_path, ORDER)
    assert finding.held is None and "lacks a rotation of the options yet" in note


def test_runs_that_were_started_over_count_no_more(tmp_path):
    """The old r0 would be a third order, and the old k0, of more items, would stand for K = 0."""
    results = tmp_path / "results"
    keep(results / "a-rotated" / "r0", letters(200), rotate_options=0)
    keep(results / "a-rotated" / "r1", letters(170), rotate_options=1)
    keep(results / "a-rotated" / "r0.old-1", letters(200), rotate_options=0)
    for name, right, n in (("k0", 90, 180), ("k0.old-1", 200, 200)):
        keep(results / "a-sweep" / name, letters(right, n))
    path = tmp_path / "claims.toml"
    stable = claim("stability", 'system = "a"\nsuite = "s"\nsettings = ["K = 0", "K = 1"]').replace('"c"', '"d"')
    path.write_text(HEAD + ORDER + stable)
    own = measure_own(read_claims(path), path, results)
    [budget, flips] = own.measured
    assert (budget.setting, sum(budget.outcomes.shares.values()), len(budget.outcomes.shares)) == ("K = 0", 90, 180)
    assert (sum(flips.outcomes.shares.values()), own.notes) == (30, ())
