"""A decision server with each fault of jevcompat: its answers are those without it, or a line says why not."""

from pathlib import Path

import pytest
import tiny

import rimbench
from rimbench.errors import RimbenchError
from rimbench.store import Answers

mock = pytest.importorskip("jevcompat.mock")

REFUSED = {
    "wrong-route": "/v1/systemone: 404",
    "xssi-200": "the reply is no JSON",
    "auth-x-api-key": "refuses the key",
    "reject-jev-latest": "Model not served: jev-latest",
    "extra-answer": "answers.__extra__.type: expected 'choice' (got ",
    "choice-key-case": "gave the probabilities of a, b, c, d, the question has A, B, C, D",
    "choice-sum": "probabilities are none",
    "choice-second": "the server chose",
    "confidence-over": "confidence is none: 1.5",
}
OTHER_CONFIDENCE = {"choice-no-confidence", "confidence-margin"}
"""Kept as it came: the probabilities are the same."""
OTHER_MODEL = {"id-leaks", "batch-leaks", "order-leaks"}
"""What these do to an answer no single question shows."""
KEY = "a-key-of-16-char"
ROWS = 12


@pytest.fixture(scope="module")
def cell(tmp_path_factory):
    """A decision system under an alias, and a suite."""
    folder = tmp_path_factory.mktemp("cell")
    system = folder / "decision.toml"
    system.write_text(
        'description = "decides"\n[weights]\nserved = "jev-latest=jevcompat-mock-0.1"\n'
        '[answer]\nmode = "readout"\ndecision = "systemone"\n'
    )
    return str(system), str(tiny.write_suite(folder, ROWS))


def answers(cell, results, **config):
    with mock.Running(mock.MockConfig(**config)) as server:
        done = rimbench.run(*cell, engine="server", base_url=server.url, results=results)
    found = sorted(Answers(done.runs[0].folder), key=lambda record: record.item_id)
    return [(r.item_id, r.status, r.answer, r.option_logprobs) for r in found], [r.confidence for r in found]


@pytest.fixture(scope="module")
def faultless(cell, tmp_path_factory):
    found = answers(cell, tmp_path_factory.mktemp("faultless"))
    assert len(found[0]) == ROWS
    return found


@pytest.mark.parametrize("fault", sorted(mock.FAULTS))
def test_a_fault_changes_no_answer_or_ends_the_run_with_what_was_wrong(fault, cell, faultless, tmp_path, monkeypatch):
    key = KEY if fault.startswith("auth") and fault != "auth-rejects-header" else None
    if key is not None:
        monkeypatch.setenv("RIMBENCH_API_KEY", key)
    given = {"faults": frozenset([fault]), "key": key}
    if fault in REFUSED:
        with pytest.raises(RimbenchError) as raised:
            answers(cell, tmp_path, **given)
        assert REFUSED[fault] in str(raised.value)
        assert KEY not in str(raised.value)
        assert len(str(raised.value).splitlines()) == 1
        return
    found, confidence = answers(cell, tmp_path, **given)
    if fault not in OTHER_MODEL:
        assert found == faultless[0]
        assert (confidence == faultless[1]) == (fault not in OTHER_CONFIDENCE)
    assert [status for _, status, _, _ in found] == ["ok"] * ROWS


def test_a_server_that_is_busy_every_third_time_is_asked_again(cell, faultless, tmp_path):
    assert answers(cell, tmp_path, busy_every=3) == faultless


def test_a_name_that_stands_for_another_model_has_to_say_so(cell, tmp_path):
    system = tmp_path / "plain.toml"
    system.write_text(Path(cell[0]).read_text().replace("=jevcompat-mock-0.1", ""))
    with pytest.raises(RimbenchError, match=r'under .weights.: served = "jev-latest=jevcompat-mock-0.1"'):
        answers((str(system), cell[1]), tmp_path / "results")
