import pytest
from report_runs import manifest

from rimbench.records import Item
from rimbench.store import RunStore


@pytest.fixture
def write_run(tmp_path):
    def write(records, items=4, **changes):
        made = manifest(**changes)
        questions = [Item(str(i), f"q{i}", {"A": "x", "B": "y", "C": "z", "D": "w"}, "A") for i in range(items)]
        with RunStore(tmp_path / "results" / made.run) as store:
            store.write_manifest(made, questions)
            store.append(records)
        return tmp_path / "results"

    return write
