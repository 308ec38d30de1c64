"""The names of runs, as builds before this one gave them: a run that was begun is gone on with."""

import pytest

from rimbench import suites, systems
from rimbench.running.plans import RunSettings, plan_runs
from rimbench.suites.controls import Controls

NAMES = {
    ("nano-base", "demo-in-dist", "fake"): "8a5323ae21",
    ("nano-base", "demo-long", "fake"): "e9d1efd276",
    ("nano-base", "demo-in-dist", "transformers"): "bdc8709b22",
    ("nano-cot", "demo-in-dist", "fake"): "dd0a7ab9ec",
    ("nano-cot", "demo-in-dist", "transformers"): "657a74870d",
    ("nano-base-direct", "demo-in-dist", "fake"): "202f7b0d35",
    ("nano-direct", "demo-long", "fake"): "b2b8890769",
    ("nano-direct", "demo-in-dist", "transformers"): "6d1b606de1",
    ("nano-rim-v1", "demo-in-dist", "fake"): "02add4ca57",
    ("nano-rim-v1", "demo-in-dist", "transformers"): "a6fbd76e14",
    ("nano-rim-v2", "demo-in-dist", "fake"): "8f85b925c5",
    ("nano-rim-v2", "demo-long", "fake"): "2096cab300",
}
OTHERWISE = {
    "two blocks": "f7d7fa91b8",
    "a seed and draws": "c969bbd784",
    "permuted": "4a3bd44e1c",
    "blind": "585c53b608",
    "bfloat16": "54da1d6a2d",
}
TAGS = """description = "tags"
baseline = "base"
[weights]
package = "rimbench"
file = "nano/cot"
[prompt]
instruction = "Reason, then answer."
chat_template = { enable_thinking = false }
date = 2025-03-04
[answer]
mode = "generate"
max_new_tokens = 32
temperature = 0.5
top_p = 0.9
reasoning_tags = [["<a>", "</a>"], ["<b>", "</b>"]]
"""


def name_of(tmp_path, system, suite="demo-in-dist", engine="fake", **settings):
    loaded = suites.load(suite, limit=5)
    [run] = plan_runs([system], [loaded], RunSettings(tmp_path, engine, **settings))
    assert run.name.startswith(f"{system.name}-{suite}-")
    return run.name.rpartition("-")[2]


@pytest.mark.parametrize("cell", NAMES, ids="-".join)
def test_a_run_keeps_its_name(tmp_path, cell):
    name, suite, engine = cell
    batch_size = 8 if engine == "transformers" else None
    assert name_of(tmp_path, systems.load(name), suite, engine, batch_size=batch_size) == NAMES[cell]


def test_runs_of_other_settings_keep_their_names(tmp_path):
    v2 = systems.load("nano-rim-v2")
    assert {
        "two blocks": name_of(tmp_path, systems.override(v2, blocks=2)),
        "a seed and draws": name_of(tmp_path, v2, seed=7, samples=4),
        "permuted": name_of(tmp_path, v2, controls=Controls(3)),
        "blind": name_of(tmp_path, v2, controls=Controls(blind=True)),
        "bfloat16": name_of(tmp_path, v2, engine="transformers", batch_size=4, dtype="bfloat16"),
    } == OTHERWISE


def test_a_users_file_with_all_its_tables_keeps_its_name(tmp_path):
    (tmp_path / "think.toml").write_text(TAGS)
    assert name_of(tmp_path, systems.load(str(tmp_path / "think.toml"))) == "9207c33b85"
