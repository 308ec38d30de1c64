import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
LOGS = Path(__file__).parent / "logs"

# The questions that the logs in `logs` were made from, with lm-evaluation-harness 0.4.13 and inspect_ai 0.3.285.
QUIZ = [
    ("q-1", "Which planet is known as the red planet?", ["Venus", "Mars", "Jupiter", "Saturn"], "B"),
    ("q-2", "What is the chemical symbol of sodium?", ["S", "So", "Na", "Sd"], "C"),
    ("q-3", "How many sides does a hexagon have?", ["5", "6", "7", "8"], "B"),
    ("q-4", "Which organ pumps blood?", ["Liver", "Lung", "Kidney", "Heart"], "D"),
    (
        "q-5",
        "Which gas do plants take up for photosynthesis?",
        ["Carbon dioxide", "Oxygen", "Nitrogen", "Helium"],
        "A",
    ),
    ("q-6", "Which of these is a prime number?", ["9", "15", "17", "21"], "C"),
]
TOML = (
    'description = "made for tests"\nn = {n}\n[source]\npath = "{name}.jsonl"\n[[layout]]\nname = "test"\n'
    'id = "id"\nquestion = "question"\noptions = "options"\ngold = {{ letter = "gold" }}\n'
)


@pytest.fixture
def shared_data():
    """A file of real questions or answers beside the checkout; the test is skipped where there is none."""

    def find(path):
        found = SHARED / path
        if not found.exists():
            pytest.skip(f"the real answers are not beside the checkout: {found}")
        return found

    return find


@pytest.fixture
def quiz_rows():
    return QUIZ


@pytest.fixture
def logs():
    return LOGS


@pytest.fixture
def quiz(tmp_path):
    """Writes the quiz, or rows like it, as a suite; returns its TOML."""

    def write(rows=QUIZ, n=1000, name="quiz"):
        lines = [{"id": i, "question": q, "options": o, "gold": g} for i, q, o, g in rows]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (tmp_path / f"{name}.toml").write_text(TOML.format(n=n, name=name))
        return tmp_path / f"{name}.toml"

    return write


@pytest.fixture
def write_lines(tmp_path):
    """Rows, or whole lines, -> a JSONL file."""

    def write(rows, name="answers.jsonl"):
        path = tmp_path / name
        path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
        return path

    return write


@pytest.fixture
def do_import(tmp_path):
    """Runs the command; returns its JSON, what it noted, and the records by item and sample."""
    from rimbench.cli.import_ import import_

    app = typer.Typer()
    app.command()(import_)

    def run(path, suite, *options, system="them"):
        results = tmp_path / "results"
        done = CliRunner().invoke(
            app, [str(path), "--system", system, "--suite", str(suite), "--results", str(results), "--json", *options]
        )
        if done.exception is not None:
            raise done.exception
        document = json.loads(done.stdout)
        lines = (Path(document["folder"]) / "records.jsonl").read_text().splitlines()
        records = {(r["item_id"], r["sample"]): r for r in map(json.loads, lines)}
        return SimpleNamespace(document=document, notes=done.stderr, records=records, folder=Path(document["folder"]))

    return run
