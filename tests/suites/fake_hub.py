"""A hub on 127.0.0.1 with one data set: what the hub's client asks for, and the refusals that it knows."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

COMMIT = "a" * 40
REPO = "someone/questions"
FILE = "data/train.jsonl"


class _Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    rows = b""
    refusal: tuple[int, str] | None = None

    def log_message(self, *_):
        pass

    def _answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        if self.refusal is not None:
            status, code = self.refusal
            self._send(status, b"", {"X-Error-Code": code, "X-Error-Message": code})
        elif path.startswith(f"/api/datasets/{REPO}/revision/"):
            self._send(200, json.dumps({"id": REPO, "sha": COMMIT, "siblings": [{"rfilename": FILE}]}).encode())
        elif path.startswith(f"/api/datasets/{REPO}/tree/{COMMIT}"):
            file = {"type": "file", "path": FILE, "size": len(self.rows), "oid": "b" * 40}
            folder = {"type": "directory", "path": "data", "oid": "c" * 40}
            self._send(200, json.dumps([file if path.endswith("/data") else folder]).encode())
        elif path == f"/datasets/{REPO}/resolve/{COMMIT}/{FILE}":
            self._send_rows()
        else:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})

    do_GET = do_HEAD = do_POST = _answer  # noqa: N815

    def _send_rows(self):
        headers = {"X-Repo-Commit": COMMIT, "ETag": '"' + "b" * 40 + '"', "Accept-Ranges": "bytes"}
        asked = self.headers.get("Range")
        if asked is None:
            self._send(200, self.rows, headers)
            return
        first, _, last = asked.removeprefix("bytes=").partition("-")
        part = self.rows[int(first) : int(last) + 1 if last else None]
        headers["Content-Range"] = f"bytes {first}-{int(first) + len(part) - 1}/{len(self.rows)}"
        self._send(206, part, headers)

    def _send(self, status, body, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def hub(rows: bytes = b"", refusal: tuple[int, str] | None = None) -> Iterator[str]:
    """The address of a running hub that holds the rows, or refuses everything with a status and a code."""
    handler = type("Hub", (_Hub,), {"rows": rows, "refusal": refusal})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
