"""What reads results, in an environment without the libraries that run models: a reviewer's laptop."""

import json
import os

import pytest

import rimbench as front
from rimbench import suites

MISSING = ("torch", "transformers", "datasets", "accelerate")


@pytest.fixture
def light(rimbench, tmp_path):
    """The command in a process that cannot import what runs models, whether it is installed or not."""
    folder = tmp_path / "blocking"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import sys\nsys.modules.update(dict.fromkeys({MISSING!r}))\n")
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])

    def run(*arguments, check=True):
        return rimbench(*arguments, env={"PYTHONPATH": path}, check=check)

    return run


def test_answers_are_imported_reported_compared_exported_and_audited_without_libraries_that_run_models(
    light, tmp_path
):
    items = suites.load("demo-in-dist", limit=40).items
    for name, right in (("one", 30), ("two", 20)):
        rows = [
            {"item_id": item.item_id, "predicted": item.gold if i < right else "A" if item.gold != "A" else "B"}
            for i, item in enumerate(items)
        ]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        told = light("import", f"{name}.jsonl", "--system", name, "--suite", "demo-in-dist")
        assert f"{right} right" in told.stderr
    document = json.loads(light("report", "--json").stdout)
    assert {cell["system"]: cell["n"] for cell in document["cells"]} == {"one": 40, "two": 40}
    assert "| one |" in light("report", "--markdown").stdout
    light("report", "--html", "page.html", "--plots", "plots")
    assert (tmp_path / "page.html").stat().st_size and list((tmp_path / "plots").iterdir())
    [pair] = json.loads(light("compare", "one", "two", "--json", "--allow-partial").stdout)
    assert pair["table"] == [[20, 10], [0, 10]]
    light("export", "all.parquet")
    assert len(front.load(tmp_path / "results")) == 80
    assert json.loads(light("audit", "rim-card", "--json").stdout)["claims"]
    assert json.loads(light("plan", "--json").stdout)["n"] == 1000
    assert "needs" in light("systems").stdout and light("suites").stdout


def test_a_command_that_needs_a_library_which_is_not_there_is_one_line_that_names_it(light):
    done = light("show-prompt", "--system", "nano-cot", "--suite", "demo-long", check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("rimbench: error: this needs the package transformers")
