"""What other packages register: real packages in a folder of installed ones, looked for by the real command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CASCADE = 'description = "both"\nkind = "cascade"\nfirst = "{first}"\nsecond = "nano-cot"\nthreshold = 0.5\n'
ROOT = Path(__file__).resolve().parents[2]
ENGINE = """
from rimbench.engines.transformers import TransformersEngine
from dataclasses import replace

class Fast(TransformersEngine):
    @classmethod
    def describe(cls, choice):
        return replace(super().describe(choice), name={name!r})
"""
SUITE = 'description = "theirs"\nn = 2\n[source]\npath = "rows.jsonl"\n[[layout]]\nname = "x"\nquestion = "q"\n' \
        'options = "o"\ngold = { letter = "a" }\n'  # fmt: skip
ROWS = "".join(
    json.dumps({"q": f"Question {i}?", "o": {"A": f"x{i}", "B": f"y{i}"}, "a": "A"}) + "\n" for i in (1, 2)
)
SYSTEM = (ROOT / "rimbench/systems/nano-direct.toml").read_text()


@pytest.fixture
def site(tmp_path):
    """Installs packages: their files, and the metadata that says which of them registers what."""

    def install(name, files, points, version="1.0"):
        for path, text in files.items():
            (tmp_path / "site" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "site" / path).write_text(text)
        info = tmp_path / "site" / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        groups = (f"[rimbench.{group}]\n{line}\n" for group, line in points.items())
        (info / "entry_points.txt").write_text("\n".join(groups))

    return install


@pytest.fixture
def run(tmp_path):
    def run(*arguments):
        path = os.pathsep.join((str(tmp_path / "site"), str(ROOT)))
        env = os.environ | {"PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "COLUMNS": "120"}
        command = [sys.executable, "-m", "rimbench", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    return run


def answer(run, engine, *more):
    asked = ("--system", "nano-direct", "--suite", "demo-in-dist", "--limit", 2)
    return run("run", *asked, "--engine", engine, *more)


def test_a_suite_a_system_and_an_engine_of_another_package_are_used_by_their_names(site, run, tmp_path):
    files = {"acme/__init__.py": "", "acme/data/theirs.toml": SUITE, "acme/data/rows.jsonl": ROWS,
             "acme/asked/their-direct.toml": SYSTEM, "acme/fast.py": ENGINE.format(name="fast")}  # fmt: skip
    points = {"suites": "x = acme.data", "systems": "x = acme.asked", "engines": "fast = acme.fast:Fast"}
    site("acme", files, points)
    done = run("run", "--system", "their-direct", "--suite", "theirs", "--engine", "fast")
    assert done.returncode == 0, done.stderr
    [manifest] = (tmp_path / "results").glob("*/manifest.json")
    kept = json.loads(manifest.read_text())
    assert (kept["system"], kept["suite"], kept["n"]) == ("their-direct", "theirs", 2)
    assert "left out" not in done.stderr
    assert "their-direct" in run("systems").stdout and "theirs" in run("suites").stdout


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nothing_of_that_name", "cannot be imported (ModuleNotFoundError: No module named"),
        ("raise SystemExit(3)", "cannot be imported (SystemExit: 3)"),
        ("def (", "cannot be imported (SyntaxError"),
        ("raise ValueError('two\\nlines')", "cannot be imported (ValueError: two lines)"),
        ("", "cannot be imported (AttributeError"),
        ("Fast = 3", "it is no subclass of rimbench.engines.Engine"),
        ("class Fast: pass", "it is no subclass of rimbench.engines.Engine"),
        (
            "from rimbench.engines import Engine\nclass Fast(Engine): pass",
            "it lacks the methods __init__, answer, close",
        ),
    ],
)
def test_an_engine_that_cannot_be_used_is_said_in_one_line_and_the_rest_works(site, run, code, said):
    site("acme", {"acme_fast.py": f"print('loading')\n{code}"}, {"engines": "fast = acme_fast:Fast"})
    done = answer(run, "auto")
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stderr.splitlines() if "left out" in line]
    assert line.startswith("rimbench: engine 'fast' of package acme 1.0 is left out: ") and said in line
    assert "loading" not in done.stdout
    named = answer(run, "fast")
    assert named.returncode == 2 and "unknown engine 'fast'" in named.stderr and "Traceback" not in named.stderr


@pytest.mark.parametrize("name", ["transformers", "fake", "auto"])
def test_an_engine_never_stands_in_for_a_shipped_one(site, run, name):
    site("acme", {"acme_fast.py": "raise RuntimeError('was imported')"}, {"engines": f"{name} = acme_fast:Fast"})
    done = answer(run, name)
    assert done.returncode == 0 and "was imported" not in done.stderr, done.stderr
    assert f"engine '{name}' of package acme 1.0 is left out: rimbench itself has one of that name" in done.stderr


def test_of_two_packages_with_one_name_neither_is_taken_for_the_other(site, run):
    for name in ("acme", "bolt"):
        site(name, {f"{name}_fast.py": ENGINE.format(name="fast")}, {"engines": f"fast = {name}_fast:Fast"})
    done = answer(run, "fast")
    assert done.returncode == 2
    assert "engine 'fast' of package acme 1.0 is left out: bolt 1.0 has one of that name" in done.stderr
    assert "engine 'fast' of package bolt 1.0 is left out: acme 1.0 has one of that name" in done.stderr


def test_an_engine_under_another_name_than_its_facts_is_refused_before_anything_is_run(site, run):
    site("acme", {"acme_fast.py": ENGINE.format(name="transformers")}, {"engines": "fast = acme_fast:Fast"})
    done = answer(run, "fast")
    assert done.returncode == 1
    assert "engine 'fast' describes itself as 'transformers'" in done.stderr.splitlines()[-1]


def test_a_suite_or_a_system_never_stands_in_for_a_shipped_one(site, run):
    files = {"acme/a/demo-in-dist.toml": SUITE, "acme/b/nano-direct.toml": SYSTEM.replace("direct", "cot")}
    site("acme", files, {"suites": "x = acme.a", "systems": "x = acme.b"})
    done = answer(run, "transformers")
    assert done.returncode == 0
    assert "suite 'demo-in-dist' of package acme 1.0 is left out: rimbench itself has one of that name" in done.stderr
    assert "system 'nano-direct' of package acme 1.0 is left out: rimbench itself has one" in done.stderr
    shown = json.loads(run("systems", "--json").stdout)
    assert [row["system"] for row in shown].count("nano-direct") == 1


@pytest.mark.parametrize("kind", ["suite", "system"])
@pytest.mark.parametrize(
    ("files", "value", "said"),
    [
        ({}, "acme.missing", "cannot be imported (ModuleNotFoundError"),
        ({"acme/__init__.py": "1 / 0", "acme/x.toml": SUITE}, "acme", "cannot be imported (ZeroDivisionError"),
        ({"acme/__init__.py": ""}, "acme", "expected acme to be a package that holds *.toml files"),
        ({"acme.py": "x = 3"}, "acme:x", "expected acme:x to be a package that holds *.toml files"),
        ({"acme/x.toml": "n = 0"}, "acme", "required, but missing"),
        ({"acme/x.toml": "= 0"}, "acme", "is not readable TOML"),
    ],
)
def test_files_that_cannot_be_used_are_said_in_one_line_and_the_rest_is_listed(site, run, kind, files, value, said):
    site("acme", files, {f"{kind}s": f"x = {value}"})
    done = run(f"{kind}s")
    assert done.returncode == 0, done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith(f"rimbench: {kind}") and "of package acme 1.0 is left out: " in line and said in line
    assert ("demo-in-dist" if kind == "suite" else "nano-direct") in done.stdout


def test_a_system_of_another_package_is_no_member_of_a_shipped_family(site, run):
    """The p-value of a pair is multiplied by the pairs of its family, which no installed package changes."""
    assert answer(run, "transformers", "--system", "nano-base").returncode == 0
    before = run("report", "--json").stdout
    site("acme", {"acme/their-direct.toml": SYSTEM}, {"systems": "x = acme"})
    assert json.loads(run("systems", "--json").stdout)[-1]["system"] == "their-direct"
    assert run("report", "--json").stdout == before


@pytest.mark.parametrize("first", ["nano-rim-v2", "their-direct", "their-direct.toml"])
def test_a_cascade_of_another_package_names_shipped_systems_and_its_own(site, run, first):
    files = {"acme/both.toml": CASCADE.format(first=first), "acme/their-direct.toml": SYSTEM}
    site("acme", files, {"systems": "x = acme"})
    done = answer(run, "transformers", "--system", "both")
    assert done.returncode == 0 and "left out" not in done.stderr, done.stderr


@pytest.mark.parametrize("first", ["both", "both.toml", "other"])
def test_a_cascade_of_cascades_is_left_out_and_named_once_with_the_key(site, run, first):
    files = {"acme/both.toml": CASCADE.format(first=first), "acme/other.toml": CASCADE.format(first="both")}
    site("acme", files, {"systems": "x = acme"})
    done = run("systems")
    assert done.returncode == 0 and "nano-direct" in done.stdout, done.stderr
    left_out, _ = done.stderr.splitlines()
    assert "system 'both' of package acme 1.0 is left out: " in left_out
    assert "first: " in left_out and "is a cascade itself; expected a single system" in left_out


def test_a_cascade_that_names_a_registered_cascade_is_refused(site, run, tmp_path):
    site("acme", {"acme/both.toml": CASCADE.format(first="nano-rim-v2")}, {"systems": "x = acme"})
    (tmp_path / "mine.toml").write_text(CASCADE.format(first="both"))
    done = answer(run, "transformers", "--system", "mine.toml")
    assert "mine.toml: first: " in done.stderr and "is a cascade itself; expected a single" in done.stderr
    assert "Traceback" not in done.stderr
