import pytest
from claims_files import HEAD

from rimbench.claims.audit import audit_file


@pytest.fixture
def write(tmp_path):
    """Writes a claims file from its parts; returns its path."""

    def make(*parts, head=HEAD):
        path = tmp_path / "claims.toml"
        path.write_text(head + "".join(parts), encoding="utf-8")
        return path

    return make


@pytest.fixture
def judge(write):
    """Audits a claims file made of these parts; returns the judgement of its first claim."""

    def make(*parts, head=HEAD):
        return audit_file(write(*parts, head=head)).findings[0].judgement

    return make
