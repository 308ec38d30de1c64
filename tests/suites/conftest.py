import json
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def shared_data():
    """A file of real questions beside the checkout; the test is skipped where there is none."""

    def find(path):
        found = SHARED / path
        if not found.exists():
            pytest.skip(f"the real questions are not beside the checkout: {found}")
        return found

    return find


@pytest.fixture
def write_rows(tmp_path):
    """Rows -> a file of them, of the type that its name says."""

    def write(rows, name="rows.jsonl"):
        path = tmp_path / name
        if path.suffix == ".parquet":
            import pyarrow as pa
            import pyarrow.parquet as pq

            pq.write_table(pa.Table.from_pylist(rows), path)
        elif path.suffix == ".csv":
            import csv

            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                for row in rows:
                    writer.writerow({k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in row.items()})
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def write_suite(tmp_path):
    """TOML text -> a suite file."""

    def write(text, name="mine.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def table_suite(write_suite):
    """A suite of question, options and a gold letter, with what else the TOML should say."""

    def write(extra="", n=1000, gold='{ letter = "gold" }', options='"options"', top=""):
        return write_suite(
            f'description = "a table"\nn = {n}\nseed = 7\n{top}\n[[layout]]\nname = "mine"\nquestion = "question"\n'
            f"options = {options}\ngold = {gold}\n{extra}"
        )

    return write
