"""What goes wrong between rimbench and a server: each fault met by a later try, or kept, said and asked again."""

import json
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from served import Scripted, serving

import rimbench
from rimbench.engines import _endpoint
from rimbench.errors import EngineError, UsageError

KEY = "sk-secret/0123456789"
ITEMS = 4


def reset(handler):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.close(handler.connection.detach())
    handler.close_connection = True


def half_a_reply(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"model": "scrip')
    handler.close_connection = True


def hang(handler):
    handler.connection.recv(1)  # until whoever asked leaves
    handler.close_connection = True


def trickle(handler):
    """A byte now and then, until whoever asked leaves: no single read waits for long."""
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    for _ in range(4999):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


def status(code, body=b"overloaded", **headers):
    return lambda handler: handler.reply(code, body, **headers)


PASSING = {
    "429 with Retry-After": status(429, Retry_After="0.2"),
    "429 with a date": status(429, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"),
    "500": status(500),
    "503 with an HTML page": status(503, b"<html>busy</html>"),
    "408": status(408),
    "reset": reset,
    "half a reply": half_a_reply,
    "hang": hang,
    "trickle": trickle,
    "malformed JSON": status(200, b'{"model": "scripted", "choices": [{'),
    "an HTML page": status(200, b"<html>welcome</html>"),
    "a list": status(200, b"[]"),
    "bytes that are no text": status(200, b"\xff\xfe\x00{"),
    "nothing at all": status(200, b""),
    "gzip that is none": status(200, b"{}", Content_Encoding="gzip"),
    "an error that is called a success": status(200, b'{"error": {"message": "overloaded", "code": 503}}'),
    "a key that stands twice": status(200, b'{"model": "a", "model": "b", "choices": [{"text": "A"}]}'),
}
PATIENCE_S = {"hang": "2", "trickle": "2"}
"""Elsewhere no reply is late, however busy the machine is."""
KEPT = {
    "400": (status(400, b'{"error": "too long"}'), "400 .*too long"),
    "a redirect": (
        status(307, Location="http://127.0.0.1:9/"),
        "307, it leads to http://127.0.0.1:9/: expected the server itself as base URL",
    ),
    "an error that stays": (
        status(200, b'{"error": "no such model"}'),
        r"200 .*no such model.*4 tries",
    ),
    "token ids below 0": (
        status(200, b'{"choices": [{"text": "A", "token_ids": [-1]}]}'),
        r"token_ids.0: expected 0 or more \(got -1\)",
    ),
    "an object without choices": (status(200, b'{"model": "scripted"}'), "choices: required, but missing"),
    "no choice": (status(200, b'{"model": "scripted", "choices": []}'), "choices: expected 1 or more entries"),
    "a text that is none": (status(200, b'{"choices": [{"text": 5}]}'), r"choices.0.text: expected a text \(got 5\)"),
    "a count below 0": (
        status(200, b'{"choices": [{"text": "A"}], "usage": {"completion_tokens": -1}}'),
        r"usage.completion_tokens: expected 0 or more \(got -1\)",
    ),
    "a longer wait than is waited": (status(429, Retry_After="86400"), r"429 overloaded \(1 try\)"),
    "a wait for ever": (status(429, Retry_After="inf"), r"429 overloaded \(1 try\)"),
}
ENDING = {
    "401": (status(401, KEY.encode()), "refuses the key"),
    "another model": (
        status(200, b'{"model": "tiny-9", "choices": [{"text": "A"}]}'),
        "answered for model 'tiny-9', 'scripted' was asked",
    ),
    "other ids": (
        status(200, b'{"choices": [{"text": "A", "prompt_token_ids": [1, 2]}]}'),
        "changed the prompt of item",
    ),
    "one more token": (
        status(200, b'{"choices": [{"text": "A"}], "usage": {"prompt_tokens": 999}}'),
        "changed the prompt of item",
    ),
}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv(_endpoint.API_KEY, KEY)
    monkeypatch.setattr(_endpoint, "BACKOFF_S", 0.01)


@pytest.fixture
def server():
    with serving(Scripted()) as found:
        yield found


def run(server, folder, **options):
    given = {"limit": ITEMS, "batch_size": 1, "max_errors": 0.5, "results": folder, **options}
    done = rimbench.run("nano-cot", "demo-in-dist", engine="server", base_url=server.url, **given)
    return [json.loads(line) for line in (done.runs[0].folder / "records.jsonl").read_text().splitlines()]


def standing(rows):
    """What stands of each item: the last of its lines."""
    return {row["item_id"]: row for row in rows}


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_is_met_by_another_try(server, tmp_path, monkeypatch, fault):
    monkeypatch.setenv(_endpoint.TIMEOUT, PATIENCE_S.get(fault, "300"))
    server.faults.extend([PASSING[fault]] * 2)
    rows = run(server, tmp_path)
    assert [row["status"] for row in rows] == ["ok"] * ITEMS
    assert len([body for _, _, body in server.asked if len(body["prompt"]) > 1]) == ITEMS + 2


def test_the_server_says_how_long_to_wait(server, tmp_path):
    server.faults.append(status(429, Retry_After="0.7"))
    run(server, tmp_path)
    first, second = [at for at, _, body in server.asked if len(body["prompt"]) > 1][:2]
    assert second - first >= 0.7


@pytest.mark.parametrize("fault", ["500", "reset", "half a reply", "hang", "malformed JSON", *KEPT])
def test_what_fails_after_its_tries_is_kept_and_asked_again_by_the_next_start(server, tmp_path, monkeypatch, fault):
    monkeypatch.setenv(_endpoint.TIMEOUT, PATIENCE_S.get(fault, "300"))
    lasting = PASSING.get(fault) or KEPT[fault][0]
    seen = []

    def of_one_item(handler):
        prompt = handler.asked["prompt"]
        seen[:] = seen or [prompt]
        if prompt == seen[0]:
            lasting(handler)
        else:
            handler.reply(*server.model.complete(handler.asked))

    server.always = of_one_item
    rows = standing(run(server, tmp_path))
    assert sorted(row["status"] for row in rows.values()) == ["engine_error"] + ["ok"] * (ITEMS - 1)
    server.always = None
    rows = standing(run(server, tmp_path))
    assert [row["status"] for row in rows.values()] == ["ok"] * ITEMS


@pytest.mark.parametrize("fault", KEPT)
def test_what_is_kept_says_what_the_server_said(server, tmp_path, fault):
    lasting, said = KEPT[fault]
    server.always = lasting
    with pytest.raises(EngineError, match=f"failed on the first item.*{said}"):
        run(server, tmp_path)


@pytest.mark.parametrize("fault", ENDING)
def test_what_no_further_question_can_mend_ends_the_run_and_keeps_what_was_answered(server, tmp_path, fault):
    lasting, said = ENDING[fault]
    server.faults.extend([None, None, lasting])
    with pytest.raises(EngineError, match=said):
        run(server, tmp_path)
    [records] = tmp_path.glob("*/records.jsonl")
    assert len(records.read_text().splitlines()) == 2


def test_a_dated_name_is_the_same_model(server, tmp_path):
    server.always = status(200, b'{"model": "scripted-2026-08-06", "choices": [{"text": "A"}]}')
    assert len(run(server, tmp_path)) == ITEMS


def test_a_server_that_is_not_there_is_said_in_one_line(tmp_path):
    with serving(Scripted()) as gone:
        pass
    with pytest.raises(EngineError, match=rf"the server at {gone.url} lists no models: .*\(4 tries\)"):
        run(gone, tmp_path)


def test_a_server_that_answers_nothing_is_not_said_to_take_no_ids(server, tmp_path):
    server.paths["/v1/completions"] = lambda asked: (503, {})
    with pytest.raises(EngineError, match=rf"the server at {server.url} does not answer \(.* 503 .*4 tries\)"):
        run(server, tmp_path)


def test_a_server_that_dies_ends_the_run_and_the_next_start_goes_on(server, tmp_path):
    server.faults.extend([None] * 3)
    server.always = reset
    with pytest.raises(EngineError, match="failed on 16 of 40 answers"):
        run(server, tmp_path, limit=40, max_errors=0.05)
    server.always = None
    rows = standing(run(server, tmp_path, limit=40))
    assert [row["status"] for row in rows.values()] == ["ok"] * 40


def test_many_are_in_flight_and_no_more_than_were_chosen(server, tmp_path):
    here, most, several = [], [], threading.Event()

    def slow(handler):
        here.append(1)
        most.append(len(here))
        if len(here) > 1:
            several.set()
        several.wait(60)
        time.sleep(0.05)
        here.pop()
        handler.reply(*server.model.complete(handler.asked))

    server.always = slow
    run(server, tmp_path / "four", limit=16, batch_size=4)
    assert 1 < max(most) <= 4


def test_a_certificate_that_does_not_fit_is_said_and_not_tried_again(server, tmp_path):
    pem, certificate = tmp_path / "own.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=elsewhere"]
    subprocess.run([*made, "-keyout", pem, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = server.url.replace("http:", "https:")
    with pytest.raises(EngineError, match=r"the certificate of https://.* does not fit"):
        run(server, tmp_path / "results")


def test_the_key_is_sent_and_stands_in_no_file_and_no_word(server, tmp_path, rimbench):
    body = json.dumps({"model": "scripted", "choices": [{"text": f"\\boxed{{A}} {KEY}"}], "error": KEY})
    escaped = body.replace("/", "\\/").replace("sk-", "\\u0073k-")
    server.faults.append(None)
    for code in (200, 400, 500, 500, 500, 500, 401):
        server.faults.extend([status(code, body.encode()), status(code, escaped.encode())])
    run_ = ("run", "--system", "nano-cot", "--suite", "demo-in-dist", "--limit", 9, "--engine", "server")
    done = rimbench(*run_, "--base-url", server.url, "--batch-size", 1, "--max-errors", "0.9")
    assert {key for _, key, _ in server.asked} == {f"Bearer {KEY}"}
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"\\boxed{A}" in kept
    assert KEY.encode() not in kept
    assert KEY not in done.stdout + done.stderr
    assert "refuses the key" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("key", ["two words", "schlüssel-geheim", "line\nbreak"])
def test_a_key_that_no_header_holds_is_refused_without_showing_it(server, tmp_path, monkeypatch, key):
    monkeypatch.setenv(_endpoint.API_KEY, key)
    with pytest.raises(UsageError, match="RIMBENCH_API_KEY holds characters that no key has") as error:
        run(server, tmp_path)
    assert key not in str(error.value)


def test_an_interrupted_run_goes_on(server, tmp_path):
    import tiny

    with pytest.raises(KeyboardInterrupt):
        run(server, tmp_path, progress=tiny.Watching(stop_after=2))
    assert [row["status"] for row in run(server, tmp_path)] == ["ok"] * ITEMS


def test_python_stays_usable(server, tmp_path):
    """The engine's own loop leaves that of a notebook alone."""
    code = (
        "import asyncio\nimport rimbench\n"
        "async def main():\n"
        f"    rimbench.run('nano-cot', 'demo-in-dist', limit=2, engine='server', base_url='{server.url}')\n"
        "asyncio.run(main())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Fickle(Scripted):
    """Answers every prompt with another letter whenever it is asked again."""

    def __init__(self):
        self.seen = Counter()

    def complete(self, asked):
        status, reply = super().complete(asked)
        prompt = tuple(asked["prompt"])
        self.seen[prompt] += 1
        reply["choices"][0]["text"] = f"\\boxed{{{'AB'[(self.seen[prompt] - 1) % 2]}}}"
        return status, reply


@pytest.mark.parametrize(("model", "said"), [(Fickle(), True), (Scripted(), False)])
def test_a_server_that_answers_one_prompt_otherwise_when_asked_again_is_said_and_its_first_answers_kept(
    model, said, tmp_path
):
    import tiny

    watching = tiny.Watching()
    with serving(model) as server:
        rows = run(server, tmp_path, limit=40, progress=watching)
        asked = len([body for _, _, body in server.asked if len(body["prompt"]) > 1])
    assert [row["answer"] for row in rows] == ["A"] * 40
    assert 40 < asked <= 44
    assert watching.says("asked a second time, the server answered otherwise (item '") == said
    assert watching.says(r"'\\boxed{A}', then '\\boxed{B}'") == said
