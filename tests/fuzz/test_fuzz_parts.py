"""What fuzzing and killing are made of: seeds that are read, changes to files, damage counted."""

import json
import random

import mutations
import pytest
import targets
from killing import Damage

from rimbench.importing import reading

EVERY = targets.every_target()


@pytest.mark.parametrize("target", EVERY, ids=lambda target: target.name)
def test_a_target_reads_one_of_its_seeds_and_refuses_others_in_a_line(target, tmp_path):
    refused = targets.refusals(target, tmp_path)
    assert [len(str(error).splitlines()) for error in refused] == [1] * len(refused)
    # A format of answers may need a package that is not installed here, or take a file only to say that it has none.
    assert len(refused) < len(target.seeds) or target.name.startswith("import-")


def test_every_format_of_answers_has_a_target():
    named = {target.name.removeprefix("import-").partition(".")[0] for target in EVERY if target.name[:6] == "import"}
    assert named == {reading.AUTO, *reading.format_names()}


@pytest.mark.parametrize("suffix", sorted({target.suffix for target in EVERY} - {".eval"}))
def test_a_file_is_changed_by_what_it_says_and_the_same_seed_of_chance_gives_the_same_change(suffix):
    data = next(target.seeds[0] for target in EVERY if target.suffix == suffix)
    changed = [mutations.change(data, suffix, random.Random(seed)) for seed in range(60)]
    assert changed == [mutations.change(data, suffix, random.Random(seed)) for seed in range(60)]
    assert len({other for other in changed if other is not None and other != data}) > 30


def test_what_is_no_file_of_its_suffix_is_left_to_changes_of_its_bytes():
    for suffix in (".toml", ".parquet", ".eval"):
        assert mutations.change(b"\xff{", suffix, random.Random(0)) is None


def test_changes_reach_values_that_json_writes_in_no_other_way():
    data = json.dumps({"a": 1, "b": "text", "c": [1, 2]}).encode()
    texts = [mutations.change(data, ".json", random.Random(seed)) or b"" for seed in range(2000)]
    for wanted in (b"1e999", b"NaN", b"\\ud800", b"\\u0000", b"[[[[[[[[[[", b"9999999999"):
        assert any(wanted in text for text in texts), wanted


def test_damage_counts_what_is_missing_what_is_there_twice_and_what_is_otherwise():
    damage = Damage("made up")
    damage.compare([("a", "1"), ("a", "1"), ("b", "other"), ("new", "5")], [("a", "1"), ("b", "2"), ("c", "3")])
    assert (damage.lost, damage.doubled, damage.changed) == (1, 1, 2)
