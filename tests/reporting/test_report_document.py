"""The JSON document holds every figure of every table: each column is told where in the document it stands.

A column, or a table, that is not told here fails; so does one whose cells are not what the document gives.
"""

import dataclasses
import itertools
import json

import pytest
from report_runs import IDENTITY, manifest, record

from rimbench.latency.measured import Measured, Measurement, Passes, Setting, Told
from rimbench.latency.stored import keep_measurement
from rimbench.records import Item
from rimbench.reporting import formats
from rimbench.reporting.numbers import (
    counted,
    decimal,
    interval,
    letter_counts,
    milliseconds,
    number,
    percent,
    points,
    times,
)
from rimbench.reporting.pair_tables import pair_details
from rimbench.reporting.summary import summarise
from rimbench.reporting.tables import make_tables
from rimbench.statistics.estimate import Estimate
from rimbench.store import RunStore
from rimbench.suites.controls import Controls, show_item

N = 40
OPTIONS = {"A": "x", "B": "y", "C": "z", "D": "w"}
ITEMS = [Item(str(i), f"q{i}", OPTIONS, "A") for i in range(N)]
SYSTEM = {
    "prompt": {"instruction": "", "prefix": "\\boxed{", "chat_template": {}},
    "memory": {"blocks": 1, "memory_tokens": 2, "begin": "<rim_b>", "memory": "<rim_m>", "end": "<rim_eb>"},
    "answer": {"mode": "readout", "temperature": 0.7},
}


def write(folder, run, system, letters, *, suite="demo-in-dist", draws=0, probable=False, identity=None, **more):
    made = manifest(
        run=run, system=system, suite=suite, n=N, samples=draws, departures=more.pop("departures", {}),
        identity=IDENTITY | {"system": SYSTEM} | (identity or {}), **more,
    )  # fmt: skip
    sure = {"A": -0.35, "B": -1.9, "C": -2.5, "D": -2.9}
    records = []
    for i, letter in enumerate(letters):
        if letter != "-":
            greedy = record(str(i), None if letter == "?" else letter)
            if probable:
                greedy = dataclasses.replace(greedy, option_logprobs=sure, label_mass=0.6 + i / 200)
            records.append(greedy)
            records += [record(str(i), "AB"[(i + s) % 3 == 0], sample=s) for s in range(1, draws + 1)]
    with RunStore(folder / run) as store:
        store.write_manifest(made, ITEMS)
        store.append(records)


def timed(system, ms, batch, quantity="answer", **changed):
    samples = tuple(ms + 0.1 * (i % 7) for i in range(120 if batch == 1 else 8))
    told = Told({str(i): "AB"[i % 3 == 0] for i in range(batch + 5)}, 4 + batch // 2, 1)
    passes = Passes(12.0, 3.1, 2.2, 1.0, 1.1, 4.4)
    setting = Setting("eager", 1.5, 0.2, 3 << 20, 0, True)
    row = Measured(
        system, quantity, "transformers", "cpu", "float32", batch, samples, ms + 1, (ms, ms), 40.4, 12.25, 0.25, 0.5,
        told, passes, setting,
    )  # fmt: skip
    return dataclasses.replace(row, **changed)


@pytest.fixture(scope="module")
def summed(tmp_path_factory):
    """Shipped systems and a variant, a partial run and one of a user's, controls, a sweep, and times."""
    folder = tmp_path_factory.mktemp("all") / "results"
    write(folder, "base", "nano-base", "A" * 20 + "B" * 20, draws=8)
    write(folder, "rim", "nano-rim-v2", "A" * 33 + "B" * 5 + "??", draws=8, probable=True)
    write(folder, "mine", "mine", "AB" * 20, probable=True)
    write(folder, "part", "nano-cot", "AAB" * 5 + "-" * 25, draws=4)
    write(folder, "long", "nano-rim-v2", "A" * 21 + "B" * 19, suite="demo-long", probable=True)
    write(folder, "k2", "nano-rim-v2", "A" * 30 + "C" * 10, departures={"blocks": [8, 2], "seed": [0, 3]})
    for seed in (1, 2):
        controls = {"permute_options": seed, "blind": False}
        own = [show_item(item, Controls(seed)).own_letters["C"] for item in ITEMS]
        write(folder, f"p{seed}", "mine", own, identity={"controls": controls},
              departures={"permute_options": [None, seed]})  # fmt: skip
    for k, letters in enumerate(("A" * 22 + "B" * 18, "A" * 30 + "B" * 10)):
        memory = {"system": SYSTEM | {"memory": SYSTEM["memory"] | {"blocks": k}}}
        write(folder / "s-sweep", f"k{k}", "nano-rim-v2", letters, identity=memory)
    rows = []
    for batch in (1, 8):
        rows += [
            timed("nano-rim-v2", 3.0 * batch, batch, generated_tokens=0.0),
            timed("nano-base", 40.0 * batch, batch),
            timed("nano-base", 30.0 * batch, batch, "letter", passes=None),
            timed("nano-base", 4.0 * batch, batch, "readout", generated_tokens=0.0),
            timed("nano-cot", 50.0 * batch, batch, departures={"dtype": ["float32", "bfloat16"]}),
        ]
    made = Measurement("demo-in-dist", "2026-01-01T00:00:00+00:00", None, None, {"threads": 2}, {}, tuple(rows), 2.0)
    keep_measurement(made, folder)
    return summarise(folder), json.loads(formats.render("json", summarise(folder), folder))


def estimate(found, *, value="value"):
    """A figure of the document as an estimate again; None stays None."""
    if found is None or found[value] is None:
        return None
    return Estimate(found[value], *(found["ci95"] or (None, None)), found.get("n") or 0, "")


def share(value):
    return "-" if value is None else decimal(100 * value, 1)


def several(entries, key):
    """Each entry once for every key of one of its fields."""
    return [entry | {"key": name, "own": value} for entry in entries for name, value in entry[key].items()]


def way(entry):
    if entry["key"] == "letter":
        return "to the letter"
    generated = entry["own"]["generated_tokens"]
    return "one pass" if entry["key"] == "readout" or generated == 0 else f"{generated:.1f} tokens"


def three(value):
    return "-" if value is None else f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def plain(name, write=str):
    """A column that is one field of the entry."""
    return lambda entry: "-" if entry[name] is None else write(entry[name])


def own(name, write=str):
    return lambda entry: "-" if entry["own"][name] is None else write(entry["own"][name])


def n_of(entry):
    return counted(entry["n"], entry["n_asked"])


def pair(entry):
    return f"{entry['a']} vs {entry['b']}"


def made_by(document, cell):
    return str(1 + makings(document).index(making(cell)))


def making(cell):
    origin = cell["origin"]
    engine, device = origin["engine"], origin["device"]
    where = ", ".join(str(device[k]) for k in ("gpu", "kind", "machine") if device.get(k)) or engine["device"]
    commit = (origin["commit"] or "-")[:10] + (" (changed)" if origin["dirty"] else "")
    versions = ", ".join(f"{k} {v}" for k, v in origin["versions"].items()) or "-"
    return (f"{engine['name']}, {engine['dtype']}", where, commit, versions)


def makings(document):
    return list(dict.fromkeys(making(cell) for cell in document["cells"]))


def columns_of(document):
    """By the beginning of a table's title: its entries in the document, and each column from one of these."""
    cells, pairs, latency = document["cells"], document["comparisons"], several(document["latency"], "quantities")
    order = {"answer": 0, "letter": 1, "readout": 2}
    latency.sort(key=lambda e: (e["suite"], e["batch"], order[e["key"]], e["own"]["ms"]["mean"]))
    suite, label, batch = plain("suite"), plain("label"), plain("batch")
    of_cell = {"suite": suite, "system": label, "n": n_of}
    of_pair = {"suite": suite, "pair": pair, "n": n_of}
    of_time = {"suite": suite, "system": label, "batch": batch, "answer by": way}
    read = [c | c["calibration"] | {"n_asked": c["n_asked"]} for c in cells if c["calibration"]]
    drawn = several(cells, "pass_at_k")
    sizes = [str(b) for b in sorted({e["batch"] for e in document["latency"]})]
    found = {
        "Accuracy": (cells, of_cell | {
            "greedy, % [95%]": lambda c: percent(estimate(c, value="greedy_accuracy")),
            "BCa": lambda c: interval(*c["bca_ci95"]) if c["bca_ci95"] else "-",
            "chance, %": plain("guess", share),
            "majority, %": lambda c: f"{share(c['one_letter']['accuracy'])} ({c['one_letter']['letter']})",
        }),
        "What departs": (several(cells, "departures"), {
            "suite": suite, "system": plain("system"), "shown as": label, "setting": plain("key"),
            "own": lambda e: "-" if e["own"][0] is None else str(e["own"][0]), "here": lambda e: str(e["own"][1]),
        }),
        "Who is better": ([pair for each in document["summary"] for pair in each["pairs"]], of_pair | {
            "difference, points [95%]": lambda p: points(estimate(p, value="delta")),
            "verdict": lambda p: p["verdict"] or ("partial" if "partial" in p["reason"] else "too few items"),
        }),
        "Several answers": (drawn, {
            "suite": suite, "system": label, "k": plain("key"), "n": lambda e: n_of(e["own"]),
            "pass@k, % [95%]": lambda e: percent(estimate(e["own"])),
            "chance, %": own("chance", share),
            "above chance": lambda e: percent(estimate(e["own"]["above_chance"])),
            "exact": lambda e: percent(estimate(e["own"]["exact"])),
            "pass@1": lambda e: percent(estimate(e["mean_over_draws"])),
            "maj@k": lambda e: percent(
                estimate({name: e[key][e["key"]] for name, key in (("value", "maj_at_k"), ("ci95", "maj_at_k_ci95"))})
            ),
        }),
        "How sure": (pairs, of_pair | {
            "both/first/second/none right": lambda p: "/".join(map(str, itertools.chain(*p["table"]))),
            "p": plain("p_value", lambda v: f"{v:.3g}"),
            "of": lambda p: str(p["family"]["size"]),
            "adjusted": plain("p_adjusted", lambda v: f"{v:.3g}"),
            "[90%]": lambda p: interval(*p["equivalence"]["interval"], signed=True),
            "detectable": plain("detectable", share),
        }),
        "What an answer costs": (latency, of_time | {
            "ms a batch": lambda e: milliseconds(e["own"]["ms"]["mean"]),
            "95%": lambda e: "[{}, {}]".format(*map(milliseconds, e["own"]["ms"]["ci95"])),
            **{f"p{p}": (lambda e, p=p: milliseconds(e["own"]["ms"][f"p{p}"])) for p in (50, 95, 99)},
            "ms each": own("per_sample_ms", lambda v: f"{v:.3g}"),
            "tokens in": own("prompt_tokens", lambda v: f"{v:.0f}"),
            "greedy, %": own("accuracy", share),
            "of timed, %": lambda e: f"{share(e['own']['timed_greedy_accuracy'])} of {e['own']['timed_items']}",
            "noise": lambda e: ", ".join(e["own"]["noise"]) or "-",
        }),
        "Where the time goes": ([e for e in latency if e["own"]["passes"] is not None], of_time | {
            "passes": own("passes", lambda v: f"{v:.1f}"),
            "prefill, ms": own("prefill_ms", milliseconds),
            "ms a further pass": own("decode_ms", milliseconds),
            "tokens a s": own("tokens_per_s", three),
            "questions a s": own("questions_per_s", three),
            "floor, ms": own("floor_ms", milliseconds),
            "% of floor": own("floor_share", lambda v: f"{100 * v:.0f}"),
            "launches": lambda e: e["own"]["graphs"] + (", launch-bound" if e["own"]["launch_bound"] else ""),
        }),
        "What it takes besides": ([e for e in latency if e["key"] != "letter"], of_time | {
            "load, s": own("load_s", three),
            "compile, s": own("compile_s", three),
            "first, ms": own("first_ms", milliseconds),
            "warm-up calls": own("warm_up_ms", lambda v: str(len(v))),
            "peak, MiB": own("peak_bytes", lambda v: f"{v / 2**20:.0f}"),
            "cut off, %": own("truncated", lambda v: f"{100 * v:.1f}"),
            "no letter": lambda e: f"{e['own']['no_letter']} of {e['own']['timed_items']}",
            "ties": own("ties"),
            "flips": own("flips", lambda v: f"{v['changed']} of {v['n']}"),
            "cached": own("cached_tokens"),
            "cost of 1000": own("cost_per_1000", lambda v: f"{v:.3g}"),
            "J of 1000": own("joules_per_1000", three),
        }),
        "Questions a second": (document["saturation"], {
            "suite": suite, "system": plain("system"), "answer by": plain("answer_by"),
            **{size: (lambda e, size=size: three(e["questions_per_s"].get(size))) for size in sizes},
            "saturated at": lambda e: str(e["saturated_at"] or f"not by {max(map(int, e['questions_per_s']))}"),
        }),
        "How many times": (document["speedups"], {
            "suite": suite, "of": plain("quantity"), "batch": batch, "system": plain("system"),
            "than": plain("baseline"),
            "times [95%]": lambda s: times(estimate(s, value="ratio")),
            "by passes": plain("allowed_by_passes", lambda v: f"{v:.3g}"),
            "remark": lambda s: "; ".join([
                *(["more than the passes allow: the rest is not the method's"] if s["above_passes"] else []),
                *s["noise"],
            ]) or "-",
        }),
        "What to distrust": ([{"note": note} for note in document["notes"]], {"remark": plain("note")}),
        "What became": (cells, of_cell | {
            **{s.replace("_", " "): (lambda c, s=s: str(c["statuses"][s])) for s in cells[0]["statuses"]},
            "accuracy given ok": lambda c: percent(estimate(c["given_ok"])),
        }),
        "Letters": (cells, of_cell | {
            "gold": lambda c: letter_counts(c["letters"]["gold"]),
            "answered": lambda c: letter_counts(c["letters"]["answered"]),
        }),
        "Can a readout's": (read, of_cell | {
            "ECE": lambda c: decimal(c["calibration"]["ece"]["value"], 3),
            "less its bias [95%]": lambda c: number(estimate(c["ece_corrected"])),
            "ECE floor": lambda c: decimal(c["ece_floor"], 3),
            "Brier [95%]": lambda c: number(estimate(c["brier"])),
            "risk-coverage [95%]": lambda c: number(estimate(c["risk_coverage"])),
            "surer half, % [95%]": lambda c: percent(estimate(c["surer_half"])),
            "label mass, %": plain("label_mass", share),
        }),
        "What a readout may": ([c for c in cells if c["coverage_at_risk"]], {
            "suite": suite, "system": label, "n": lambda c: str(c["coverage_at_risk"]["0.05"]["n"]),
            **{
                title: (lambda c, risk=risk: percent(estimate(c["coverage_at_risk"][risk]["coverage"])))
                for risk, title in (("0.01", "at 1% risk"), ("0.05", "at 5% risk"), ("0.1", "at 10% risk, % [95%]"))
            },
            "temperature": plain("temperature", lambda t: decimal(t["value"], 2)),
            "ECE": plain("temperature", lambda t: before_after(t, "ece")),
            "Brier [95%]": plain(
                "temperature",
                lambda t: f"{decimal(t['before']['brier']['value'], 3)} to {number(estimate(t['after']['brier']))}",
            ),
        }),
        "In distribution": (document["gaps"], {
            "system": plain("system"), "suites": lambda g: f"{g['inside']} - {g['outside']}",
            "n": lambda g: ", ".join(map(counted, g["n"], g["n_asked"])),
            "gap, points [95%]": lambda g: points(estimate(g | {"n": 0}, value="delta")),
        }),
        "When the options": (document["order_effects"], {
            "suite": suite, "system": plain("system"), "n": n_of, "orders": plain("orders"),
            "mean accuracy, %": plain("mean_accuracy", share), "moved": plain("moved"),
            "follow the text, %": plain("follow_text", share), "follow the letter, %": plain("follow_letter", share),
        }),
        "Where the answers": (cells, {
            "run": plain("run"), "shown as": label,
            "model": lambda c: f"{c['origin']['model']['source']} "
                               f"{(c['origin']['model']['revision'] or c['origin']['weights_sha256'])[:10]}",
            "items": lambda c: c["origin"]["content_sha256"][:10],
            "started, UTC": lambda c: c["origin"]["started_at"][:16].replace("T", " "),
            "made by": lambda c: made_by(document, c),
        }),
        "What made them": (makings(document), {
            "made by": lambda m: str(1 + makings(document).index(m)),
            **{name: (lambda m, i=i: m[i]) for i, name in enumerate(("engine", "device", "commit", "versions"))},
        }),
        "Details": (pairs, {
            "suite": suite,
            "bootstrap, points [95%]": lambda p: points(estimate(p["bootstrap"])),
            "Cohen's g [95%]": lambda p: number(estimate(p["effect"])) if p["effect"] else "-",
            "mid-p": plain("mid_p", lambda v: f"{v:.3g}"),
            "k": plain("pass_at_k", lambda v: str(v["k"])),
            "its n": lambda p: counted(p["pass_at_k"]["n"], p["n_asked"]) if p["pass_at_k"] else "-",
            "pass@k, points [95%]": lambda p: points(estimate(p["pass_at_k"])) if p["pass_at_k"] else "-",
            "p": plain("pass_at_k", lambda v: f"{v['p_value']:.3g}"),
            "why": plain("reason"),
        }),
    }  # fmt: skip
    for sweep in document["sweeps"]:
        title = f"Accuracy by memory budget: {sweep['label']} on {sweep['suite']}, N = {n_of(sweep)}"
        found[title] = (sweep["budgets"], {
            "K": plain("k"), "greedy, % [95%]": lambda b: percent(estimate(b, value="accuracy")),
            "changed": plain("changed"), "to right": plain("to_right"), "to wrong": plain("to_wrong"),
            "failed": plain("failed"),
        })  # fmt: skip
    return found


def before_after(entry, name):
    return f"{decimal(entry['before'][name]['value'], 3)} to {decimal(entry['after'][name]['value'], 3)}"


def test_every_figure_of_every_table_stands_in_the_json_document(summed):
    summary, document = summed
    told = columns_of(document)
    made = make_tables(summary, all_pairs=True)[len(summary.summary) :]  # the suites' have their own test
    tables = [*made, pair_details(summary.comparisons)]
    met = set()
    for table in tables:
        title = max((name for name in told if table.title.startswith(name)), key=len, default=None)
        assert title is not None, f"no place in the document is told for the table '{table.title}'"
        entries, columns = told[title]
        assert set(table.columns) <= set(columns), f"{table.title}: {set(table.columns) - set(columns)}"
        given = [tuple(columns[name](entry) for name in table.columns) for entry in entries]
        assert sorted(table.rows) == sorted(given), table.title
        met.add(title)
    assert met == set(told)


def test_what_stands_under_the_tables_of_budgets_stands_in_the_document_too(summed):
    summary, document = summed
    [table] = [t for t in make_tables(summary) if t.title.startswith("Accuracy by memory budget")]
    [sweep] = document["sweeps"]
    memory = sweep["memory"]
    assert f"K = {memory['k']} minus K = 0: {points(estimate(memory, value='delta'))} points" in table.remark
    assert f"p = {memory['p_value']:.2g} ({memory['test']})" in table.remark
    assert f"Chance is {share(sweep['guess'])}%, the majority letter" in table.remark


def test_no_number_of_the_document_is_a_negative_zero_and_none_is_no_number(summed):
    text = json.dumps(summed[1], allow_nan=False)
    assert "-0.0," not in text and "-0.0]" not in text and "-0.0}" not in text


@pytest.mark.parametrize("value", [-0.0, -0.0004, 0.0])
def test_a_figure_that_rounds_to_nothing_has_no_sign(value):
    assert points(Estimate(value, -0.0001, 0.5, 1, "")) == "0.0 [0.0, +50.0]"
    assert percent(Estimate(value, None, None, 1, "")) == "0.0"
    assert number(Estimate(value / 10, value / 10, 1.0, 1, "")) == "0.000 [0.000, 1.000]"
    assert interval(value, 0.1, signed=True) == "[0.0, +10.0]"
