"""Like with like: a run is judged only where its items, weights and settings are those of the figure."""

import json
import shutil

import pytest
from claims_files import HEAD, accuracy, latency
from tiny import beside, write_suite

from rimbench.claims.audit import audit_claims
from rimbench.claims.runs import measure_own
from rimbench.claims.schema import read_claims
from rimbench.latency.measured import Measured, Measurement, Subject
from rimbench.latency.stored import keep_measurement
from rimbench.store import ModelSource, identity_of
from rimbench.systems import load


@pytest.fixture(scope="module")
def kept(tmp_path_factory, checkpoint):
    """Real runs of shipped and of user's files, by what they are; made once."""
    import os
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("runs")
    write_suite(folder, 40)
    (folder / "own.toml").write_text(
        f'description = "d"\n[weights]\npath = "{beside(checkpoint, folder)}"\n'
        '[answer]\nmode = "generate"\nmax_new_tokens = 8\n'
    )
    (folder / "medqa.toml").write_text((folder / "tiny.toml").read_text())

    def run(*arguments):
        command = [sys.executable, "-m", "rimbench", "run", "--engine", "fake", "--limit", "40", *arguments]
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, "HF_HUB_OFFLINE": "1"}, capture_output=True, text=True, check=True
        )
        return folder / done.stdout.split()[-1]

    shipped = run("--system", "nano-rim-v2", "--suite", "demo-in-dist", "--samples", "2")
    own = run("--system", "own.toml", "--suite", "tiny.toml")
    named = run("--system", "own.toml", "--suite", "medqa.toml")
    return {"shipped": shipped, "own": own, "named": named, "folder": folder}


@pytest.fixture
def judged(tmp_path, kept):
    """Sets a copy of a kept run, its manifest changed, beside the figures of a claims file; the figure's outcome."""

    def make(name, *parts, change=lambda manifest: None, folder=tmp_path):
        results = tmp_path / "results"
        shutil.rmtree(results, ignore_errors=True)
        copy = results / kept[name].name
        shutil.copytree(kept[name], copy)
        manifest = json.loads((copy / "manifest.json").read_text())
        change(manifest)
        (copy / "manifest.json").write_text(json.dumps(manifest))
        path = folder / "claims.toml"
        path.write_text(HEAD + "".join(parts))
        spec = read_claims(path)
        return audit_claims(spec, measure_own(spec, path, results).measured).reproductions[spec.figure[0].id]

    return make


SHIPPED = accuracy("nano-rim-v2", "50.0 %", suite="demo-in-dist")


def test_a_run_of_the_shipped_files_is_judged_and_so_is_its_first_part(judged):
    found = judged("shipped", SHIPPED)  # 40 of the suite's 1000 items
    assert found.outcome in ("undecided", "contradicted")
    assert found.measured.unlike == ()


def set_in(*path, value):
    def change(manifest):
        for key in path[:-1]:
            manifest = manifest[key]
        manifest[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (set_in("identity", "suite", "content_sha256", value="f" * 64), "other items: ffffffffffff, not "),
        (set_in("identity", "suite", "wording", "option", value="({letter}) {text}"), "another wording"),
        (set_in("identity", "system", "memory", "blocks", value=2), "memory.blocks is 2, not 8"),
        (set_in("identity", "system", "memory", value=None), "no memory, unlike 'nano-rim-v2'"),
        (set_in("identity", "system", "answer", "mode", value="other"), "answer.mode is 'other', not "),
        (set_in("identity", "system", "prompt", "instruction", value="Think."), "prompt.instruction is 'Think.'"),
        (set_in("identity", "system", "prompt", value=None), "prompt and settings are not known"),
        (
            set_in("model_source", "source", value="checkpoints/mine"),
            "weights of checkpoints/mine, not rimbench/nano",
        ),
    ],
)
def test_what_differs_is_named_and_nothing_is_judged(judged, change, named):
    found = judged("shipped", SHIPPED, change=change)
    assert (found.outcome, found.interval, found.estimate.n) == (None, None, 40)
    assert named in found.reason


def test_answers_that_are_missing_leave_no_random_part_to_judge(judged, tmp_path, kept):
    def cut(_):
        path = next((tmp_path / "results").glob("*/records.jsonl"))
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:30]))

    found = judged("shipped", SHIPPED, change=cut)
    assert found.outcome is None and "the run is partial: " in found.reason


def test_records_that_were_edited_are_not_judged(judged, tmp_path):
    def edit(_):
        path = next((tmp_path / "results").glob("*/records.jsonl"))
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps(line | {"answer": line["gold"]}) + "\n" for line in lines))

    found = judged("shipped", SHIPPED, change=edit)
    assert found.outcome is None and "records that were changed after they were written: " in found.reason


def test_the_temperature_of_the_draws_counts_for_pass_at_k_alone(judged):
    passes = SHIPPED.replace('"accuracy"', '"pass_at_k"').replace("n = 1000", "n = 1000\nk = 2")
    hotter = set_in("identity", "system", "answer", "temperature", value=2.0)
    assert judged("shipped", SHIPPED, change=hotter).outcome is not None
    found = judged("shipped", passes, change=hotter)
    assert found.outcome is None and "answer.temperature is 2.0, not " in found.reason


def test_a_users_file_with_a_shipped_name_is_not_what_the_name_stands_for(judged):
    figure = accuracy("own", "50.0 %", suite="medqa")
    found = judged("named", figure)
    assert found.outcome is None
    assert "suite file medqa.toml is a user's own, not the one that comes with rimbench" in found.reason
    older = judged("named", figure, change=lambda manifest: manifest.pop("suite_file"))
    assert older.outcome is None and "rows of tiny.jsonl (sha256 " in older.reason


def test_a_file_of_rows_is_the_suites_where_its_hash_is_stated(judged):
    """A run of the shipped suite over rows from --data, its source as the hub's otherwise."""
    digest = "c3b905ccfa66152dc25afbcb2c10e86c0bdb208824f0658fcdb2c040f60a2beb"

    def over(revision):
        def change(manifest):
            source = {"kind": "file", "name": "rows.jsonl", "file": None, "split": None, "revision": revision}
            manifest["suite_source"] = source | {"seed": 20260530, "slice": "heldout"}
            manifest["suite_file"] = "shipped"

        return change

    figure = accuracy("own", "50.0 %", suite="medqa")
    stated = f'[[suite]]\nname = "medqa"\ndata_sha256 = ["{digest}"]\n'
    assert judged("named", figure, stated, change=over(digest)).measured.unlike == ()
    found = judged("named", figure, stated, change=over("0" * 64))
    assert found.outcome is None and "rows.jsonl (sha256 000000000000)" in found.reason
    assert judged("named", figure, change=over(digest)).outcome is None


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, None),
        ({"revision": "e" * 40}, "rows at revision eeeeeeeeeeee, not 0fb93dd23a73"),
        ({"name": "other/medqa"}, "rows of name other/medqa, not GBaker/MedQA-USMLE-4-options"),
        ({"split": "train"}, "rows of split train, not test"),
        ({"seed": 1}, "items drawn with seed 1, not 20260530"),
        ({"slice": "all"}, "slice all, not heldout"),
    ],
)
def test_rows_of_the_hub_are_compared_by_their_source_where_they_are_not_here(judged, changes, named, monkeypatch):
    monkeypatch.setattr("rimbench.suites.hub.is_cached", lambda *_: False)

    def change(manifest):
        source = {"kind": "hub", "name": "GBaker/MedQA-USMLE-4-options", "file": "phrases_no_exclude_test.jsonl"}
        source |= {"split": "test", "revision": "0fb93dd23a7339b6dcd27e241cb9b5eca62d4d18"}
        manifest["suite_source"] = source | {"seed": 20260530, "slice": "heldout"} | changes
        manifest["suite_file"] = "shipped"

    found = judged("named", accuracy("own", "50.0 %", suite="medqa"), change=change)
    assert (found.measured.unlike == ()) if named is None else (named in found.reason)


def test_names_that_nothing_explains_are_judged_and_said_to_be_names_alone(judged):
    found = judged("own", accuracy("own", "50.0 %", suite="tiny"))
    assert found.outcome is not None
    assert "the claims file does not say what 'own' is: known by its name alone" in found.measured.unverified


def test_files_beside_the_claims_say_what_its_names_are(judged, kept, tmp_path):
    entries = '[[system]]\nname = "S"\nfile = "own.toml"\n[[suite]]\nname = "T"\nfile = "tiny.toml"\n'
    figure = accuracy("S", "50.0 %", suite="T")
    found = judged("own", figure, entries, folder=kept["folder"])
    assert found.outcome is not None
    assert found.measured.unverified == ("answers of the scripted engine 'fake'",)
    changed = set_in("identity", "weights_sha256", value="a" * 64)
    other = judged("own", figure, entries, folder=kept["folder"], change=changed)
    assert other.outcome is None and "other weights: aaaaaaaaaaaa, not " in other.reason


def test_weights_can_be_stated_by_their_hash(judged):
    def stated(digest):
        return judged(
            "own",
            accuracy("own", "50.0 %", suite="tiny"),
            f'[[system]]\nname = "own"\nweights_sha256 = "{digest}"\n',
            change=set_in("identity", "weights_sha256", value="a" * 64),
        )

    assert stated("a" * 64).outcome is not None
    assert stated("b" * 64).outcome is None


def test_of_several_runs_the_one_that_is_what_the_figure_is_of_is_taken(judged, kept, tmp_path):
    def beside(manifest):
        other = shutil.copytree(kept["shipped"], tmp_path / "results" / "another")
        later = json.loads((other / "manifest.json").read_text()) | {"started_at": "2099-01-01T00:00:00+00:00"}
        later["run"] = "another"
        later["identity"]["system"]["memory"]["blocks"] = 2
        (other / "manifest.json").write_text(json.dumps(later))

    found = judged("shipped", SHIPPED, change=beside)
    assert found.measured.run == kept["shipped"].name and found.outcome is not None


def test_a_time_says_what_was_timed_and_is_not_judged_of_other_weights(tmp_path):
    path = tmp_path / "claims.toml"
    path.write_text(HEAD + latency("nano-rim-v2", "12 ms", "answer", 'device = "L4"\ndtype = "bf16"\nbatch = 1\n'))
    system = load("nano-rim-v2")
    import dataclasses

    asked = {key: dataclasses.asdict(system)[key] for key in ("prompt", "memory", "answer")}

    def outcome(subject):
        row = Measured("nano-rim-v2", "answer", "x", "L4", "bfloat16", 1, (11.9, 12.1) * 20, 1, (), 60, 1, 0, 0.1,
                       subject=subject)  # fmt: skip
        shutil.rmtree(tmp_path / "results", ignore_errors=True)
        keep_measurement(
            Measurement("s", "2026-01-01T00:00:00+00:00", None, None, {}, {}, (row,)), tmp_path / "results"
        )
        spec = read_claims(path)
        return audit_claims(spec, measure_own(spec, path, tmp_path / "results").measured).reproductions["nano-rim-v2"]

    facts = {"name": "transformers", "device": "cuda", "dtype": "bfloat16"}
    like = {"system": asked, "suite": {"content_sha256": "s"}, "engine": facts}
    assert outcome(Subject(identity_of(like), ModelSource("rimbench/nano/rim-v2"))).outcome == "reproduced"
    other = outcome(Subject(identity_of(like), ModelSource("checkpoints/mine")))
    assert other.outcome is None and "weights of checkpoints/mine" in other.reason
    unknown = outcome(None)
    assert unknown.outcome == "reproduced" and "are not recorded" in unknown.measured.unverified[0]


@pytest.mark.parametrize("named", ["../own.toml", "/etc/own.toml", "a/../../own.toml", "link/own.toml"])
def test_a_path_that_leads_out_of_the_files_folder_is_refused_unless_it_is_allowed(tmp_path, named):
    folder = tmp_path / "inner"
    folder.mkdir()
    (folder / "a").mkdir()
    (folder / "link").symlink_to(tmp_path)
    path = folder / "claims.toml"
    path.write_text(f'{HEAD}[[system]]\nname = "x"\nfile = "{named}"\n')
    from rimbench.errors import ConfigError

    with pytest.raises(ConfigError, match=r"system\.x\.file: .* lies outside .*--allow-outside"):
        read_claims(path)
    assert read_claims(path, allow_outside=True).system[0].file == named
