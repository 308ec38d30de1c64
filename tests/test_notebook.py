"""The front door as a notebook uses it: a fresh interpreter, no command line."""

import os
import subprocess
import sys

import pytest

SESSION = """
import sys, rimbench
assert not {"torch", "transformers", "pandas", "pydantic", "typer", "numpy"} & set(sys.modules)
assert {"run", "load", "report", "compare", "audit", "answer"} <= set(dir(rimbench))
made = rimbench.run(["nano-direct", "nano-rim-v2"], "demo-in-dist", limit=20, results="kept")
assert [(run.system, run.suite) for run in made.runs] == [
    ("nano-direct", "demo-in-dist"), ("nano-rim-v2", "demo-in-dist")]
frame = rimbench.load(made.results)
assert len(frame) == 40 and set(frame.system) == {"nano-direct", "nano-rim-v2"}
report = rimbench.report(made.results)
assert [cell.n for cell in report.cells] == [20, 20]
assert report.document["schema"] == 1 and report.render("markdown").startswith("# rimbench report")
assert "<table>" in report._repr_html_() and "| nano-direct | 20 |" in report._repr_markdown_()
pair = rimbench.compare("nano-rim-v2", "nano-direct", "kept")
assert pair.document[0]["n"] == 20 and "<table>" in pair._repr_html_()
audited = rimbench.audit("rim-card")
assert audited.document["claims"] and "<table>" in audited._repr_html_()
answered = rimbench.answer("What is <b>2 & 2</b>?", ["<i>3</i>", "4"], system="nano-direct")
assert answered.letter in "AB" and abs(sum(answered.probabilities.values()) - 1) < 1e-6
assert "&lt;i&gt;3&lt;/i&gt;" in answered._repr_html_() and "\\\\<i\\\\>" in answered._repr_markdown_()
assert callable(rimbench.report), "it is no module"
help(rimbench)
"""


def test_a_session_runs_loads_reports_compares_audits_and_asks_in_a_fresh_interpreter(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SESSION],
        cwd=tmp_path,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for function in ("run", "load", "report", "compare", "audit", "answer"):
        assert f"    {function}(" in done.stdout


@pytest.mark.parametrize("first", ["rimbench.reporting.summary", "rimbench.claims.audit", "rimbench.cli.report"])
def test_the_report_is_a_function_whatever_is_imported_first(first):
    code = (
        f"import importlib, rimbench; importlib.import_module({first!r}); assert rimbench.report.__name__ == 'report'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda rimbench: rimbench.answer(3, ["a", "b"]), ["question: expected str, got 3 (int)"]),
        (lambda rimbench: rimbench.answer(None, ["a", "b"]), ["question: expected str, got None"]),
        (lambda rimbench: rimbench.answer("Which?", "AB"), ["options: expected", "got 'AB' (str)"]),
        (lambda rimbench: rimbench.answer("Which?", {"A": 1, "B": "x"}), ["options: expected", "got"]),
        (lambda rimbench: rimbench.answer("Which?", [1, 2]), ["options: expected", "Sequence[str]"]),
        (lambda rimbench: rimbench.answer("Which?", None), ["options: expected", "got None"]),
        (lambda rimbench: rimbench.answer("Which?", {"a", "b"}), ["options: expected"]),
        (lambda rimbench: rimbench.answer("Which?", ["a", "b"], system=7), ["system: expected str, got 7"]),
        (lambda rimbench: rimbench.answer("Which?"), ["options is missing"]),
        (lambda rimbench: rimbench.answer("Which?", ["a", "b"], "x", "y", "z"), ["arguments at most"]),
        (lambda rimbench: rimbench.run("nano-cot", 3, limit="5"), ["suites: expected", "limit: expected int"]),
        (lambda rimbench: rimbench.run("nano-cot", "demo-long", sample=3), ["did you mean samples"]),
        (lambda rimbench: rimbench.run([], "demo-long"), ["no system is named"]),
        (lambda rimbench: rimbench.run("nano-cot", "demo-long", limit=2, samples=-1), ["samples -1"]),
        (lambda rimbench: rimbench.run("nano-cot", "demo-long", limit=2, samples=10**9), ["samples 1000000000"]),
        (lambda rimbench: rimbench.run("nano-rim-v2", "demo-long", limit=2, blocks=10**8), ["memory of 100000000"]),
        (lambda rimbench: rimbench.run("nano-cot", "demo-long", limit=0), ["limit 0"]),
        (lambda rimbench: rimbench.report(3), ["results: expected str | pathlib.Path | None, got 3 (int)"]),
        (lambda rimbench: rimbench.report(margin=2.0), ["margin 2"]),
        (lambda rimbench: rimbench.compare("a", None), ["b: expected str, got None"]),
        (lambda rimbench: rimbench.audit(None), ["claims: expected"]),
    ],
)
def test_an_argument_of_the_wrong_type_is_one_line_that_names_it(call, parts):
    import rimbench
    from rimbench.errors import UsageError

    with pytest.raises(UsageError) as caught:
        call(rimbench)
    assert "\n" not in str(caught.value)
    assert all(part in str(caught.value) for part in parts), str(caught.value)
