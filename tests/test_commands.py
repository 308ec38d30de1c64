"""The commands as a user types them, in processes of their own: results, exit codes, and one line an error."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import tiny

from rimbench import __version__, systems
from rimbench.api.project import Project
from rimbench.api.selection import Wanted, choose_systems

ANSWER = '[answer]\nmode = "generate"\nmax_new_tokens = 8\n'
RIM = (
    '[prompt]\nprefix = "The final answer is \\\\boxed{"\n[memory]\nblocks = 8\n[answer]\nmode = "generate"\n'
    'extraction = "first_letter"\nmax_new_tokens = 8\n'
)


@pytest.fixture
def system_file(tmp_path, checkpoint):
    def write(rest=ANSWER, weights=None, name="tiny-system"):
        path = tmp_path / f"{name}.toml"
        weights = weights or f'path = "{tiny.beside(checkpoint, tmp_path)}"'
        path.write_text(f'description = "made for tests"\n[weights]\n{weights}\n{rest}')
        return path

    return write


def is_one_line(done, code, *parts):
    lines = done.stderr.strip().split("\n")
    assert done.returncode == code, done.stderr
    assert lines[-1].startswith("rimbench: error: "), done.stderr
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in lines[-1], lines[-1]


def test_a_run_keeps_every_answer_and_its_manifest_says_what_it_is_made_of(
    rimbench, system_file, suite_file, tmp_path
):
    done = rimbench(
        "run", "--system", system_file(), "--suite", suite_file, "--limit", 10, "--samples", 2, check=True
    )
    folder = tmp_path / done.stdout.strip()
    records = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    assert len(records) == 30
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["identity"]["engine"]["name"] == "transformers"
    assert manifest["identity"]["engine"]["prefix_cache"] is False
    assert set(manifest["identity"]) == {
        "weights_sha256", "suite", "system", "prompts_sha256", "controls", "seed", "engine",
    }  # fmt: skip
    assert manifest["versions"]["torch"] and manifest["device"]["threads"] and manifest["ended_at"]
    assert (manifest["n"], manifest["samples"], manifest["suite_source"]["seed"]) == (10, 2, 1)


def test_a_manifest_tells_a_users_file_from_a_shipped_one_of_its_name(rimbench, system_file, suite_file, tmp_path):
    own = suite_file.rename(tmp_path / "medqa.toml")
    marks = []
    for suite in (own, "demo-in-dist"):
        done = rimbench("run", "--system", system_file(name="base"), "--suite", suite, "--limit", 2, check=True)
        manifest = json.loads((tmp_path / done.stdout.strip() / "manifest.json").read_text())
        marks.append((manifest["system"], manifest["system_file"], manifest["suite"], manifest["suite_file"]))
    assert marks == [("base", "base.toml", "medqa", "medqa.toml"), ("base", "base.toml", "demo-in-dist", "shipped")]


def test_starting_again_answers_nothing_twice_and_fresh_keeps_the_old_run(
    rimbench, system_file, suite_file, tmp_path
):
    command = ("run", "--system", system_file(), "--suite", suite_file, "--limit", 6)
    first = rimbench(*command, check=True)
    folder = tmp_path / first.stdout.strip()
    kept = (folder / "records.jsonl").read_bytes()
    assert "nothing left to answer" in rimbench(*command, check=True).stderr
    assert (folder / "records.jsonl").read_bytes() == kept
    fresh = rimbench(*command, "--fresh", check=True)
    assert f"kept as {folder.name}.old-1" in fresh.stderr
    assert (folder.parent / f"{folder.name}.old-1" / "records.jsonl").read_bytes() == kept
    assert (folder / "records.jsonl").read_bytes() == kept  # the same answers, asked again


def test_a_report_is_rebuilt_from_records_alone_to_the_same_bytes(rimbench, system_file, suite_file, checkpoint):
    system = system_file(RIM, name="rim-tiny")
    rimbench("run", "--system", system, "--suite", suite_file, "--samples", 8, "--answer", "readout", check=True)
    document = rimbench("report", "--json", check=True).stdout
    assert document == rimbench("report", "--json", check=True).stdout
    [cell] = json.loads(document)["cells"]
    assert (cell["system"], cell["suite"], cell["n"]) == ("rim-tiny", "tiny", 60)
    assert cell["statuses"]["ok"] == 60
    assert cell["ci95"][0] <= cell["greedy_accuracy"] <= cell["ci95"][1]
    assert cell["pass_at_k"]["8"]["chance"] == pytest.approx(1 - 0.75**8)
    assert 0 <= cell["ece"] <= 1
    markdown = rimbench("report", "--markdown", check=True).stdout
    assert "| tiny | rim-tiny (answer readout) | 60 |" in markdown and "90.0" in markdown


def test_the_prompt_that_is_shown_is_the_prompt_that_is_recorded(rimbench, system_file, suite_file, tmp_path):
    system = system_file(RIM, name="rim-tiny")
    shown = json.loads(
        rimbench("show-prompt", "--system", system, "--suite", suite_file, "--item", 3, "--json", check=True).stdout
    )
    assert shown["text"].endswith("<rim_eb>The final answer is \\boxed{")
    assert shown["text"].count("<rim_b>") == 8
    done = rimbench("run", "--system", system, "--suite", suite_file, check=True)
    records = [json.loads(line) for line in (tmp_path / done.stdout.strip() / "records.jsonl").open()]
    [record] = [r for r in records if r["item_id"] == "3"]
    assert record["prompt_sha256"] == shown["prompt_sha256"]
    assert record["prompt_tokens"] == len(shown["token_ids"])
    assert list(record["option_logprobs"]) == ["A", "B", "C", "D"]


@pytest.mark.parametrize(
    ("arguments", "code", "parts"),
    [
        (["run", "--system", "rim-v3", "--suite", "medqa"], 2, ["unknown system 'rim-v3'", "rim-v2"]),
        (["run", "--system", "base", "--suite", "medqua"], 2, ["unknown suite 'medqua'", "medqa"]),
        (["run", "--system", "rim-v1", "--suite", "demo-long", "--blocks", "0"], 2, ["--blocks 0", "readout"]),
        (["run", "--system", "rim-v1", "--suite", "demo-long", "--blocks", "-1"], 2, ["--blocks -1"]),
        (
            ["run", "--system", "nano-rim-v2", "--suite", "demo-long", "--limit", "5", "--blocks", "300"],
            2,
            ["the shortest prompt, of", "no room for an answer in the model's context of 512", "fewer memory blocks"],
        ),
        (["run", "--system", "base", "--suite", "demo-long", "--blocks", "4"], 2, ["no memory blocks"]),
        (["run", "--system", "base", "--suite", "demo-long", "--engine", "vlm"], 2, ["unknown engine 'vlm'", "vllm"]),
        (["run", "--system", "base", "--suite", "demo-long", "--model", "no/such/y"], 1, ["no model at no/such/y"]),
        (["run", "--system", "nowhere.toml", "--suite", "demo-long"], 2, ["nowhere.toml does not exist"]),
        (["report", "--json", "--markdown"], 2, ["--markdown and --json"]),
    ],
)  # fmt: skip
def test_a_wrong_use_is_one_line_that_says_what_to_do(rimbench, arguments, code, parts):
    is_one_line(rimbench(*arguments), code, *parts)


def test_every_fault_of_a_system_file_is_listed_at_once(rimbench, tmp_path):
    (tmp_path / "bad.toml").write_text(
        'descriptio = "x"\n[weights]\nrepo = "no slash"\n[answer]\nmode = "guess"\ntemperature = 0\n'
    )
    done = rimbench("run", "--system", "bad.toml", "--suite", "demo-long")
    is_one_line(
        done, 2, "descriptio: unknown key", "description", "weights.repo", "answer.mode", "answer.temperature"
    )


def test_a_checkpoint_without_memory_tokens_is_refused_for_a_rim_system(rimbench, system_file, suite_file, tmp_path):
    plain = tiny.make_checkpoint(tmp_path / "plain", special=["<|im_start|>", "<|im_end|>"])
    system = system_file(RIM, f'path = "{plain}"', "rim-plain")
    is_one_line(rimbench("run", "--system", system, "--suite", suite_file), 1, "<rim_b>", "not a RiM checkpoint")


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_that_is_no_checkpoint_is_refused(rimbench, suite_file, tmp_path, missing):
    broken = tiny.make_checkpoint(tmp_path / "broken")
    (broken / missing).unlink()
    done = rimbench("run", "--system", "base", "--model", broken, "--suite", suite_file)
    is_one_line(done, 1, str(broken), "expected a checkpoint folder")


def test_weights_that_are_no_weights_are_refused(rimbench, suite_file, tmp_path):
    broken = tiny.make_checkpoint(tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"not weights")
    done = rimbench("run", "--system", "base-direct", "--model", broken, "--suite", suite_file)
    is_one_line(done, 1, str(broken), "cannot load")


def test_a_second_process_on_a_run_is_refused_and_the_first_goes_on(rimbench, system_file, suite_file, tmp_path):
    script = tmp_path / "slow.json"
    script.write_text(json.dumps({"delay_ms": 100}))
    environment = {**os.environ, "RIMBENCH_FAKE_SCRIPT": str(script)}
    command = ["run", "--system", str(system_file()), "--suite", str(suite_file), "--engine", "fake"]
    first = subprocess.Popen(
        [sys.executable, "-m", "rimbench", *command], cwd=tmp_path, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    while not list(tmp_path.glob("results/*/records.jsonl")):
        assert first.poll() is None
    first.send_signal(signal.SIGSTOP)  # however slow the second one starts
    is_one_line(rimbench(*command, env=environment), 1, "is being written by another process")
    first.send_signal(signal.SIGCONT)
    first.communicate()
    assert first.returncode == 0


def test_an_interrupted_run_says_so_keeps_its_answers_and_has_no_traceback(system_file, suite_file, tmp_path):
    script = tmp_path / "slow.json"
    script.write_text(json.dumps({"delay_ms": 100}))
    process = subprocess.Popen(
        [sys.executable, "-m", "rimbench", "run", "--system", str(system_file()), "--suite", str(suite_file),
         "--engine", "fake"],
        cwd=tmp_path, env={**os.environ, "RIMBENCH_FAKE_SCRIPT": str(script)}, text=True, stderr=subprocess.PIPE,
        # A job in the background ignores the signal; a user's terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )  # fmt: skip
    while not any(path.stat().st_size for path in tmp_path.glob("results/*/records.jsonl")):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "Traceback" not in stderr and "interrupted" in stderr


class Hub(BaseHTTPRequestHandler):
    refusal = (404, "RepoNotFound")

    def do_GET(self):
        self.send_response(self.refusal[0])
        self.send_header("X-Error-Code", self.refusal[1])
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(
    ("refusal", "part"),
    [
        ((403, "GatedRepo"), "is gated"),
        ((404, "RepoNotFound"), "is not on the hub"),
        ((404, "RevisionNotFound"), "is not on the hub"),
        ((500, ""), "cannot be reached"),
        (None, "cannot be reached"),
    ],
)
def test_a_hub_that_refuses_a_model_is_one_line(rimbench, suite_file, tmp_path, refusal, part):
    """A real server refuses; None: nobody listens on the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Refusing", (Hub,), {"refusal": refusal}))
    address = f"http://127.0.0.1:{server.server_address[1]}"
    if refusal is None:
        server.server_close()
    else:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0", "HF_HUB_ETAG_TIMEOUT": "2"}
    done = rimbench("run", "--system", "base", "--suite", suite_file, env=env)
    if refusal is not None:
        server.shutdown()
        server.server_close()
    first = done.stderr.find("rimbench: error: ")
    message, *helps = done.stderr[first:].splitlines()
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "Qwen/Qwen3-1.7B" in message and part in message and "--model PATH" in message
    assert all(line.startswith("rimbench:   ") for line in helps)
    assert bool(helps) == (part == "cannot be reached")  # a name that is wrong is not mended by another command


def test_systems_says_what_each_one_needs(rimbench):
    listed = {row["system"]: row for row in json.loads(rimbench("systems", "--json", check=True).stdout)}
    assert {"base", "base-direct", "cot", "rim-v1", "rim-v2", "smollm2", "smollm2-direct"} <= set(listed)
    assert "rimbench train rim-v2" in listed["rim-v2"]["obstacle"]
    assert listed["rim-v1"]["blocks"] == 8


@pytest.mark.parametrize("columns", [80, 120])
def test_tables_in_a_pipe_keep_each_row_on_one_line(rimbench, columns):
    printed = rimbench("systems", env={"COLUMNS": str(columns)}, check=True).stdout
    [line] = [line for line in printed.splitlines() if line.startswith("rim-v2 ")]
    assert "multiple-choice examples weighted up in stage 2" in line


def test_the_models_numbers_are_chosen_for_runs_and_sweeps_and_name_them(rimbench, tmp_path):
    asked = ("--system", "nano-rim-v2", "--suite", "demo-in-dist", "--limit", "2")
    usual, chosen = (
        tmp_path / rimbench("run", *asked, "--engine", "transformers", *more, check=True).stdout.strip()
        for more in ((), ("--dtype", "bfloat16"))
    )
    manifest = json.loads((chosen / "manifest.json").read_text())
    assert usual != chosen
    assert manifest["identity"]["engine"]["dtype"] == "bfloat16" and manifest["departures"]["dtype"] == [
        "float32",
        "bfloat16",
    ]
    swept = json.loads(rimbench("sweep", *asked, "--blocks", "1", "--dtype", "bfloat16", "--json", check=True).stdout)
    for name in ("k0", "k1"):
        kept = json.loads((tmp_path / swept["folder"] / name / "manifest.json").read_text())
        assert kept["identity"]["engine"]["dtype"] == "bfloat16"
    refused = rimbench("run", *asked, "--dtype", "int3")
    assert refused.returncode == 2 and "'float32', 'bfloat16'" in refused.stderr


def test_the_version_is_that_of_the_package(rimbench):
    assert rimbench("--version", check=True).stdout == f"rimbench {__version__}\n"


def test_recipes_say_what_each_trains_from_what_and_how_long_and_where_the_files_lie(rimbench):
    printed = rimbench("recipes", check=True).stdout
    [line] = [line for line in printed.splitlines() if line.startswith("nano-rim-v2 ")]
    assert "  nano-base  " in line
    assert "rim-stage1: 60 epochs, 2500 steps at most; rim-stage2: 60 epochs, 4500 steps at most" in line
    listed = {row["recipe"]: row for row in json.loads(rimbench("recipes", "--json", check=True).stdout)}
    assert listed["rim-stage2"]["base"]["recipe"] == "rim-stage1"
    for name, row in listed.items():
        assert row["file"].endswith(f"{name}.toml") and str(Path(row["file"]).parent) in printed


def test_the_most_new_tokens_are_chosen_for_a_run_and_name_it(rimbench, tmp_path):
    asked = ("run", "--system", "nano-cot", "--suite", "demo-in-dist", "-n", 2)
    usual, short = (
        tmp_path / rimbench(*asked, *more, check=True).stdout.strip() for more in ((), ("--max-new-tokens", 3))
    )
    manifest = json.loads((short / "manifest.json").read_text())
    assert usual != short and manifest["n"] == 2
    assert manifest["identity"]["system"]["answer"]["max_new_tokens"] == 3
    assert manifest["departures"]["max_new_tokens"][1] == 3
    assert all(json.loads(line)["generated_tokens"] <= 3 for line in (short / "records.jsonl").open())
    written = ("run", "--system", "nano-base-direct", "--suite", "demo-long", "-n", 1, "--max-new-tokens", 2)
    is_one_line(rimbench(*written), 2, "--max-new-tokens 2", "is read out", "--answer generate")
    rimbench(*written, "--answer", "generate", check=True)
    untold = rimbench("run", "--system", "base-direct", "--suite", "demo-long", "--answer", "generate")
    is_one_line(untold, 2, "states no max_new_tokens; add --max-new-tokens N")


def test_the_most_new_tokens_of_all_systems_are_of_those_that_write():
    chosen = choose_systems(Wanted("run", ["all"], ["demo-long"], max_new_tokens=3), Project(), lambda _: None)
    modes = {system.name: system.answer.mode for system in chosen}
    assert (modes["nano-cot"], modes["nano-direct"]) == ("generate", "readout")
    for system in chosen:
        own = systems.load(system.name).answer
        assert system.answer == (own if own.mode == "readout" else dataclasses.replace(own, max_new_tokens=3))
