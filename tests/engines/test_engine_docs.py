"""The engine of the documentation is a whole one."""

import re
import types
from pathlib import Path

from rimbench.conformance.trial import hold

PAGE = Path(__file__).resolve().parents[2] / "docs" / "engines.md"


def test_the_documented_engine_keeps_to_the_contract():
    code = re.search(r"<!-- engine -->\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
    module = types.ModuleType("my_engine")
    exec(code, module.__dict__)
    found = hold("plain", module.PlainEngine)
    assert [o for o in found.outcomes if not o.passed] == []
