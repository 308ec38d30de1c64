"""Columns of the rows that a suite keeps with its items, to break answers down by."""

import json

import pytest

from rimbench import suites

SUITE = """description = "made for tests"
n = 10
[source]
path = "rows.jsonl"
[[layout]]
name = "test"
question = "question"
options = "options"
gold = { letter = "gold" }
"""


def test_a_suite_keeps_the_columns_that_it_names_and_stays_the_same_suite(tmp_path):
    cells = ["surgery", " two\nlines ", 3, 2.5, True, None, "", float("nan"), ["x"], "\ud800"]
    rows = [
        {"question": f"Question {i}?", "options": ["a", "b"], "gold": "A", "subject": cell}
        for i, cell in enumerate(cells)
    ]
    del rows[5]["subject"]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "plain.toml").write_text(SUITE)
    (tmp_path / "kept.toml").write_text(SUITE + 'facets = ["subject", "absent"]\n')
    plain, kept = (suites.load(str(tmp_path / f"{name}.toml")) for name in ("plain", "kept"))
    assert plain.content_sha256 == kept.content_sha256 and len(kept.items) == 10
    found = {item.question: (item.facets or {}).get("subject") for item in kept.items}
    assert [found[f"Question {i}?"] for i in range(10)] == [
        "surgery", "two lines", "3", "2.5", "True", None, None, None, None, None,
    ]  # fmt: skip
    assert all(item.facets is None for item in plain.items)


@pytest.mark.parametrize(
    ("suite", "path", "facet", "some"),
    [
        ("medqa", "medqa/phrases_no_exclude_test.jsonl", "meta_info", {"step1", "step2&3"}),
        ("medmcqa", "medmcqa/dev.json", "subject_name", {"Anatomy", "Surgery", "Pharmacology"}),
    ],
)
def test_the_columns_of_the_real_rows_are_kept(shared_data, suite, path, facet, some):
    items = suites.load(suite, data=shared_data(path)).items
    assert {(item.facets or {}).get(facet) for item in items} >= some
