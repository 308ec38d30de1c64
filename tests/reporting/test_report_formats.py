"""Every format of a report: what other programs read from it, hostile texts in it, and what has changed since."""

import csv
import io
import json
import shutil
import subprocess

import pytest
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt
from matplotlib.image import imread
from report_runs import record

from rimbench.display.plaintext import plain
from rimbench.errors import DataError, UsageError
from rimbench.reporting import formats
from rimbench.reporting.drawing import as_svg
from rimbench.reporting.page import page_pieces
from rimbench.reporting.plots import make_plots, save_plots
from rimbench.reporting.summary import summarise
from rimbench.reporting.time_plots import pareto_front

FORMATS = ("markdown", "json", "csv", "latex", "model-index", "html")
HOSTILE = (
    "=HYPERLINK(1)",
    "</script><script>alert(1)</script>",
    "[link](http://x) | `code` *bold* $x^2$",
    r"\input{/etc/passwd} & % # _ { } ~ ^",
    "\x1b[31mred\x1b[0m",
    "null\0byte",
    "\u202eright to left",
    "剂量 café Łódź ½ 😀",
    "x" * 200,
)


@pytest.fixture
def results(write_run):
    """Two systems that answered with draws and probabilities."""
    for run, letters in (("one", "AABB"), ("two", "AAAB")):
        answers = [record(str(i), letter) for i, letter in enumerate(letters)]
        draws = [record(str(i), "A" if s % 2 else "B", sample=s) for i in range(4) for s in range(1, 9)]
        folder = write_run([*answers, *draws], run=run, system=run, samples=8)
    return folder


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_records_give_the_same_bytes(results, name):
    assert formats.render(name, summarise(results), results) == formats.render(name, summarise(results), results)


def test_csv_has_one_line_a_cell_with_the_figures_of_the_json_document(results):
    summed = summarise(results)
    rows = list(csv.DictReader(io.StringIO(formats.render("csv", summed, results))))
    cells = json.loads(formats.render("json", summed, results))["cells"]
    assert [row["run"] for row in rows] == [cell["run"] for cell in cells]
    for row, cell in zip(rows, cells, strict=True):
        assert float(row["greedy_accuracy"]) == cell["greedy_accuracy"]
        assert float(row["pass_at_k"]) == cell["pass_at_k"]["8"]["value"]
        assert [float(row["greedy_accuracy_lo"]), float(row["greedy_accuracy_hi"])] == cell["ci95"]
        assert row["ece"] == ""


def test_the_hubs_own_card_reads_each_systems_model_index(results):
    documents = formats.render("model-index", summarise(results), results).split("---\n")
    one, two = (ModelCard(f"---\n{document}---\n").data for document in documents)
    assert (one.model_name, two.model_name) == ("one", "two")
    accuracy, passed = one.eval_results
    assert (accuracy.metric_type, accuracy.metric_value, accuracy.metric_args["n"]) == ("accuracy", 0.5, 4)
    assert (passed.metric_type, passed.metric_args["k"]) == ("pass@k", 8)
    assert [result.metric_value for result in two.eval_results] == [0.75, 1.0]
    assert {result.metric_args["run"] for result in two.eval_results} == {"two"}


@pytest.mark.parametrize("system", HOSTILE)
def test_names_are_text_in_every_format(write_run, system):
    results = write_run([record("0", "A"), record("1", "B")], system=system, suite=system[:60])
    summed = summarise(results)
    rendered = {name: formats.render(name, summed, results) for name in FORMATS}
    assert json.loads(rendered["json"])["cells"][0]["system"] == system
    [row] = csv.DictReader(io.StringIO(rendered["csv"]))
    assert not row["system"].startswith(("=", "+", "-", "@"))
    assert "\0" not in rendered["csv"] and "\x1b" not in rendered["markdown"] + rendered["latex"]
    assert "<script>alert" not in rendered["html"] and "<script>alert" not in rendered["markdown"]
    assert r"\input{/etc" not in rendered["latex"]
    ModelCard(f"---\n{rendered['model-index']}---\n")
    for plot in make_plots(summed):
        assert "<script" not in as_svg(plot)


@pytest.mark.parametrize(
    "system", [*HOSTILE, "![i](http://x/i.png) &copy; ~~no~~ www.example.org @you #1 [a][b] :x:"]
)
def test_a_markdown_renderer_shows_a_name_as_it_is(write_run, system):
    text = formats.render("markdown", summarise(write_run([record("0", "A")], system=system)), None)
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    begin = next(i for i, t in enumerate(tokens) if t.content == "Accuracy")
    first_row = [t.children for t in tokens[begin:] if t.type == "inline"][len(["heading"]) + 7 :]
    assert {child.type for child in first_row[1]} <= {"text", "text_special"}
    assert "".join(child.content for child in first_row[1]) == " ".join(plain(system).split())


@pytest.mark.parametrize("program", ["pdflatex", "lualatex"])
def test_the_latex_compiles(write_run, tmp_path, program):
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}: apt-get install texlive-latex-recommended texlive-luatex")
    for i, system in enumerate(HOSTILE):
        results = write_run([record("0", "A"), record("1", "B")], run=f"r{i}", system=system, suite=system[:60])
    body = formats.render("latex", summarise(results), results)
    document = (
        r"\documentclass{article}\usepackage{array,booktabs,graphicx}\begin{document}" + body + r"\end{document}"
    )
    (tmp_path / "report.tex").write_text(document)
    done = subprocess.run(
        [program, "-halt-on-error", "-interaction=nonstopmode", "report.tex"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]


def test_plots_are_files_and_a_plot_of_one_point_is_drawn(write_run, tmp_path):
    summed = summarise(write_run([record("0", "A")]))
    written = save_plots(make_plots(summed), tmp_path / "plots")
    assert [path.name for path in written] == ["accuracy.svg", "accuracy.png"]
    assert "greedy accuracy" in written[0].read_text() and "<text" in written[0].read_text()
    assert "prefers-color-scheme:dark" in written[0].read_text(), "its ink follows the screen's"
    assert written[1].read_bytes().startswith(b"\x89PNG")
    with pytest.raises(DataError, match="cannot write plots"):
        (tmp_path / "file").write_text("")
        save_plots(make_plots(summed), tmp_path / "file" / "plots")


def test_the_pareto_front_holds_what_nothing_beats():
    assert pareto_front([(10, 0.5), (1, 0.4), (5, 0.3), (20, 0.5), (1, 0.2)]) == [(1, 0.4), (10, 0.5)]


@pytest.mark.parametrize("suffix", [".md", ".json", ".csv", ".tex", ".yaml", ".html"])
def test_a_committed_report_is_checked(rimbench, results, tmp_path, suffix):
    path = tmp_path / f"report{suffix}"
    formats.write(path, formats.render(formats.format_of(path), summarise(results), results))
    assert "is what these records give" in rimbench("report", "--check", path, check=True).stderr
    shutil.rmtree(results / "two")
    done = rimbench("report", "--check", path)
    assert done.returncode == 1 and "report" + suffix in done.stderr
    assert done.stdout.startswith(("-", "+"))


def test_what_cannot_be_checked_or_written_says_so(rimbench, results, tmp_path):
    for arguments, code, fault in (
        (("--check", "none.md"), 1, "cannot read none.md"),
        (("--check", "report.pdf"), 2, "no report has the suffix '.pdf'"),
        (("--html", "nowhere/report.html"), 1, "cannot write nowhere/report.html"),
        (("--csv", "--latex"), 2, "--csv and --latex: give one of them"),
        (("--check", "report.md", "--html", "report.html"), 2, "--check and --html: give one of them"),
    ):
        done = rimbench("report", *arguments)
        assert done.returncode == code and fault in done.stderr.splitlines()[-1], done.stderr
    with pytest.raises(UsageError, match=r"known are \.md"):
        formats.format_of(tmp_path / "report")


def test_a_name_from_right_to_left_turns_no_number_around_on_the_page(write_run):
    for name, answer in (("نموذج-2", "A"), ("نموذج-0", "B")):
        results = write_run(
            [record(str(i), answer) for i in range(40)], 40, run=name, system=name, suite="أسئلة طبية"
        )
    page = "".join(page_pieces(summarise(results), results))
    assert "Best: <bdi>نموذج-2</bdi>, 100.0 [91.2, 100.0]%; +100.0" in page
    assert "points on <bdi>نموذج-0</bdi>: better" in page and "<bdi>أسئلة طبية</bdi>, N = 40" in page


def test_nothing_sticks_out_of_a_plot_however_long_the_names(write_run, tmp_path):
    for place in range(3):
        answers = [record(str(i), "A", sample=s) for i in range(4) for s in range(9)]
        results = write_run(answers, run=str(place), system=f"{place}{'n' * 79}", suite="n" * 80, samples=8)
    for path in save_plots(make_plots(summarise(results)), tmp_path / "plots"):
        if path.suffix == ".png":
            pixels = imread(path)
            edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
            assert all((edge == 1).all() for edge in edges), path.name
