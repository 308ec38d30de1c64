"""`rimbench suites` as it is typed, in a process of its own."""

import json
import subprocess
import sys

import pytest


@pytest.fixture
def rimbench():
    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-c", "from rimbench.cli.app import main; main()", "suites", *arguments],
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def mine(table_suite, write_rows):
    rows = [
        {"question": f"Q{i} [bold]?", "options": {"A": f"a{i}", "B": f"ü{i}"}, "gold": "AB"[i % 2]} for i in range(30)
    ]
    rows.append({"question": "Q", "options": {"A": "same", "B": "same"}, "gold": "A"})
    return table_suite(n=50), str(write_rows(rows))


def test_a_suite_is_shown_as_json_with_exactly_the_agreed_keys(rimbench, mine):
    suite, data = mine
    document = json.loads(rimbench("show", suite, "--data", data, "--limit", "3", "--json").stdout)
    assert list(document) == ["suite", "n", "content_sha256", "audit", "items"]
    assert [list(item) for item in document["items"]] == [["item_id", "question", "options", "gold"]] * 3
    assert (document["suite"], document["n"]) == ("mine", 3)
    assert document["audit"]["faults"] == {"equal_options": {"count": 1, "item_ids": ["30"]}}
    assert document["items"][0]["options"]["B"].startswith("ü")


def test_a_summary_tells_source_hash_histogram_faults_and_an_item(rimbench, mine):
    done = rimbench("show", mine[0], "--data", mine[1])
    for part in ["rows.jsonl", "30 of 30 usable", "A 15, B 15", "equal options", "1: 30", "[bold]?", "B: ü"]:
        assert part in done.stdout
    assert "30 items of the 50 asked for" in done.stderr


def test_the_listing_has_a_json_form(rimbench):
    suites = json.loads(rimbench("--json").stdout)
    assert {"in-dist", "medmcqa", "medqa"} <= {suite["name"] for suite in suites}
    assert {"name", "description", "source", "n", "loadable", "why"} == set(suites[0])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("show", "medqua"), 2, "unknown suite 'medqua': did you mean medqa"),
        (("show", "medqa", "--data", "none.jsonl"), 1, "none.jsonl: cannot be read (No such file or directory)"),
        (("show", "medqa", "--limit", "0"), 2, "limit 0: must be at least 1"),
        (("show", "none.toml"), 2, "none.toml does not exist"),
        (("show", "medqa", "--slice", "train", "--data", "none.jsonl"), 2, "has no train slice"),
    ],
)
def test_wrong_use_is_one_line_and_an_exit_code(rimbench, arguments, code, message):
    done = rimbench(*arguments)
    assert done.returncode == code
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_importing_suites_imports_nothing_heavy():
    heavy = "{'pandas', 'datasets', 'torch', 'transformers', 'huggingface_hub', 'pyarrow', 'pydantic'}"
    code = f"import sys, rimbench.suites, rimbench.cli.suites; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
