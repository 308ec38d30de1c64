"""A report of some of the cells that a folder holds."""

import json
import re
import shutil

import pytest
from report_runs import record
from typer.testing import CliRunner

from rimbench.cli.app import app
from rimbench.errors import UsageError
from rimbench.reporting.selection import Selection
from rimbench.reporting.summary import summarise
from rimbench.store.lenses import Lens, write_lens


@pytest.fixture
def results(write_run):
    for system, suite in (("rim", "one"), ("rim", "two"), ("cot", "one"), ("base", "two")):
        folder = write_run(
            [record(str(i), "AB"[i % 2]) for i in range(4)], run=f"{system}-{suite}", system=system, suite=suite
        )
    return folder


def cells(results, systems=(), suites=()):
    report = summarise(results, selection=Selection(systems, suites))
    return {(cell.system, cell.suite) for cell in report.cells}


@pytest.mark.parametrize(
    ("systems", "suites", "wanted"),
    [
        ((), (), {("rim", "one"), ("rim", "two"), ("cot", "one"), ("base", "two")}),
        (("rim",), (), {("rim", "one"), ("rim", "two")}),
        (("rim", "cot"), (), {("rim", "one"), ("rim", "two"), ("cot", "one")}),
        ((), ("two",), {("rim", "two"), ("base", "two")}),
        (("rim", "cot"), ("one",), {("rim", "one"), ("cot", "one")}),
        (("rim-two",), (), {("rim", "two")}),
    ],
)
def test_only_the_cells_that_are_named_are_reported(results, systems, suites, wanted):
    assert cells(results, systems, suites) == wanted


def test_pairs_are_those_of_the_cells_that_are_named(results):
    report = summarise(results, selection=Selection(["rim", "cot"]))
    assert [(pair.suite, {pair.a, pair.b}) for pair in report.comparisons] == [("one", {"rim", "cot"})]


@pytest.mark.parametrize(
    ("systems", "suites", "message"),
    [
        (["rin"], [], "unknown system 'rin': did you mean rim. known: base, cot, rim"),
        ([], ["three"], "unknown suite 'three': .*known: one, two"),
        (["rim", "nobody"], ["one"], "unknown system 'nobody': known: base, cot, rim"),
        (["cot"], ["two"], "no run of cot on two: there are base on two, cot on one, rim on one, rim on two"),
    ],
)
def test_a_name_that_nothing_bears_lists_what_is_there(results, systems, suites, message):
    with pytest.raises(UsageError, match=message):
        cells(results, systems, suites)


def test_a_damaged_run_that_is_not_named_is_not_read(results):
    (results / "cot-one" / "records.jsonl").write_text("{}\n")
    assert not any("cot-one" in note for note in summarise(results, selection=Selection(["rim"])).notes)
    assert any("cot-one" in note for note in summarise(results).notes)


def test_a_lens_is_shown_where_its_system_and_suite_are_named(results):
    for system, suite in (("rim", "one"), ("cot", "one")):
        write_lens(Lens(f"{system}-{suite}", system, suite, None, "c", ()), results)
    assert [lens.system for lens in summarise(results).lenses] == ["cot", "rim"]
    assert [lens.system for lens in summarise(results, selection=Selection(["rim"])).lenses] == ["rim"]
    assert summarise(results, selection=Selection([], ["two"])).lenses == ()


@pytest.mark.parametrize("folder", ["cot-one-sweep/k0", "cot-one-rotated/r0", "cot-one-ablate/intact"])
def test_a_damaged_folder_of_several_runs_that_is_not_named_is_not_read(results, folder):
    copy = shutil.copytree(results / "cot-one", results / folder)
    (copy / "records.jsonl").write_text("{}\n")
    assert any("left out" in note for note in summarise(results).notes)
    assert not any("left out" in note for note in summarise(results, selection=Selection(["rim"])).notes)
    with pytest.raises(UsageError, match="unknown system 'nobody': known: base, cot, rim"):
        summarise(results, selection=Selection(["nobody"]))


@pytest.fixture
def report(results):
    return lambda *options: CliRunner().invoke(app, ["report", *options, "--results", str(results)])


@pytest.mark.parametrize("form", ["markdown", "csv", "latex", "model-index"])
def test_every_format_has_the_cells_that_are_named_alone(report, form):
    done = report(f"--{form}", "--system", "rim", "--suite", "one")
    assert done.exit_code == 0
    assert "rim" in done.stdout and "cot" not in done.stdout and "two" not in done.stdout


def test_a_page_and_its_plots_have_the_cells_that_are_named_alone(report, tmp_path):
    done = report(
        "--html", str(tmp_path / "page.html"), "--plots", str(tmp_path), "--system", "rim", "--suite", "one"
    )
    assert done.exit_code == 0
    assert "cot" not in re.sub(r"<script.*?</script>", "", (tmp_path / "page.html").read_text(), flags=re.DOTALL)


def test_the_command_takes_several_of_each(report):
    done = report("--system", "rim", "--system", "base", "--suite", "two", "--suite", "one", "--json")
    found = json.loads(done.stdout)["cells"]
    assert [(cell["suite"], cell["system"]) for cell in found] == [("one", "rim"), ("two", "base"), ("two", "rim")]
    done = report("--system", "nobody")
    assert isinstance(done.exception, UsageError) and "known: base, cot, rim" in str(done.exception)
