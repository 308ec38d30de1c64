"""The engine on a server: what is sent and read, held against a real model behind a socket."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from served import Model, Scripted, serving

from rimbench import systems
from rimbench.conformance import CHECKS, check_engine
from rimbench.conformance.trial import MODEL
from rimbench.engines import Decoding, EngineChoice, Limits, Request, at_server, facts_for, open_engine
from rimbench.engines._replies import Message
from rimbench.errors import EngineError, ModelError, UsageError
from rimbench.records import Prompt
from rimbench.running.plans import RunSettings, find_served, plan_runs
from rimbench.suites import load

READ = Decoding(readout=True, max_new_tokens=1)
WRITE = Decoding(readout=False, max_new_tokens=20)


@pytest.fixture(scope="module")
def model():
    return Model(MODEL, "cot")


def ask(prompt, decoding):
    facts = facts_for("server", EngineChoice())
    with open_engine(MODEL, facts, Limits(512, 0)) as engine:
        [[(_, answers)]] = engine.answer([Request("q", prompt, (0,), decoding)], seed=3)
    return answers


def letters(model, *, ids=(5, 6, 7)):
    tokens = {x: model.tokenizer.encode(x, add_special_tokens=False)[-1] for x in "ABC"}
    return Prompt("", ids, "", tokens)


def test_it_keeps_to_the_contract_of_engines(model):
    with serving(model) as server, at_server(server.url):
        found = check_engine("server")
    assert [o for o in found.outcomes if o.passed is False] == []
    assert {o.check for o in found.outcomes if o.passed} == {check.name for check in CHECKS}


def test_one_request_a_question_reads_letters_of_any_rank(model):
    with serving(model) as server, at_server(server.url):
        [read] = ask(letters(model), READ)
    asked = [body for _, _, body in server.asked if len(body["prompt"]) == 3]
    assert len(asked) == 1
    assert asked[0]["prompt"] == [5, 6, 7]
    assert asked[0]["logprob_token_ids"] == list(letters(model).option_token_ids.values())
    assert list(read.option_logprobs) == ["A", "B", "C"]
    assert read.label_mass < 0.5  # no letter is likely behind these tokens


@pytest.mark.parametrize(
    ("details", "known"), [(None, None), ({}, None), ({"cached_tokens": 0}, 0), ({"cached_tokens": 16}, 16)]
)
def test_what_came_from_a_cache_is_unknown_where_the_server_does_not_say(details, known, model):
    class Told(Scripted):
        def complete(self, asked):
            status, reply = super().complete(asked)
            reply["usage"]["prompt_tokens_details"] = details
            return status, reply

    with serving(Told()) as server, at_server(server.url):
        [read] = ask(letters(model), replace(READ, traced=True))
    assert read.trace.cached_tokens == known


def test_a_server_without_the_asked_letters_gives_them_where_they_are_among_its_best(model):
    plain = Model(MODEL, "cot", extended=False)
    chat = [{"role": "user", "content": "The dose is 4 mg. Which is right?\nA: 8 mg\nB: 4 mg\nC: 2 mg"}]
    ids = tuple(model.tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False))
    boxed = (*ids, *model.tokenizer.encode("\\boxed{", add_special_tokens=False))
    with serving(model) as server, at_server(server.url):
        [wanted] = ask(letters(model, ids=boxed), READ)
    with serving(plain) as server, at_server(server.url):
        [found] = ask(letters(model, ids=boxed), READ)
        [lacking] = ask(letters(model, ids=(5, 6, 7)), READ)
    assert found.option_logprobs == pytest.approx(wanted.option_logprobs, abs=1e-4)
    assert "gave no log-probability for" in lacking.failure


def test_a_model_of_another_name_is_refused_with_those_that_there_are():
    system = systems.override(systems.load("nano-base"), model="gpt-9")
    said = "has the models 'scripted': expected 'gpt-9'"
    with serving(Scripted()) as server, at_server(server.url), pytest.raises(EngineError, match=said):
        find_served(system, "server")


def test_one_served_model_does_not_answer_for_two_systems_weights(tmp_path):
    suite, settings = load("demo-in-dist", limit=2), RunSettings(tmp_path, "server")
    both, said = [systems.load("nano-cot"), systems.load("nano-rim-v2")], "and 'nano-rim-v2', whose weights differ"
    with serving(Scripted()) as server, at_server(server.url), pytest.raises(UsageError, match=said):
        plan_runs(both, [suite], settings)


def test_a_run_is_named_by_the_weights_here_and_the_name_on_the_server(tmp_path):
    suite, settings = load("demo-in-dist", limit=2), RunSettings(tmp_path, "server")
    with serving(Scripted()) as server, at_server(server.url):
        [run] = plan_runs([systems.load("nano-cot")], [suite], settings)
    [here] = plan_runs([systems.load("nano-cot")], [suite], RunSettings(tmp_path, "transformers"))
    assert run.identity.weights_sha256 == here.identity.weights_sha256
    assert (run.identity.engine.name, run.identity.engine.served) == ("server", "scripted")
    assert run.name != here.name
    assert "served" not in here.identity.document["engine"]


def test_a_repository_whose_tokenizer_was_fetched_starts_without_the_hub(tmp_path):
    commit, kept = "a" * 40, tmp_path / "hub/models--some--model"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs/main").write_text(commit)
    shutil.copytree(MODEL, kept / "snapshots" / commit, ignore=shutil.ignore_patterns("*.safetensors"))
    code = (
        "from dataclasses import replace\nfrom rimbench import systems\n"
        "from rimbench.systems.weights import resolve_served\n"
        "system = systems.load('nano-cot')\n"
        "found = resolve_served(replace(system, weights=systems.Weights(repo='some/model')))\n"
        "print(found.folder.name, found.whole)"
    )
    nowhere = {"HF_HUB_CACHE": str(tmp_path / "hub"), "HF_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | nowhere, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == [commit, "False"], done.stderr


def test_a_folder_of_the_tokenizer_alone_is_enough(tmp_path):
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    for file in MODEL.iterdir():
        if file.suffix != ".safetensors" and file.is_file():
            (folder / file.name).write_bytes(file.read_bytes())
    system = systems.override(systems.load("nano-cot"), model=str(folder))
    with serving(Scripted()) as server, at_server(server.url):
        ready, served = find_served(system, "server")
    assert (served.name, ready.checkpoint.whole) == ("scripted", False)
    with pytest.raises(ModelError, match=r"holds no model\.safetensors"):
        plan_runs([system], [load("demo-in-dist", limit=2)], RunSettings(tmp_path, "transformers"))


def test_a_system_that_is_served_alone_is_asked_by_chat(tmp_path, rimbench):
    (tmp_path / "zero.toml").write_text(
        'description = "Zero-shot"\n[weights]\nserved = "scripted"\n[prompt]\ninstruction = "Box it."\n'
        '[answer]\nmode = "generate"\nmax_new_tokens = 9\n'
    )
    with serving(Scripted()) as server:
        run = ("run", "--system", "zero.toml", "--suite", "demo-in-dist", "--limit", "3", "--engine", "server")
        done = rimbench(*run, "--base-url", f"{server.url}/v1/", check=True)
    bodies = [body for _, _, body in server.asked]
    assert [message["content"].endswith("\n\nBox it.") for body in bodies for message in body["messages"]] == [
        True
    ] * 3
    folder = tmp_path / done.stdout.strip()
    rows = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    assert [(row["answer"], row["prompt_tokens"], row["generated_tokens"]) for row in rows] == [("A", 31, 5)] * 3
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["model_source"] == {"source": "scripted", "revision": None}
    assert manifest["device"]["server"] == server.url


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ('[prompt]\nprefix = "x"\n[answer]\nmode = "generate"\nmax_new_tokens = 2', "tokenizer on this machine"),
        ('[answer]\nmode = "readout"', "tokenizer on this machine"),
    ],
)
def test_by_chat_no_system_is_asked_that_needs_the_tokenizer(tmp_path, setting, why):
    file = tmp_path / "own.toml"
    file.write_text(f'description = "x"\n[weights]\nserved = "scripted"\n{setting}\n')
    with serving(Scripted()) as server, at_server(server.url), pytest.raises(UsageError, match=why):
        find_served(systems.load(str(file)), "server")


def test_served_alone_needs_the_engine_of_servers(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text('description = "x"\n[weights]\nserved = "gpt"\n[answer]\nmode = "generate"\nmax_new_tokens = 2\n')
    with pytest.raises(ModelError, match="needs a server that has gpt: --engine server"):
        plan_runs([systems.load(str(file))], [load("demo-in-dist", limit=2)], RunSettings(tmp_path, "transformers"))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("localhost:8000", "expected http://HOST:PORT"),
        ("ftp://localhost", "expected http://HOST:PORT"),
        ("http://:80", "expected http://HOST:PORT"),
        ("http://h:port", "expected http://HOST:PORT"),
        ("http://me:secret@host", "holds a user, a password or a query"),
        ("http://host/?key=secret", "holds a user, a password or a query"),
    ],
)
def test_a_base_url_is_one_without_secrets(url, why):
    with at_server(url), pytest.raises(UsageError, match=why) as error:
        find_served(systems.load("nano-cot"), "server")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "written", "refused"),
    [
        ([{"type": "text", "text": "It is "}, {"type": "text", "text": "A"}], "It is A", ""),
        ([{"type": "thinking", "thinking": []}, {"type": "text", "text": "A"}], "A", ""),
        ([{"type": "refusal", "refusal": "I cannot"}], "I cannot", "I cannot"),
        ([], "", ""),
    ],
)
def test_a_message_may_come_in_pieces(content, written, refused):
    message = Message.model_validate({"content": content})
    assert (message.written, message.refused) == (written, refused)


def test_letters_that_hold_more_than_all_are_none(model):
    class Sure(Scripted):
        def complete(self, asked):
            status, reply = super().complete(asked)
            top = reply["choices"][0]["logprobs"]["top_logprobs"]
            top[0] = dict.fromkeys(top[0], -0.1)
            return status, reply

    with serving(Sure()) as server, at_server(server.url):
        [read] = ask(letters(model), READ)
    assert "the letters hold 2.715, expected 1 at most" in read.failure
