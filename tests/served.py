"""A server for tests: OpenAI's completions and chats on loopback, answered by a real tiny model, with faults.

A fault is a function of the handler that is called in the place of the next answer to a question; the question that
finds out what a server takes, of one token, meets none.
"""

import contextlib
import json
import math
import os
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from rimbench import checkpoints

LONGEST_START_S = 300


class Model:
    """Plain passes of a checkpoint folder: completions in vLLM's words, or with `extended=False` in OpenAI's."""

    def __init__(self, folder, name, extended=True):
        import torch

        self._torch, self._lock = torch, threading.Lock()
        self.tokenizer = checkpoints.read_tokenizer(folder)
        self._model = checkpoints.load_model(folder, "float32").eval()
        self.name, self.extended = name, extended
        self._ends = set(checkpoints.end_token_ids(folder))

    def complete(self, asked):
        if not self.extended and {"logprob_token_ids", "return_token_ids"} & set(asked):
            return 400, {"error": {"message": "unknown field"}}
        if asked.get("logprobs", 0) > 20:
            return 400, {"error": {"message": "logprobs: at most 20"}}
        ids, written, first = list(asked["prompt"]), [], None
        draws = self._torch.Generator().manual_seed(asked.get("seed", 0) % 2**63)
        while len(written) < asked["max_tokens"] and not self._ends & set(written):
            shares = self._logits(ids + written).log_softmax(-1)
            first = shares if first is None else first
            written.append(self._next(shares, asked, draws))
        finished = bool(self._ends & set(written))
        choice = {"index": 0, "text": self.tokenizer.decode(written, skip_special_tokens=True)}
        choice |= {"finish_reason": "stop" if finished else "length", "logprobs": self._ranked(asked, first)}
        if asked.get("return_token_ids"):
            choice |= {"token_ids": written, "prompt_token_ids": ids}
        usage = {"prompt_tokens": len(ids), "completion_tokens": len(written)}
        return 200, {"model": self.name, "choices": [choice], "usage": usage}

    def chat(self, asked):
        ids = self.tokenizer.apply_chat_template(asked["messages"], add_generation_prompt=True, return_dict=False)
        status, completion = self.complete({"max_tokens": asked["max_tokens"], "prompt": ids, "temperature": 0})
        (choice,) = completion["choices"]
        message = {"role": "assistant", "content": choice["text"]}
        completion["choices"] = [{"index": 0, "message": message, "finish_reason": choice["finish_reason"]}]
        return status, completion

    def _logits(self, ids):
        with self._lock, self._torch.inference_mode():
            return self._model(input_ids=self._torch.tensor([ids]), use_cache=False).logits[0, -1].double()

    def _next(self, shares, asked, draws):
        if not asked["temperature"]:
            return int(shares.argmax())
        drawn, tokens = (shares / asked["temperature"]).softmax(-1).sort(descending=True)
        kept = drawn * ((drawn.cumsum(-1) - drawn) < asked["top_p"])
        return int(tokens[self._torch.multinomial(kept, 1, generator=draws)])

    def _ranked(self, asked, first):
        if "logprobs" not in asked:
            return None
        tokens = asked.get("logprob_token_ids") or first.topk(asked["logprobs"]).indices.tolist()
        by_id = asked.get("return_tokens_as_token_ids")
        named = {
            f"token_id:{t}" if by_id else self.tokenizer.decode([t]): max(float(first[t]), -9999) for t in tokens
        }
        return {"top_logprobs": [named]}


class Scripted:
    """Answers the first letter of every question, at once, without a model."""

    name, extended = "scripted", True

    def complete(self, asked):
        ids = asked["prompt"]
        letters = {f"token_id:{t}": math.log(0.5) - i for i, t in enumerate(asked.get("logprob_token_ids", ()))}
        choice = {"text": "\\boxed{A}", "finish_reason": "stop", "logprobs": {"top_logprobs": [letters]}}
        choice["prompt_token_ids"] = ids
        usage = {"prompt_tokens": len(ids), "completion_tokens": 5}
        return 200, {"model": self.name, "choices": [choice], "usage": usage}

    def chat(self, asked):
        message = {"role": "assistant", "content": "\\boxed{A}"}
        usage = {"prompt_tokens": 31, "completion_tokens": 5}
        return 200, {"model": self.name, "choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        models = [{"id": self.server.model.name, "object": "model"}]
        self.reply(200, {"data": models} if self.path == "/v1/models" else {})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked = asked
        self.server.asked.append((time.monotonic(), self.headers.get("Authorization"), asked))
        probe = len(asked.get("prompt", ())) == 1
        fault = self.server.next_fault() if not probe else None
        if fault is not None:
            fault(self)
            return
        self.reply(*self.server.paths[self.path](asked))

    def reply(self, status, body, **headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": len(content), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, model, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.model, self.asked, self.faults, self.always = model, [], deque(), None
        self.paths = {"/v1/completions": model.complete, "/v1/chat/completions": model.chat}
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def next_fault(self):
        with contextlib.suppress(IndexError):
            return self.faults.popleft()
        return self.always

    def handle_error(self, *_):
        pass


@contextlib.contextmanager
def serving(model, port=0):
    server = Server(model, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def running(folder, *command, path="/", **environment):
    """A server, started with a free port behind the command: its URL, once it answers at `path`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    log = folder / f"server-{port}.log"
    with log.open("w") as told:
        process = subprocess.Popen(
            [*command, port], env=os.environ | environment, stdout=told, stderr=told, cwd=folder
        )
    url, until = f"http://127.0.0.1:{port}", time.monotonic() + LONGEST_START_S
    try:
        while True:
            try:
                urllib.request.urlopen(f"{url}{path}", timeout=5)
                break
            except urllib.error.HTTPError as refused:
                if refused.code != 503:  # it answers, whatever it has there; with 503 it still loads
                    break
                time.sleep(0.2)
            except OSError:
                assert process.poll() is None and time.monotonic() < until, log.read_text()[-2000:]
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait()
