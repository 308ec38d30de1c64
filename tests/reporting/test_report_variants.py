"""A variant of a system, a control and a user's file are never shown as the plain, shipped one, in any format."""

import csv
import io
import json

import pytest
from report_runs import IDENTITY, record

from rimbench.errors import UsageError
from rimbench.reporting import formats
from rimbench.reporting.drawing import as_svg, short
from rimbench.reporting.families import Choice
from rimbench.reporting.model_index import left_out
from rimbench.reporting.plots import make_plots
from rimbench.reporting.summary import choose_runs, read_all, summarise, summarise_pair
from rimbench.reporting.tables import make_tables

SYSTEM = {
    "prompt": {"instruction": "", "prefix": "\\boxed{", "chat_template": {}},
    "memory": {"blocks": 8, "memory_tokens": 2, "begin": "<rim_b>", "memory": "<rim_m>", "end": "<rim_eb>"},
    "answer": {
        "mode": "readout", "extraction": "first_letter", "max_new_tokens": 8, "temperature": 0.7, "top_p": 1.0,
    },
}  # fmt: skip
PLAIN = IDENTITY | {
    "system": SYSTEM,
    "seed": 0,
    "controls": {"permute_options": None, "blind": False},
    "engine": {"name": "transformers", "device": "cpu", "dtype": "float32", "batch_size": 16},
}
NANO = {"system": "nano-rim-v2", "model_source": {"source": "rimbench/nano/rim-v2", "revision": None}}
VARIANTS = {
    "K 2": ({"blocks": [8, 2]}, {"system": SYSTEM | {"memory": SYSTEM["memory"] | {"blocks": 2}}}),
    "answer generate": (
        {"answer": ["readout", "generate"]},
        {"system": SYSTEM | {"answer": SYSTEM["answer"] | {"mode": "generate"}}},
    ),
    "temperature 1.0": (
        {"temperature": [0.7, 1.0]},
        {"system": SYSTEM | {"answer": SYSTEM["answer"] | {"temperature": 1.0}}},
    ),
    "dtype bfloat16": ({"dtype": ["float32", "bfloat16"]}, {"engine": PLAIN["engine"] | {"dtype": "bfloat16"}}),
    "seed 3": ({"seed": [0, 3]}, {"seed": 3}),
    "blind": ({"blind": [False, True]}, {"controls": {"permute_options": None, "blind": True}}),
    "options permuted 0": (
        {"permute_options": [None, 0]},
        {"controls": {"permute_options": 0, "blind": False}},
    ),
    "instruction changed": (
        {"instruction": ["", "Think hard about it."]},
        {"system": SYSTEM | {"prompt": SYSTEM["prompt"] | {"instruction": "Think hard about it."}}},
    ),
}  # fmt: skip
CONTROLS = ("blind", "options permuted 0")
ANSWERS = [record(str(i), "AAB"[i % 3]) for i in range(40)]


@pytest.fixture(params=["recorded", "of an earlier build"])
def write_variant(request, write_run):
    def write(told, **changes):
        departures, identity = VARIANTS[told]
        changes = {"departures": departures if request.param == "recorded" else None} | changes
        return write_run(ANSWERS, 40, n=40, identity=PLAIN | identity, **(NANO | changes))

    return write


@pytest.mark.parametrize("told", VARIANTS)
def test_a_variant_alone_on_its_suite_is_labelled_in_every_format(write_variant, told):
    results = write_variant(told)
    summed, shown = summarise(results), f"nano-rim-v2 ({told})"
    [cell] = json.loads(formats.render("json", summed, results))["cells"]
    departures = VARIANTS[told][0]
    assert (cell["label"], cell["departures"], cell["system"]) == (shown, departures, "nano-rim-v2")
    assert cell["controls"] == {
        "permute_options": 0 if "permuted" in told else None,
        "blind": told == "blind",
        "rotate_options": None,
    }
    [row] = csv.DictReader(io.StringIO(formats.render("csv", summed, results)))
    assert (row["label"], json.loads(row["departures"]), row["blind"]) == (shown, departures, str(told == "blind"))
    for table in make_tables(summed):
        if "system" in table.columns and table.title != "What departs from a system's own file":
            assert [line[table.columns.index("system")] for line in table.rows] == [shown]
    departing = next(t for t in make_tables(summed) if t.title == "What departs from a system's own file")
    assert [line[3] for line in departing.rows] == list(departures)
    for name in ("markdown", "latex", "html"):
        assert told.split()[-1] in formats.render(name, summed, results)
    index = formats.render("model-index", summed, results)
    if told in CONTROLS:
        assert index == "" and "which is a control" in left_out(summed)[0]
    else:
        assert f"name: {shown}" in index
    accuracy = next(plot for plot in make_plots(summed) if plot.name == "accuracy")
    assert "(" + told[:6] in as_svg(accuracy)


def test_a_plain_run_is_shown_by_its_name_alone_also_where_an_earlier_build_made_it(write_run):
    for departures in ({}, None):
        results = write_run(ANSWERS, 40, n=40, identity=PLAIN, departures=departures, **NANO, run=f"r{departures}")
    [one, two] = summarise(results).cells
    assert {one.label, two.label} == {"nano-rim-v2 [r{}]", "nano-rim-v2 [rNone]"}
    assert one.departures == two.departures == {}


def test_other_weights_of_an_earlier_build_are_told_by_their_hash(write_run):
    results = write_run(ANSWERS, 40, n=40, identity=PLAIN, **NANO | {"model_source": {"source": "elsewhere"}})
    assert [cell.label for cell in summarise(results).cells] == ["nano-rim-v2 (weights wwwwwwwwww)"]


def test_a_variant_never_stands_for_its_system_in_a_comparison(write_run):
    departures, identity = VARIANTS["K 2"]
    write_run(ANSWERS, 40, n=40, run="base", system="nano-base", identity=PLAIN, departures={})
    results = write_run(
        ANSWERS, 40, n=40, run="k2", identity=PLAIN | identity, departures=departures, samples=8, **NANO
    )
    assert [(pair.a, pair.b) for pair in summarise(results).comparisons] == [("nano-rim-v2 (K 2)", "nano-base")]
    assert [run.manifest.run for run in choose_runs(read_all(results, print))[0]] == ["base"]
    [pair], notes = summarise_pair(results, "nano-rim-v2", "nano-base")
    assert (
        pair.a == "nano-rim-v2 (K 2)" and "no run of nano-rim-v2 is one of the system as its file has it" in notes[0]
    )
    write_run(ANSWERS, 40, n=40, run="k8", identity=PLAIN, departures={}, **NANO)
    [pair], notes = summarise_pair(results, "nano-rim-v2", "nano-base")
    assert (pair.a, pair.runs[0], notes) == ("nano-rim-v2", "k8", [])
    assert summarise_pair(results, "nano-rim-v2 (K 2)", "nano-rim-v2")[0][0].runs[0] == "k2"


def test_controls_alone_are_not_compared(write_run):
    for told in CONTROLS:
        departures, identity = VARIANTS[told]
        results = write_run(ANSWERS, 40, n=40, run=told, identity=PLAIN | identity, departures=departures, **NANO)
    write_run(ANSWERS, 40, n=40, run="base", system="nano-base", identity=PLAIN, departures={})
    assert summarise(results).comparisons == ()
    with pytest.raises(
        UsageError, match=r"no run of nano-rim-v2 is one of the system as its file has it: give one of"
    ):
        summarise_pair(results, "nano-rim-v2", "nano-base")


def test_a_users_file_with_a_shipped_name_is_marked_as_the_users(write_run):
    results = write_run(
        ANSWERS, 40, n=40, system="base", suite="medqa", suite_file="medqa.toml",
        departures={"file": ["shipped", "base.toml"]},
    )  # fmt: skip
    summed = summarise(results)
    assert make_tables(summed)[1].rows[0][:2] == ("medqa (user's file)", "base (user's file)")
    [cell] = json.loads(formats.render("json", summed, results))["cells"]
    assert cell["origin"]["suite_file"] == "medqa.toml" and cell["departures"]["file"] == ["shipped", "base.toml"]
    assert "user's file" in formats.render("model-index", summed, results)


def sweep_of(write_run, results, identity):
    folder = results / "s-sweep"
    for k in (0, 1):
        memory = SYSTEM["memory"] | {"blocks": k}
        write_run(ANSWERS, 40, n=40, run=f"s{k}", identity=identity | {"system": SYSTEM | {"memory": memory}}, **NANO)
        folder.mkdir(exist_ok=True)
        (results / f"s{k}").rename(folder / f"k{k}")


def test_a_cell_carries_the_sweep_of_what_it_was_itself_and_no_other(write_run):
    one_block = PLAIN | {"system": SYSTEM | {"memory": SYSTEM["memory"] | {"blocks": 1}}}
    blind = {"controls": {"permute_options": None, "blind": True}}
    results = write_run(ANSWERS, 40, n=40, run="sighted", identity=one_block, **NANO)
    write_run(ANSWERS, 40, n=40, run="blind", identity=one_block | blind, **NANO)
    write_run(ANSWERS, 40, n=40, run="eight", identity=PLAIN, **NANO)
    sweep_of(write_run, results, PLAIN)
    document = json.loads(formats.render("json", summarise(results), results))
    sweeps = {cell["run"]: cell["k_sweep"] for cell in document["cells"]}
    assert sweeps["blind"] is sweeps["eight"] is None
    assert list(sweeps["sighted"]) == ["0", "1"]
    assert [sweep["n_asked"] for sweep in document["sweeps"]] == [40]


def test_a_name_too_long_for_a_plot_keeps_the_end_by_which_variants_differ():
    one, two = (short(f"OpenMed-qwen3-1.7b-RIM (weights {digest})") for digest in ("581f0f4e01", "0b51e22aa7"))
    assert one != two and one.endswith("(weights 581f0f4e01)") and len(one) == 34


def test_weights_of_one_name_are_two_systems_told_apart_on_every_suite_and_both_compared(write_run):
    for run, weights in (("a", "a"), ("b", "b")):
        identity = PLAIN | {"weights_sha256": weights * 64}
        write_run(ANSWERS, 40, n=40, run=run, system="base-direct", identity=identity, departures={})
    write_run(
        ANSWERS, 40, n=40, run="c", system="base-direct", suite="other", departures={},
        identity=PLAIN | {"weights_sha256": "a" * 64},
    )  # fmt: skip
    results = write_run(ANSWERS, 40, n=40, run="cot", system="cot", identity=PLAIN, departures={})
    summed = summarise(results)
    a, b = "base-direct (weights aaaaaaaaaa)", "base-direct (weights bbbbbbbbbb)"
    assert {(cell.suite, cell.label, cell.name) for cell in summed.cells if cell.system == "base-direct"} == {
        ("suite", a, a), ("suite", b, b), ("other", a, a),
    }  # fmt: skip
    assert {frozenset((pair.a, pair.b)) for pair in summed.comparisons} == {
        frozenset(pair) for pair in ((a, b), (a, "cot"), (b, "cot"))
    }
    index = formats.render("model-index", summed, results)
    assert index.count(f"name: {a}\n") == 1 and index.count(f"name: {b}\n") == 1
    assert summarise_pair(results, a, b)[0][0].runs == ("a", "b")
    with pytest.raises(UsageError, match=r"base-direct has runs of several weights: give one of .*aaaa.*, .*bbbb"):
        summarise_pair(results, "base-direct", "cot")
    with pytest.raises(UsageError, match="--baseline base-direct has runs of several weights"):
        summarise(results, choice=Choice(baseline="base-direct"))


def test_a_run_that_has_grown_is_counted_once(write_run):
    identity = PLAIN | {"suite": {"content_sha256": "t" * 64}}
    write_run(ANSWERS[:20], 20, n=20, run="small", system="one", identity=PLAIN, departures={})
    results = write_run(ANSWERS, 40, n=40, run="grown", system="one", identity=identity, departures={})
    summed = summarise(results)
    assert [(cell.run, cell.label) for cell in summed.cells] == [("grown", "one")]
    assert "small is left out: grown has its 20 items among 40" in summed.notes
    results = write_run(ANSWERS[:20], 20, n=20, run="two", system="two", identity=PLAIN, departures={})
    assert summarise_pair(results, "small", "two")[0][0].runs == ("small", "two")
