"""A checkpoint given to the hub by the hub's own client: what arrives, what is said before, and what a person reads
where it cannot be. The hub is a server of these tests, on loopback.
"""

import json
import shutil
import subprocess
import sys

import hub
import pytest
import tiny
import yaml
from huggingface_hub import EvalResultEntry, ModelCard, parse_eval_result_entries

from rimbench import checkpoints

REPO = "my-org/rim"
MEDQA = {"kind": "hub", "name": "GBaker/MedQA-USMLE-4-options", "split": "test", "revision": "0" * 40}


@pytest.fixture
def server():
    with hub.serving() as running:
        yield running


@pytest.fixture
def push(rimbench, server):
    """`export-model FOLDER --push` against that hub."""

    def run(folder, *options, token=hub.Hub.token, endpoint=server.url):
        env = {"HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": token}
        env |= {"HF_HUB_DISABLE_TELEMETRY": "1"}
        return rimbench("export-model", folder, "--push", REPO, *options, env=env)

    return run


@pytest.fixture(scope="module")
def made(checkpoint, tmp_path_factory):
    """A checkpoint, and runs of it, read out and with a memory, and one of other weights by the same name."""
    folder = tmp_path_factory.mktemp("made")
    suite = tiny.write_suite(folder)
    shutil.copytree(checkpoint, folder / "mine")
    tiny.make_checkpoint(folder / "other", seed=1)
    for system, *options in (("base-direct", "mine"), ("rim-v2", "mine", "--blocks", "2"), ("base-direct", "other")):
        command = [sys.executable, "-m", "rimbench", "run", "--suite", str(suite), "--samples", "2"]
        command += ["--system", system, "--model", *options, "--results", "results"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def mine(made, tmp_path):
    return shutil.copytree(made / "mine", tmp_path / "mine")


@pytest.fixture
def measured(made, tmp_path):
    return shutil.copytree(made / "results", tmp_path / "results")


def runs_of(results, weights):
    """The manifests of the runs that were made with a folder of weights."""
    manifests = {path: json.loads(path.read_text()) for path in results.glob("*/manifest.json")}
    return {path: run for path, run in manifests.items() if run["model_source"]["source"] == weights}


def one_line(done):
    errors = [line for line in done.stderr.splitlines() if line.startswith("rimbench: error:")]
    assert len(errors) == 1 and "Traceback" not in done.stderr
    return errors[0]


def test_every_file_that_is_loaded_arrives_byte_by_byte_with_a_card_in_one_commit(mine, push, server):
    (mine / "LICENSE").write_text("mine")
    (mine / "optimizer.pt").write_bytes(b"state")
    done = push(mine)
    assert done.returncode == 0, done.stderr
    arrived = dict(server.repos[REPO])
    assert (
        arrived.pop(".gitattributes") == b"" and ModelCard(arrived.pop("README.md").decode()).data.model_name is None
    )
    assert arrived == {path.name: path.read_bytes() for path in mine.iterdir() if path.name != "optimizer.pt"}
    assert "not uploaded, since no reader loads it: optimizer.pt" in done.stderr
    assert sum("/commit/" in path for _, path, _ in server.seen) == 1
    assert done.stdout.strip().startswith(f"{server.url}/{REPO}/commit/")
    assert not server.private[REPO]


def test_the_card_holds_the_results_of_these_very_weights_and_no_others(mine, measured, push, server, rimbench):
    assert push(mine, "--results", measured).returncode == 0
    own, others = ({run["run"] for run in runs_of(measured, name).values()} for name in ("mine", "other"))
    assert (len(own), len(others)) == (2, 1)
    text = server.repos[REPO]["README.md"].decode()
    card = ModelCard(text)
    report = json.loads(rimbench("report", "--json", "--results", measured, check=True).stdout)
    accuracies = {cell["run"]: round(cell["greedy_accuracy"], 4) for cell in report["cells"]}
    stated = {r.metric_args["run"]: r.metric_value for r in card.data.eval_results if r.metric_type == "accuracy"}
    assert stated == {name: accuracies[name] for name in own}
    assert not any(name in text for name in others)
    assert card.data.model_name == "rim"
    assert "rim-v2 (K 2)" in text and str(mine.parent) not in text
    assert checkpoints.hash_folder(mine) in text


def test_the_accuracy_of_a_suite_of_the_hub_is_an_entry_of_eval_results(mine, measured, push, server):
    path, manifest = next((p, run) for p, run in runs_of(measured, "mine").items() if run["system"] == "base-direct")
    path.write_text(json.dumps(manifest | {"suite_source": manifest["suite_source"] | MEDQA}))
    assert push(mine, "--results", measured).returncode == 0
    (name,) = [name for name in server.repos[REPO] if name.startswith(".eval_results/")]
    (entry,) = parse_eval_result_entries(yaml.safe_load(server.repos[REPO][name]))
    assert isinstance(entry, EvalResultEntry)
    assert (entry.dataset_id, entry.dataset_revision) == (MEDQA["name"], MEDQA["revision"])
    accuracies = [
        result.metric_value
        for result in ModelCard(server.repos[REPO]["README.md"].decode()).data.eval_results
        if result.dataset_type == MEDQA["name"] and result.metric_type == "accuracy"
    ]
    assert [entry.value] == accuracies
    assert manifest["run"] in entry.notes and f"{manifest['n']} questions of the split test" in entry.notes


def test_what_the_folders_own_card_says_stays_and_what_was_measured_is_written_anew(mine, measured, push, server):
    own = "---\nlicense: mit\nlanguage: de\n---\n\n# Mine\n\nTrained on sums.\n"
    (mine / "README.md").write_text(own)
    first = push(mine, "--results", measured)
    assert first.returncode == 0 and "licence" not in first.stderr
    card = server.repos[REPO]["README.md"]
    assert (mine / "README.md").read_text() == own
    (mine / "README.md").write_bytes(card)
    assert push(mine, "--results", measured, "--force").returncode == 0
    assert server.repos[REPO]["README.md"] == card
    read = ModelCard(card.decode())
    assert (read.data.license, read.data.language) == ("mit", "de") and "Trained on sums." in read.text


def test_what_a_reader_makes_of_it_is_said_before_anything_is_sent(mine, push, server):
    config = json.loads((mine / "tokenizer_config.json").read_text())
    (mine / "tokenizer_config.json").write_text(json.dumps(config | {"tokenizer_class": "TokenizersBackend"}))
    done = push(mine, "--dry-run")
    assert done.returncode == 0 and "transformers 4.57.3 does not open this checkpoint" in done.stderr
    assert "write PreTrainedTokenizerFast as tokenizer_class" in done.stderr
    assert "model.safetensors" in done.stdout and "does not open" in done.stdout
    assert server.seen == []


def test_a_repository_is_private_where_it_is_asked_for_and_a_public_one_is_not_taken_for_it(mine, push, server):
    assert push(mine, "--private").returncode == 0
    assert server.private[REPO]
    server.private[REPO] = False
    kept = dict(server.repos[REPO])
    done = push(mine, "--private", "--force")
    assert done.returncode == 2 and "public" in one_line(done)
    assert server.repos[REPO] == kept


def test_a_repository_that_holds_files_is_added_to_by_force_alone(mine, push, server):
    server.repos[REPO] = {".gitattributes": b"", "notes.txt": b"older"}
    server.private[REPO] = False
    done = push(mine)
    assert done.returncode == 2 and "holds notes.txt" in one_line(done) and "--force" in one_line(done)
    assert set(server.repos[REPO]) == {".gitattributes", "notes.txt"}
    assert push(mine, "--force").returncode == 0
    assert server.repos[REPO]["notes.txt"] == b"older" and "model.safetensors" in server.repos[REPO]


def test_an_upload_that_broke_off_is_made_again_without_force(mine, push, server):
    server.faults["/commit/main"] = hub.answers(403, {"error": "quota"})
    assert push(mine).returncode == 1
    assert set(server.repos[REPO]) == {".gitattributes"}
    server.faults.clear()
    assert push(mine).returncode == 0
    assert "model.safetensors" in server.repos[REPO]


@pytest.mark.parametrize(
    ("place", "status", "words"),
    [
        ("/api/repos/create", 401, "hf auth login"),
        ("/api/repos/create", 403, "may not write there"),
        ("/api/repos/create", 409, "answered 409"),
        ("/api/repos/create", 500, "try again later"),
        ("/preupload/main", 403, "may not write there"),
        ("/objects/batch", 403, "may not write there"),
        ("/commit/main", 400, "answered 400"),
        ("/commit/main", 500, "try again later"),
    ],
)
def test_a_hub_that_refuses_is_one_line_without_the_token(mine, push, server, place, status, words):
    said = f"no, {hub.Hub.token} is bad\nat all"
    server.faults[place] = hub.answers(status, {"error": said}, {"X-Error-Message": said.partition("\n")[0]})
    done = push(mine)
    assert done.returncode == 1 and words in one_line(done) and str(status) in one_line(done)
    assert hub.Hub.token not in done.stdout + done.stderr
    assert "model.safetensors" not in server.repos.get(REPO, {})


def test_a_token_that_is_none_is_said_and_stands_nowhere(mine, push, server, tmp_path):
    done = push(mine, token="hf_wrong_one")
    assert done.returncode == 1 and "hf auth login" in one_line(done)
    assert "hf_wrong_one" not in done.stdout + done.stderr
    assert not any(b"hf_wrong_one" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_hub_that_does_not_answer_is_one_line(mine, push):
    done = push(mine, endpoint="http://user:secret@127.0.0.1:9")
    assert done.returncode == 1 and "cannot be reached" in one_line(done) and "HF_ENDPOINT" in one_line(done)
    assert hub.Hub.token not in done.stderr and "secret" not in done.stderr


def test_without_runs_of_these_weights_the_card_has_no_results_unless_they_were_named(mine, measured, push, server):
    for path in runs_of(measured, "mine"):
        shutil.rmtree(path.parent)
    done = push(mine, "--results", measured)
    assert done.returncode == 1 and "was made with the weights of" in one_line(done) and server.seen == []
    done = push(mine)
    assert done.returncode == 0 and "the card states no results" in done.stderr
    assert ModelCard(server.repos[REPO]["README.md"].decode()).data.eval_results is None


@pytest.mark.parametrize("head", ["- a list", "a: [", "model-index: 3", "model-index:\n- name: x\n  results: 5"])
def test_a_card_with_metadata_that_is_none_is_one_line_that_names_it(mine, push, server, head):
    (mine / "README.md").write_text(f"---\n{head}\n---\n# Mine\n")
    done = push(mine)
    assert done.returncode == 1 and "README.md" in one_line(done) and server.seen == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "give one of --gguf"),
        (("--gguf", "x.gguf", "--push", REPO), "give one of --gguf"),
        (("--gguf", "x.gguf", "--private"), "--private: add --push"),
        (("--push", "no-owner", "--dry-run"), "expected a name such as org/name"),
        (("--push", "a/b/c", "--dry-run"), "expected a name such as org/name"),
    ],
)
def test_what_cannot_be_meant_is_one_line(mine, rimbench, options, words):
    done = rimbench("export-model", mine, *options)
    assert done.returncode == 2 and words in one_line(done)
