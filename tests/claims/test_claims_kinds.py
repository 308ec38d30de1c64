"""A kind of claim is one file: its fields, what it refers to, its verdict, and what holds it."""

import importlib

import pytest
from claims_files import HEAD, accuracy, claim

from rimbench.claims import kinds, schema
from rimbench.claims.audit import audit_file
from rimbench.claims.document import audit_document
from rimbench.claims.tables import audit_tables
from rimbench.errors import ConfigError, UsageError

WORKED_EXAMPLE = """
from typing import Literal

from rimbench.claims.claim import Claim, wrong_references
from rimbench.claims.entries import Share, Text
from rimbench.claims.finding import Ruling


class AtLeastClaim(Claim):
    SECTION = "Claims of size"
    kind: Literal["at least"]
    figure: Text
    least: Share

    def faults(self, figures):
        yield from wrong_references(self.id, [self.figure], figures, ("accuracy",))

    def judge(self, published):
        enough = published.figures[self.figure].value.lowest >= self.least.value
        return Ruling("holds" if enough else "contradicted", f"It is {published.figures[self.figure].value}.")


KIND = AtLeastClaim
"""


@pytest.fixture
def with_a_kind_more(tmp_path, monkeypatch):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "at_least.py").write_text(WORKED_EXAMPLE)
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path / "more")])
    importlib.reload(schema)
    yield
    monkeypatch.undo()
    importlib.reload(schema)


def test_a_kind_of_claim_is_one_file_with_its_fields_its_verdict_and_its_section(with_a_kind_more, tmp_path):
    path = tmp_path / "claims.toml"
    path.write_text(HEAD + accuracy("a", "50.9 %") + claim("at least", 'figure = "a-s"\nleast = "50 %"'))
    audited = audit_file(path)
    assert audit_document(audited)["claims"][0]["verdict"] == "holds"
    assert any(table.title == "Claims of size" for table in audit_tables(audited))


def test_the_faults_of_a_claim_are_found_by_its_own_kind(with_a_kind_more, tmp_path):
    path = tmp_path / "claims.toml"
    path.write_text(HEAD + accuracy("a", "50.9 %") + claim("at least", 'figure = "b-s"\nleast = "50 %"'))
    with pytest.raises(ConfigError, match="unknown figure"):
        audit_file(path)


def test_a_second_kind_of_one_name_is_one_line_that_names_both_files(tmp_path, monkeypatch):
    (tmp_path / "twice.py").write_text(WORKED_EXAMPLE.replace("at least", "restated"))
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    with pytest.raises(
        UsageError, match=r"claim kind 'restated' of \S+\.twice is also that of \S+\.restated: expected"
    ):
        importlib.reload(schema)
    monkeypatch.undo()
    importlib.reload(schema)
