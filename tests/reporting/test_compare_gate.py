"""`rimbench compare --fail-if`: a comparison as a gate, with an exit code that no other end of a command has."""

import json
import subprocess
import sys

import pytest
from report_runs import IDENTITY, record
from typer.testing import CliRunner

from rimbench.cli.app import app
from rimbench.errors import RimbenchError

# Of 400 items: SAME differs from BASE nowhere, BEHIND has 60 fewer right.
BASE = "A" * 200 + "B" * 200
LETTERS = {"base": BASE, "same": BASE, "behind": "A" * 140 + "B" * 260, "ahead": "A" * 260 + "B" * 140}


@pytest.fixture
def gate(write_run):
    """Runs the command over runs of the named systems; returns its exit code, output and error."""

    def run(a, b, *options):
        for system in (a, b):
            letters = BASE[195:205] if "few" in (a, b) else LETTERS[system]
            answers = [record(str(i), letter) for i, letter in enumerate(letters)]
            made = {"run": f"{system}-suite", "system": system, "suite": "suite", "n": len(letters), "departures": {}}
            results = write_run(answers, len(letters), **made, identity=IDENTITY)
        done = CliRunner().invoke(app, ["compare", a, b, "--results", str(results), *options])
        if done.exception is not None and not isinstance(done.exception, RimbenchError | SystemExit):
            raise done.exception
        code = done.exception.exit_code if isinstance(done.exception, RimbenchError) else done.exit_code
        return code, done.stdout, str(done.exception)

    return run


@pytest.mark.parametrize(
    ("a", "options", "code"),
    [
        ("behind", (), 0),
        ("behind", ("worse",), 3),
        ("behind", ("undecided",), 0),
        ("behind", ("not-equivalent",), 3),
        ("same", ("worse", "undecided"), 0),
        ("same", ("not-equivalent", "--margin", "0.03"), 0),
        ("same", ("undecided", "--margin", "0.001"), 3),
        ("same", ("not-equivalent", "--margin", "0.001"), 3),
        ("ahead", ("worse", "undecided"), 0),
        ("ahead", ("not-equivalent",), 3),
    ],
)
def test_the_gate_closes_where_a_pair_comes_to_what_was_named(gate, a, options, code):
    named = [word for option in options for word in ((option,) if option[0] in "-0" else ("--fail-if", option))]
    assert gate(a, "base", *named)[0] == code


def test_the_verdict_is_the_first_systems_in_whatever_order_they_stand(gate):
    assert gate("base", "behind", "--fail-if", "worse")[0] == 0
    assert gate("base", "ahead", "--fail-if", "worse")[0] == 3


def test_a_pair_without_a_verdict_is_undecided_and_not_equivalent(gate):
    assert gate("few", "base", "--fail-if", "worse")[0] == 0
    assert gate("few", "base", "--fail-if", "undecided")[0] == 3
    assert gate("few", "base", "--fail-if", "not-equivalent")[0] == 3


def test_a_closed_gate_still_prints_the_comparison_and_says_why_in_one_line(gate):
    code, out, err = gate("behind", "base", "--fail-if", "worse", "--json")
    assert code == 3 and json.loads(out)[0]["verdict"] == "worse"
    assert err == "--fail-if worse: behind against base on suite: worse"


def test_the_exit_code_of_a_closed_gate_is_3(write_run):
    for system in ("behind", "base"):
        answers = [record(str(i), letter) for i, letter in enumerate(LETTERS[system])]
        made = {"run": f"{system}-suite", "system": system, "suite": "suite", "n": 400, "departures": {}}
        results = write_run(answers, 400, **made, identity=IDENTITY)
    command = [
        sys.executable,
        "-m",
        "rimbench",
        "compare",
        "behind",
        "base",
        "--results",
        results,
        "--fail-if",
        "worse",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3 and "worse" in done.stdout
    assert done.stderr.splitlines()[-1] == "rimbench: error: --fail-if worse: behind against base on suite: worse"


def test_another_word_and_a_missing_run_keep_their_own_exit_codes(gate):
    assert gate("same", "base", "--fail-if", "better")[0] == 2
    assert gate("same", "base", "--fail-if", "worse", "--family", "x")[0] == 2
