"""Proxies and authorities that the environment names: what cannot be used is said, and nothing secret of it."""

import pytest
from served import Scripted, serving

KEY = "sk-secret/0123456789"
UNUSABLE = {
    "HTTP_PROXY": "ftp://user:secret@proxy.invalid:8080",
    "ALL_PROXY": "socks5://user:secret@proxy.invalid:1080",
    "SSL_CERT_FILE": "/no/such/secret.pem",
}


@pytest.fixture
def ask(rimbench, monkeypatch):
    """Asks a server with further variables in the environment: what a user is told, and the exit code."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("RIMBENCH_API_KEY", KEY)
    run = ("run", "--system", "nano-cot", "--suite", "demo-in-dist", "--limit", 2, "--engine", "server")

    def ask(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with serving(Scripted()) as server:
            done = rimbench(*run, "--base-url", server.url)
        assert "Traceback" not in done.stderr
        assert "secret" not in done.stderr
        return done.stderr.strip(), done.returncode

    return ask


@pytest.mark.parametrize(("name", "value"), UNUSABLE.items())
def test_what_cannot_be_used_is_named_without_what_it_holds(ask, name, value):
    said, code = ask(**{name: value})
    assert code == 2
    assert len(said.splitlines()) == 1
    assert f"{name}" in said.partition("expected a proxy as http://HOST:PORT")[0]


def test_a_proxy_that_is_not_there_is_named_and_no_proxy_leaves_it_out(ask):
    said, code = ask(HTTP_PROXY="http://user:secret@127.0.0.1:1")
    assert code == 1
    assert "lists no models: /v1/models: ConnectError: All connection attempts failed, by way of HTTP_PROXY" in said
    assert ask(NO_PROXY="127.0.0.1")[1] == 0
