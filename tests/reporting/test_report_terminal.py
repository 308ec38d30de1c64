"""The tables of a report on a real terminal: nothing is wider than it, and no number is broken."""

import dataclasses
import re

import pytest
from report_runs import IDENTITY, record

INTERVAL = re.compile(r"[-+]?\d+\.\d \[[-+]?\d+\.\d,[-+]?\d+\.\d\]")
READOUT = IDENTITY | {"system": {"answer": {"mode": "readout", "temperature": 0.7}}}


@pytest.fixture
def results(write_run):
    """Two readouts with draws, probabilities and long names."""
    for run, letters in (("rim", "AABB"), ("base", "AAAB")):
        answers = [record(str(i), letters[i % 4]) for i in range(40)]
        answers = [dataclasses.replace(r, option_logprobs=dict.fromkeys("ABCD", -1.386)) for r in answers]
        draws = [record(str(i), "A" if s % 2 else "B", sample=s) for i in range(40) for s in range(1, 9)]
        folder = write_run([*answers, *draws], 40, run=f"{run}-of-a-longer-name", system=f"nano-{run}-direct",
                           suite="demo-in-dist", samples=8, n=40, identity=READOUT)  # fmt: skip
    return folder


@pytest.mark.parametrize("columns", [80, 120])
def test_tables_fit_and_break_no_number(results, columns, on_terminal):
    lines = on_terminal(columns, "report", "--all-pairs", "--results", results)
    assert max(len(line) for line in lines if not line.startswith("rimbench: ")) <= columns
    for title in ("Accuracy", "Who is better", "Several answers a question"):
        start = lines.index(title)
        rows = [line for line in lines[start : start + 8] if line.startswith("demo-in-dist")]
        assert rows and all(INTERVAL.search(row) for row in rows), rows
    assert "Can a readout's confidence be trusted" in lines
    left_out = " ".join(lines).count("Left out at this width")
    assert left_out if columns == 80 else left_out <= 2


@pytest.mark.parametrize("columns", [80, 120])
def test_comparisons_fit(results, columns, on_terminal):
    lines = on_terminal(columns, "compare", "nano-rim-direct", "nano-base-direct", "--results", results)
    assert max(len(line) for line in lines if not line.startswith("rimbench: ")) <= columns
    row = next(line for line in lines[lines.index("Details") :] if line.startswith("demo-in-dist"))
    assert INTERVAL.search(row)


def test_a_terminal_of_20_columns_and_a_name_of_200_letters_are_shown(write_run, on_terminal):
    results = write_run([record("0", "A")], system="x" * 200, suite="剂量" * 20)
    assert "\n".join(on_terminal(20, "report", "--results", results)).count("x") >= 200
    assert "x" * 30 in "\n".join(on_terminal(80, "report", "--results", results))


def test_six_systems_on_three_suites_are_told_in_43_lines_of_80_columns(write_run, on_terminal):
    for suite in ("demo-in-dist", "demo-long", "demo-reworded"):
        for place, name in enumerate(("base", "base-direct", "cot", "direct", "rim-v1", "rim-v2")):
            memory = {"memory": {"blocks": 8, "memory_tokens": 2}} if name.startswith("rim") else {}
            mode = "generate" if name in ("base", "cot") else "readout"
            identity = IDENTITY | {
                "engine": {"name": "transformers", "device": "cpu", "dtype": "float32"},
                "weights_sha256": name[:4] * 16,
                "system": {"answer": {"mode": mode, "temperature": 0.7}} | memory,
            }
            answers = [record(str(i), "A" if i % 7 > place % 4 else "B") for i in range(100)]
            folder = write_run(answers, 100, run=f"{suite}-{name}", system=f"nano-{name}", suite=suite, n=100,
                               identity=identity, departures={})  # fmt: skip
    lines = on_terminal(80, "report", "--results", folder)
    assert lines.index("Accuracy") <= 43
