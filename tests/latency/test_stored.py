"""Measurements as a report reads them: kept whole, compared only where all else is equal."""

import dataclasses
import json
from pathlib import Path

import pytest

from rimbench.errors import DataError, UsageError
from rimbench.latency.measured import Measured, Measurement, Passes, Rounds, Setting, Told
from rimbench.latency.stored import check_writable, keep_measurement, read_measurements
from rimbench.reporting.document import as_document
from rimbench.reporting.latency_tables import saturation_table, speedup_table
from rimbench.reporting.time_plots import plot_accuracy_against_time, plot_speedups, plot_throughput
from rimbench.reporting.times import Flips
from rimbench.reporting.timings import doubts, make_timings, refused, superseded
from rimbench.statistics.estimate import accuracy


def row(system, ms, quantity="answer", batch=1, generated=12.0, **changed):
    samples = tuple(ms + 0.1 * (i % 3) for i in range(32))
    made = Measured(
        system, quantity, "transformers", "cpu", "float32", batch, samples, ms, (ms,), 40, generated, 0, 0.5
    )
    return dataclasses.replace(made, **changed)


def measurement(*rows, at="2026-01-01T00:00:00+00:00", suite="demo"):
    return Measurement(suite, at, "abc", False, {"kind": "cpu"}, {"torch": "2"}, rows)


def test_what_is_kept_is_read_again_the_oldest_first(tmp_path):
    first = measurement(row("rim", 10), at="2026-01-02T00:00:00+00:00")
    second = measurement(row("rim", 11))
    for each in (first, second):
        keep_measurement(each, tmp_path)
    assert read_measurements(tmp_path) == [second, first]
    assert read_measurements(tmp_path / "nowhere") == []


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 2}', '{"schema": 1, "suite": "x"}'])
def test_a_file_that_is_no_measurement_is_named(tmp_path, text):
    path = keep_measurement(measurement(row("rim", 10)), tmp_path)
    path.write_text(text)
    with pytest.raises(DataError, match=r"latency\.json is no measurement of this version"):
        read_measurements(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("price_per_hour", "-Infinity", r"price_per_hour: expected a finite number \(got -inf\)"),
        ("price_per_hour", "NaN", "price_per_hour: expected a finite number"),
        ("price_per_hour", "1e999", "price_per_hour: expected a finite number"),
        ("price_per_hour", "-1", r"price_per_hour: expected 0 or more \(got -1.0\)"),
        ("samples_ms", "[1, Infinity]", r"rows\.0\.samples_ms\.1: expected a finite number"),
        ("samples_ms", "[1, NaN]", r"rows\.0\.samples_ms\.1: expected a finite number"),
        ("samples_ms", "[1, -3]", r"rows\.0\.samples_ms\.1: expected more than 0 \(got -3.0\)"),
        ("samples_ms", "[0, 1]", r"rows\.0\.samples_ms\.0: expected more than 0"),
        ("samples_ms", "[]", r"rows\.0\.samples_ms: expected one time or more"),
        ("samples_ms", "[1, 1e308]", r"rows\.0\.samples_ms\.1: expected 1e\+15 at most \(got 1e\+308\)"),
        ("passes", '{"count": 0}', r"rows\.0\.passes\.count: expected more than 0"),
        ("prompt_tokens", "0", r"rows\.0\.prompt_tokens: expected more than 0"),
        ("first_ms", "-1", r"rows\.0\.first_ms: expected 0 or more"),
        ("batch", "0", r"rows\.0\.batch: expected more than 0"),
        ("device", '{"cpus": ' + "[" * 600 + "]" * 600 + "}", "nested more than 200 levels deep"),
    ],
)
def test_a_number_that_no_clock_gives_is_named_with_its_key_and_the_other_measurements_are_read(
    tmp_path, key, value, fault
):
    whole = measurement(row("cot", 20))
    keep_measurement(whole, tmp_path)
    path = keep_measurement(measurement(row("rim", 10)), tmp_path)
    document = json.loads(path.read_text())
    holder = document if key in document else document["rows"][0]
    holder[key] = "HERE"
    path.write_text(json.dumps(document).replace('"HERE"', value))
    with pytest.raises(DataError, match=rf"^{path} is no measurement of this version \({fault}") as caught:
        read_measurements(tmp_path)
    assert "\n" not in str(caught.value)
    said = []
    assert read_measurements(tmp_path, said.append) == [whole]
    assert len(said) == 1 and str(path) in said[0]


def test_a_measurement_of_an_earlier_build_is_read_as_one_process_with_the_same_meaning(tmp_path):
    path = tmp_path / "latency-0" / "latency.json"
    path.parent.mkdir()
    path.write_bytes((Path(__file__).parent / "earlier.json").read_bytes())
    [found] = read_measurements(tmp_path)
    written = json.loads(path.read_text())
    assert [row.taken for row in found.rows] == [(len(row["samples_ms"]),) for row in written["rows"]]
    for row, before in zip(found.rows, written["rows"], strict=True):
        assert row.mean.value == pytest.approx(sum(before["samples_ms"]) / len(before["samples_ms"]))
        assert (list(row.samples_ms), row.rounds) == (before["samples_ms"], None)
    assert {s.batch for s in speedups_of([found], {})} == {1, 4}


def test_rounds_that_are_not_the_samples_are_named(tmp_path):
    for by_process in ((30,), (32, 0), ()):
        results = tmp_path / str(len(by_process))
        keep_measurement(measurement(row("rim", 10, rounds=Rounds(by_process, (), 0))), results)
        with pytest.raises(DataError, match=r"rows\.0\.rounds\.by_process: expected one or more of each, 32 in"):
            read_measurements(results)


def test_a_time_that_is_no_number_is_named(tmp_path):
    path = keep_measurement(measurement(row("rim", 10)), tmp_path)
    document = json.loads(path.read_text())
    document["rows"][0]["samples_ms"][3] = "nan"
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=r"rows\.0\.samples_ms\.3: expected more than 0 \(got nan\)"):
        read_measurements(tmp_path)


def test_a_ratio_has_the_flags_of_both_its_sides():
    busy, drifting = row("rim", 10, load=3.2), row("cot", 100, samples_ms=(100.0,) * 16 + (150.0,) * 16)
    [speedup] = speedups_of([measurement(busy, drifting)], {})
    assert speedup.noise[0] == "rim: noisy: load 3.2"
    assert speedup.noise[1].startswith("cot: ") and "drift +50%" in speedup.noise[1]
    [line] = speedup_table([speedup]).rows
    assert "load 3.2" in line[-1] and "drift +50%" in line[-1]
    assert as_document(speedup)["noise"] == list(speedup.noise)
    [quiet] = speedups_of([measurement(row("rim", 10), row("cot", 100))], {})
    assert quiet.noise == () and speedup_table([quiet]).rows[0][-1] == "-"


@pytest.mark.parametrize("columns", [60, 80])
def test_a_narrow_terminal_keeps_what_is_unfair_or_doubtful_about_a_ratio(on_terminal, tmp_path, columns):
    rows = row("nano-rim-v2", 10, load=3.2), row("nano-base-direct", 100)
    keep_measurement(measurement(*rows, suite="demo-in-dist"), tmp_path)
    lines = on_terminal(columns, "report", "--results", tmp_path)
    words = " ".join(lines[lines.index("How many times as fast") :]).split()
    assert {"remark", "noisy:", "load", "3.2"} <= set(words)


def test_a_ratio_in_doubt_is_ringed():
    found = []
    for batch, load in ((1, 0.0), (8, 3.2)):
        found += speedups_of([measurement(row("rim", 10, batch=batch, load=load), row("cot", 100, batch=batch))], {})
    axes = plot_speedups(found).figure.axes[0]
    ringed = [c for c in axes.collections if "ringed" in str(c.get_label())]
    assert [list(points.get_offsets()[:, 0]) for points in ringed] == [[8]]
    assert "ringed: noisy times" in [text.get_text() for text in axes.figure.legends[0].get_texts()]


def test_a_time_without_a_letter_is_that_of_no_answer_and_a_servers_holds_the_network():
    silent = row("cot", 100, told=Told({"1": None}, 0, 0))
    [said] = doubts([silent, row("rim", 10, told=Told({"1": "A", "2": None}, 1, 0))])
    assert said == "cot at batch 1: no answer names a letter, so its time is that of no answer"
    [said] = doubts([row("cot", 100, device="remote", setting=Setting("unknown", cached_tokens=0))])
    assert said == "cot: its times hold the network, and the load is this machine's"


def test_a_single_sample_drifts_nowhere():
    assert row("rim", 10, samples_ms=(10.0,)).noises == []


def speedups_of(measurements, accuracies, **choice):
    return make_timings(measurements, accuracies, **choice).speedups


def test_a_speedup_needs_equal_conditions_and_one_measurement():
    rows = [row("rim", 10), row("cot", 100), row("cot8", 80, batch=8), row("bf16", 50, dtype="bfloat16")]
    [speedup] = speedups_of([measurement(*rows), measurement(row("base", 200))], {})
    assert (speedup.system, speedup.baseline, speedup.batch) == ("rim", "cot", 1)
    assert speedup.ratio.value == pytest.approx(10, rel=0.02)
    assert speedup.ratio.lo < speedup.ratio.value < speedup.ratio.hi


def test_each_of_two_engines_keeps_its_own_speedup_and_is_named():
    rows = [row("rim", 10), row("cot", 100), row("rim", 20, engine="vllm"), row("cot", 60, engine="vllm")]
    speedups = speedups_of([measurement(*rows)], {})
    assert [(s.engines, round(s.ratio.value)) for s in speedups] == [
        (("transformers", "transformers"), 10),
        (("vllm", "vllm"), 3),
    ]
    assert [line[2:4] for line in speedup_table(speedups).rows] == [
        ("rim (transformers)", "cot (transformers)"),
        ("rim (vllm)", "cot (vllm)"),
    ]
    assert {as_document(speedup)["system"] for speedup in speedups} == {"rim"}
    assert refused(measurement(*rows))[0].startswith(
        "not compared: rim (transformers) and rim (vllm), answer at batch 1:"
    )


def test_each_quantity_has_its_own_speedup_and_a_system_none_over_itself():
    rows = [row("rim", 10), row("rim", 4, "readout"), row("cot", 100), row("cot", 8, "readout"), row("rim", 11)]
    speedups = speedups_of([measurement(*rows)], {})
    assert [(s.quantity, s.system, s.baseline) for s in speedups] == [
        ("answer", "rim", "cot"),
        ("readout", "rim", "cot"),
    ]
    assert [line[1] for line in speedup_table(speedups).rows] == ["answer", "readout"]


def test_rows_of_unequal_rounds_are_not_paired():
    short = dataclasses.replace(row("cot", 100), samples_ms=(100.0, 101.0))
    assert speedups_of([measurement(row("rim", 10), short)], {}) == ()


def test_a_time_to_the_letter_is_a_questions_own_and_gives_no_rate_and_no_price():
    made = row("cot", 80, "letter", batch=8)
    assert made.per_question_ms == pytest.approx(80, rel=0.01)
    timings = make_timings([dataclasses.replace(measurement(made), price_per_hour=7.2)], {})
    assert timings.costs[0].conditions.cost_per_1000 is None
    [entry] = as_document(timings)["latency"]
    assert entry["questions_per_s"] is None and entry["per_sample_ms"] == pytest.approx(80, rel=0.01)


def test_what_is_kept_again_takes_the_place_of_its_earlier_state(tmp_path):
    path = keep_measurement(measurement(row("rim", 10)), tmp_path)
    assert keep_measurement(measurement(row("rim", 10), row("rim", 40, batch=8)), tmp_path, path) == path
    [found] = read_measurements(tmp_path)
    assert len(found.rows) == 2


def test_a_results_folder_that_takes_nothing_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"cannot write into the results folder .*file \(.*\): give another"):
        check_writable(tmp_path / "file")


def test_speedups_are_drawn_from_two_batch_sizes_on():
    small, large = (speedups_of([measurement(row("rim", 10, batch=b), row("cot", 100, batch=b))], {}) for b in (1, 8))
    assert plot_speedups(small) is None
    axes = plot_speedups([*small, *large]).figure.axes[0]
    assert [text.get_text() for text in axes.figure.legends[0].get_texts()] == ["rim than cot"]
    assert [style for style, _ in lines(axes).values()] == ["None"]


def lines(axes):
    """How points are joined, and how far their intervals reach, of each system."""
    return {
        drawn.get_label(): (drawn[0].get_linestyle(), [path.vertices[:, 1].tolist() for path in bars.get_paths()])
        for drawn in axes.containers
        for bars in drawn[2]
    }


@pytest.mark.parametrize(("batches", "joined"), [((1, 8), "None"), ((1, 8, 64), "-")])
def test_throughput_has_intervals_and_two_batch_sizes_are_not_joined(batches, joined):
    costs = make_timings([measurement(*(row("rim", 10 * b**0.5, batch=b) for b in batches))], {}).costs
    style, ends = lines(plot_throughput(costs).figure.axes[0])["rim"]
    assert style == joined
    for cost, (lo, hi) in zip(costs, ends, strict=True):
        assert [1000 * cost.batch / hi, 1000 * cost.batch / lo] == pytest.approx(cost.ms.ci95)


def test_accuracy_against_time_has_both_intervals_and_an_axis_that_noise_does_not_fill():
    right = {("rim", "demo"): accuracy([1] * 80 + [0] * 20), ("cot", "demo"): accuracy([1] * 81 + [0] * 19)}
    costs = make_timings([measurement(row("rim", 10), row("cot", 100))], right).costs
    plot = plot_accuracy_against_time(costs, ["cot", "rim"], "demo", "demo, N = 100")
    axes = plot.figure.axes[0]
    assert {len(drawn[2]) for drawn in axes.containers} == {2} and plot.table == "demo, N = 100"
    lo, hi = axes.get_ylim()
    assert hi - lo >= 20
    assert len({drawn[0].get_color() for drawn in axes.containers}) == 2


def test_of_several_measurements_the_last_counts():
    timings = make_timings(
        [
            measurement(row("rim", 10), row("cot", 100)),
            measurement(row("rim", 20), row("cot", 100), at="2026-02-01T00:00:00+00:00"),
        ],
        {},
    )
    assert [round(cost.ms.mean) for cost in timings.costs] == [20, 100]
    assert timings.speedups[0].ratio.value == pytest.approx(5, rel=0.02)


def test_a_readouts_answer_is_its_one_pass_and_accuracy_stands_beside_it():
    rows = [row("reads", 10, generated=0.0), row("rim", 40), row("rim", 11, "readout", generated=0.0)]
    timings = make_timings([measurement(*rows)], {("rim", "demo"): accuracy([1, 0])})
    document = as_document(timings)
    reads, rim = sorted(document["latency"], key=lambda entry: entry["system"])
    assert reads["answer_ms"] == reads["readout_ms"]
    assert rim["answer_ms"]["mean"] > 40 > rim["readout_ms"]["mean"] > 11
    assert list(rim) == [
        "system", "engine", "device", "batch", "n", "answer_ms", "readout_ms", "per_sample_ms", "prompt_tokens",
        "generated_tokens", "floor_ms",
        "letter_ms", "readout_floor_ms", "suite", "dtype", "passes", "prefill_ms", "decode_ms",
        "tokens_per_s", "questions_per_s", "floor_share", "launch_bound", "truncated", "accuracy",
        "timed_right", "timed_items", "no_letter", "ties", "flips", "load_s", "compile_s", "first_ms",
        "warm_up_ms", "peak_bytes", "cached_tokens", "cost_per_1000", "load_average", "drift", "unstable",
        "noise", "threads", "graphs",
        "timed_greedy_accuracy", "label", "departures", "quantities", "processes",
        "joules_per_1000",
    ]  # fmt: skip
    assert list(rim["quantities"]) == ["answer", "readout"]
    assert {entry["system"]: entry["accuracy"] for entry in document["latency"]} == {
        "reads": None,
        "rim": 0.5,
    }
    json.dumps(document, allow_nan=False)


def test_noise_and_instability_are_said():
    assert row("quiet", 10).noises == []
    assert row("busy", 10, load=3.2).noises == ["noisy: load 3.2"]
    wild = dataclasses.replace(row("wild", 10), samples_ms=(1.0, 30.0) * 4)
    assert wild.noises[0] == "unstable" and wild.noises[1].startswith("noisy: spread")
    cold = row("cold", 10, setting=Setting("eager", settled=False, stolen=0.2, throttled=3))
    assert cold.noises == ["unstable", "noisy: stolen 20%", "throttled 3 times"]


@pytest.mark.parametrize(
    ("prefill", "decode", "bound"),
    [(12.0, 12.0, True), (1.9, 1.9, False), (12.0, 3.0, False), (12.0, None, None)],
)
def test_a_decode_step_as_slow_as_a_prefill_far_above_the_floor_waits_for_launches(prefill, decode, bound):
    # Qwen3-1.7B on an RTX PRO 6000: either pass takes 1.92 ms at the least, so that 1.9 and 1.9 are no sign of it.
    assert Passes(520, prefill, decode, 1.92, 1.92, 1000).launch_bound is bound


def test_the_share_of_the_floor_throughput_and_price_follow_from_the_mean():
    made = row("cot", 100, batch=4, passes=Passes(12, floor_ms=25.0))
    assert made.floor_share == pytest.approx(0.25, rel=0.01)
    assert made.questions_per_s == pytest.approx(40, rel=0.01)
    assert made.tokens_per_s == pytest.approx(480, rel=0.01)
    measured = dataclasses.replace(measurement(made), price_per_hour=7.2)
    [cost] = make_timings([measured], {}).costs
    assert cost.conditions.cost_per_1000 == pytest.approx(0.05, rel=0.01)  # 25 s at 0.002 a second


def test_the_energy_of_questions_is_that_of_their_batches_and_null_where_it_is_unknown():
    told = row("rim", 100, batch=4, setting=Setting("eager", joules=2.0))
    of = {c.system: c.conditions.joules_per_1000 for c in make_timings([measurement(told, row("cot", 9))], {}).costs}
    assert of == {"rim": 500.0, "cot": None}  # 1,000 questions are 250 batches of 2 J


def test_flips_are_those_of_the_items_answered_alone_and_in_the_batch():
    alone = row("rim", 10, told=Told({"1": "A", "2": "B", "3": None}, 2, 0))
    batched = row("rim", 40, batch=8, told=Told({"1": "A", "2": "C", "3": "D", "4": "A"}, 1, 0))
    other = row("cot", 99, told=Told({"1": "D"}, 0, 0))
    costs = make_timings([measurement(alone, other, batched)], {}).costs
    by_batch = {(c.system, c.batch): c.conditions.flips for c in costs}
    assert by_batch == {("rim", 1): None, ("cot", 1): None, ("rim", 8): Flips(2, 3)}


def test_an_unfair_speedup_is_refused_with_its_reason_or_labelled():
    graphs = row("rim", 10, setting=Setting("graphs"))
    eager = row("cot", 100, setting=Setting("eager"))
    none = speedups_of([measurement(graphs, eager)], {})
    assert none == ()
    assert (
        "not compared: rim and cot, answer at batch 1: launches graphs against eager"
        in refused(measurement(graphs, eager))[0]
    )
    [labelled] = speedups_of([measurement(graphs, eager)], {}, allow_unfair=True)
    assert labelled.unfair == ("launches graphs against eager",)


def test_a_speedup_of_the_short_decoder_over_the_librarys_modules_is_refused():
    short = row("rim", 10, setting=Setting("eager", path="short decoder"))
    whole = row("cot", 100, setting=Setting("eager", path="library's modules"))
    assert speedups_of([measurement(short, whole)], {}) == ()
    [said] = refused(measurement(short, whole))
    assert "path short decoder against library's modules" in said
    [ratio] = speedups_of([measurement(short, row("cot", 100, setting=short.setting))], {})
    assert ratio.unfair == ()


@pytest.mark.parametrize(("passes", "too_fast"), [(12, False), (8, True)])
def test_a_speedup_above_what_the_passes_allow_is_flagged(passes, too_fast):
    fast, slow = row("rim", 10, passes=Passes(1)), row("cot", 100, passes=Passes(passes))
    [speedup] = speedups_of([measurement(fast, slow)], {})
    assert (speedup.allowed_by_passes, speedup.above_passes) == (passes, too_fast)


def test_a_longer_prompt_of_the_slower_side_is_allowed_for():
    fast, slow = row("rim", 10, passes=Passes(1)), row("cot", 100, passes=Passes(8), prompt_tokens=60)
    [speedup] = speedups_of([measurement(fast, slow)], {})
    assert (speedup.allowed_by_passes, speedup.above_passes) == (12, False)


def test_a_system_is_saturated_from_the_smallest_batch_that_is_hardly_beaten():
    rows = [row("rim", ms, batch=batch) for batch, ms in ((1, 10), (8, 20), (64, 150), (256, 600))]
    [line] = saturation_table(make_timings([measurement(*rows)], {}).saturation).rows
    assert line == ("demo", "rim", "tokens", "99", "398", "426", "427", "8")


def test_times_that_were_measured_again_are_said():
    first = measurement(row("rim", 10), row("rim", 12, batch=8))
    assert list(superseded([first, measurement(row("cot", 80)), measurement(row("rim", 9), suite="x")])) == []
    again = measurement(row("rim", 11), at="2026-01-02T00:00:00+00:00")
    assert list(superseded([first, again])) == ["times on demo were measured 2 times: the last ones count"]
