"""The few addresses of the hub that an upload asks, on loopback: repositories of models, in memory.

`repos` has each repository's files by path. A fault is a function of the handler that answers every request to an
address that ends so. `seen` has every request as (method, path, headers).
"""

import base64
import contextlib
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hub(ThreadingHTTPServer):
    """Takes the token `hf_good`, and no other, for one that may write."""

    token = "hf_good"

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.repos, self.stored, self.private = {}, {}, {}
        self.faults, self.seen = {}, []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer_by("GET")

    def do_POST(self):
        self.answer_by("POST")

    def do_PUT(self):
        self.answer_by("PUT")

    def answer_by(self, method):
        hub, path = self.server, self.path.partition("?")[0]
        hub.seen.append((method, path, dict(self.headers)))
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            self.body = self.read_chunks()
        for ending, fault in hub.faults.items():
            if path.endswith(ending):
                return fault(self)
        if path.startswith("/stored/"):
            hub.stored[path.removeprefix("/stored/")] = self.body
            return self.say(200, {})
        if path == "/api/validate-yaml":
            return self.say(200, {"errors": [], "warnings": []})
        if self.headers.get("Authorization") != f"Bearer {hub.token}":
            return self.say(401, {}, {"X-Error-Message": "Invalid credentials in Authorization header"})
        return self.route(method, path)

    def route(self, method, path):
        hub = self.server
        if path == "/api/repos/create":
            return self.create(json.loads(self.body))
        kind, _, rest = path.removeprefix("/").partition("/")
        repo = next((r for r in hub.repos if r in path), None)
        if repo is None:
            return self.say(404, {}, {"X-Error-Code": "RepoNotFound"})
        if path.endswith("/objects/batch"):
            asked = json.loads(self.body)["objects"]
            objects = [{**o, "actions": {"upload": {"href": f"{hub.url}/stored/{o['oid']}"}}} for o in asked]
            return self.say(200, {"transfer": "basic", "objects": objects})
        if "/preupload/" in path:
            sizes = json.loads(self.body)["files"]
            return self.say(200, {"files": [self.mode(each["path"]) for each in sizes]})
        if "/commit/" in path:
            return self.commit(repo)
        assert (method, kind, rest) == ("GET", "api", f"models/{repo}")
        names = [{"rfilename": name} for name in hub.repos[repo]]
        return self.say(200, {"id": repo, "modelId": repo, "private": hub.private[repo], "siblings": names})

    def create(self, asked):
        repo = f"{asked['organization']}/{asked['name']}"
        if repo in self.server.repos:
            return self.say(409, {"error": "You already created this model repo"})
        self.server.repos[repo] = {".gitattributes": b""}
        self.server.private[repo] = asked.get("visibility") == "private" or bool(asked.get("private"))
        return self.say(200, {"url": f"{self.server.url}/{repo}"})

    def mode(self, path):
        mode = "lfs" if path.endswith(".safetensors") else "regular"
        return {"path": path, "uploadMode": mode, "shouldIgnore": False}

    def commit(self, repo):
        files = {}
        for line in self.body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                content = self.server.stored[value["oid"]]
                assert hashlib.sha256(content).hexdigest() == value["oid"] and len(content) == value["size"]
                files[value["path"]] = content
        self.server.repos[repo].update(files)
        oid = hashlib.sha1(self.body).hexdigest()
        return self.say(200, {"commitUrl": f"{self.server.url}/{repo}/commit/{oid}", "commitOid": oid})

    def read_chunks(self):
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def say(self, status, document, headers=()):
        content = json.dumps(document).encode()
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def answers(status, document=(), headers=()):
    """A fault that gives this answer."""
    return lambda handler: handler.say(status, dict(document), headers)


@contextlib.contextmanager
def serving():
    """A hub that is asked for as long as the block lasts."""
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()
