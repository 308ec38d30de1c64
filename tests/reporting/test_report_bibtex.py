"""What to cite beside a report: the methods that it uses, the data of its suites, and this tool."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from report_runs import record

import rimbench
from rimbench.reporting.bibtex import as_bibtex
from rimbench.reporting.summary import summarise

RULES = tomllib.loads((Path(rimbench.__file__).parent / "reporting" / "references.toml").read_text())
HUB = {"kind": "hub", "name": "org/some_data", "revision": "abc"}


def entries(results):
    """The keys of the entries in their order, and the whole; each entry's braces match."""
    text = as_bibtex(summarise(results))
    for entry in re.split(r"\n\n(?=@)", text):
        assert entry.count("{") == entry.count("}")
    return re.findall(r"^@\w+\{([\w-]+),$", text, flags=re.MULTILINE), text


def test_a_run_alone_cites_the_tool_and_how_its_interval_was_had(write_run):
    found, text = entries(write_run([record("0", "A"), record("1", "B")], suite="mine"))
    assert found == ["rimbench", "aichberger2026", "wilson1927", "efron1987"]
    assert f"version = {{{rimbench.__version__}}}" in text
    assert "Suite mine: its data have no entry here" in text


def test_pairs_and_draws_cite_their_tests_and_estimators(write_run):
    for system in ("nano-cot", "nano-base"):
        answers = [record(str(i), "AB"[i % 2], sample) for i in range(4) for sample in range(3)]
        results = write_run(answers, run=system, system=system, samples=2, departures={})
    found, _ = entries(results)
    assert {"mcnemar1947", "tango1998", "schuirmann1987", "dunn1961", "chen2021", "wang2023"} <= set(found)
    assert "holm1979" not in found and "guo2017" not in found


def said_by(path):
    """The texts in a module's source but for its docstrings, whole or the pieces of one that is put together."""
    tree = ast.parse(path.read_text())
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [node.value for node in texts if id(node) not in told]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_reference_hangs_on_a_key_of_the_report_or_on_a_word_that_the_statistics_say(rule):
    package = Path(rimbench.__file__).parent
    said = [text for path in (package / "statistics").glob("*.py") for text in said_by(path)]
    said += said_by(package / "reporting" / "families.py")
    assert "said" not in rule or any(rule["said"] in text for text in said)
    schema = (Path(__file__).parents[2] / "docs" / "report.schema.json").read_text()
    assert "key" not in rule or f'"{rule["key"]}": {{' in schema
    assert {"said", "key"} & rule.keys()


def test_data_are_cited_by_their_suite_or_by_where_they_came_from(write_run):
    write_run([record("0", "A")], run="a", suite="medmcqa", suite_source={"kind": "hub", "name": "x/medmcqa"})
    write_run([record("0", "A")], run="b", suite="demo-in-dist", suite_source={"kind": "generated"})
    found, text = entries(write_run([record("0", "A")], run="c", suite="own", suite_source=HUB))
    assert {"pal2022", "org-some_data"} <= set(found)
    assert r"title = {org/some\_data}" in text and "revision abc" in text and "demo-in-dist" not in text


@pytest.mark.parametrize("name", ["}@article{x, a={", 'a\x1b[31m\nb"', "\\\\}{{", "@", "%"])
def test_names_begin_no_entry_and_end_none(write_run, name):
    found, text = entries(write_run([record("0", "A")], suite=name, suite_source={"kind": "hub", "name": name}))
    assert "x" not in found and "\x1b" not in text
    entries(write_run([record("0", "A")], run="s", suite=name))


def test_the_tool_is_cited_as_its_citation_file_says():
    cited = yaml.safe_load((Path(__file__).parents[2] / "CITATION.cff").read_text())
    text = (Path(rimbench.__file__).parent / "reporting" / "references.toml").read_text()
    assert cited["title"] in text and cited["authors"][0]["name"] in text
    for reference in cited["references"]:
        assert reference["title"] in text and reference["url"] in text and str(reference["year"]) in text
