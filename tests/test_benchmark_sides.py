"""The sides of the benchmarks that run in processes of their own."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from writing import side_of

EARLIER = """
import sys
print('no line of its own\\n{"ready": true}', flush=True)
for line in sys.stdin:
    print('{"earlier was asked": "%s"}' % line.strip(), flush=True)
"""


def test_a_side_imports_the_checkout_that_is_named_from_the_current_folder(tmp_path, monkeypatch):
    package = tmp_path / "earlier" / "rimbench"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(EARLIER)
    (tmp_path / "prompts.json").write_text("[]")
    monkeypatch.chdir(tmp_path)
    side = side_of(sys.executable, 1, Path("earlier"), "rimbench", "no model", "prompts.json", "float32")
    assert side.ask(2, 1) == {"earlier was asked": "2 1"}
    side.close()
