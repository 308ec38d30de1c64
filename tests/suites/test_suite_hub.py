"""Rows come from a hub at a commit, and every way in which a hub can fail is one line. A real server answers."""

import json
import os
import socket
import subprocess
import sys

import pytest
from fake_hub import COMMIT, FILE, REPO, hub

# A hub is asked, whatever the environment that the tests are started in says.
ASKS = {"HF_HUB_OFFLINE": "0", "HF_DATASETS_OFFLINE": "0", "HF_HUB_ETAG_TIMEOUT": "2"}
TABLE = [{"question": f"Q{i}", "options": ["yes", "no"], "gold": "B"} for i in range(5)]
TABLE_LAYOUT = 'name = "x"\nquestion = "question"\noptions = "options"\ngold = { letter = "gold" }'


def conversation(i):
    user = {"role": "user", "content": f"Question {i}?\nA. yes {i}\nB. no {i}"}
    return {"messages": [user, {"role": "assistant", "content": "The final answer is \\boxed{B}."}]}


@pytest.fixture
def show(tmp_path, write_suite):
    """`rimbench suites show` in a process of its own, against a hub's address, with an empty cache."""

    def run(address, source, layout=TABLE_LAYOUT, more="", n=1000, **environment):
        suite = write_suite(
            f'description = "x"\nn = {n}\n{more}\n[source]\nrepo = "{REPO}"\n{source}\n[[layout]]\n{layout}\n'
        )
        return subprocess.run(
            [sys.executable, "-c", "from rimbench.cli.app import main; main()", "suites", "show", suite, "--json"],
            env={**os.environ, **ASKS, "HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "hf"), **environment},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return run


def jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def is_one_line(done, *parts):
    lines = done.stderr.strip().split("\n")
    assert done.returncode == 1
    assert lines[-1].startswith("rimbench: error: ")
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in lines[-1]


def test_a_file_is_fetched_at_its_commit_and_then_read_without_a_network(show):
    source = f'revision = "{COMMIT}"\nfile = "{FILE}"'
    with hub(jsonl(TABLE)) as address:
        online = show(address, source)
    assert online.returncode == 0, online.stderr
    offline = show(address, source)
    assert json.loads(offline.stdout) == json.loads(online.stdout)
    assert json.loads(online.stdout)["n"] == 5


def test_a_branch_is_resolved_to_a_commit_and_streamed_up_to_the_last_item_that_is_needed(show):
    rows = jsonl([conversation(i) for i in range(300)])
    with hub(rows) as address:
        done = show(
            address,
            'revision = "main"\nsplit = "train"',
            'name = "x"\nmessages = "messages"',
            more="heldout = { fraction = 0.5 }",
            n=10,
        )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["n"] == 10
    assert document["audit"]["rows"] < 60
    assert {item["gold"] for item in document["items"]} == {"B"}


@pytest.mark.parametrize(
    ("refusal", "parts"),
    [
        ((403, "GatedRepo"), ("is gated", "log in", "--data FILE")),
        ((401, "GatedRepo"), ("is gated", "log in", "--data FILE")),
        ((404, "RepoNotFound"), (REPO, "no such data set", "--data FILE")),
        ((404, "RevisionNotFound"), ("no such revision", "--data FILE")),
        ((500, ""), ("cannot be fetched", "--data FILE")),
    ],
)
def test_what_a_hub_refuses_is_said_in_one_line(show, refusal, parts):
    with hub(refusal=refusal) as address:
        is_one_line(show(address, f'revision = "{COMMIT}"\nfile = "{FILE}"'), *parts)


def test_a_file_that_the_data_set_lacks_is_said_in_one_line(show):
    with hub(jsonl(TABLE)) as address:
        done = show(address, f'revision = "{COMMIT}"\nfile = "data/other.jsonl"')
    is_one_line(done, REPO, "data/other.jsonl: no such file", "--data FILE")


@pytest.mark.parametrize(
    ("refusal", "part"),
    [
        ((403, "GatedRepo"), "is gated"),
        ((404, "RepoNotFound"), "no such data set"),
        ((404, "RevisionNotFound"), "no such revision"),
    ],
)
@pytest.mark.parametrize("revision", ["main", COMMIT])
def test_what_a_hub_refuses_to_stream_is_said_in_one_line(show, refusal, part, revision):
    with hub(refusal=refusal) as address:
        done = show(address, f'revision = "{revision}"\nsplit = "train"', 'name = "x"\nmessages = "messages"')
    # A branch is asked for by our own call, a commit by the library's, which tells less.
    is_one_line(done, REPO, part if revision == "main" else "cannot be fetched (", "--data FILE")


def test_a_file_that_is_kept_from_being_fetched_says_by_what(show):
    with hub(jsonl(TABLE)) as address:
        done = show(address, f'revision = "{COMMIT}"\nfile = "{FILE}"', HF_HUB_OFFLINE="1")
    is_one_line(done, REPO, "HF_HUB_OFFLINE keeps from fetching it", "--data FILE")


@pytest.mark.parametrize(
    "source",
    [
        f'revision = "{COMMIT}"\nfile = "{FILE}"',
        'revision = "main"\nsplit = "train"',
        f'revision = "{COMMIT}"\nfile = "{"long" * 1000}.jsonl"',  # longer than a file's name can be
    ],
)
def test_no_network_is_said_in_one_line(show, source):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    done = show(address, source)
    is_one_line(done, REPO, "cannot be fetched (Connection refused)", "--data FILE")
    assert done.stderr.count("\n") == 1
