"""A suite's TOML is checked as a whole: all faults at once, each with its key."""

import pytest

from rimbench.errors import ConfigError, DataError, UsageError
from rimbench.plugins import find_files
from rimbench.suites import catalogue, listing, load
from rimbench.suites.schema import read_suite

FAULTY = """
describtion = "typo"
n = 0
seed = "one"
[source]
repo = "a/b"
[wording]
question = "{question} only"
option = "{text}"
[heldout]
fraction = 1.5
[[layout]]
name = "first"
question = "question"
options = ["a"]
gold = { letter = "x", index = "y" }
[[layout]]
name = "second"
question = "question"
options = ["a", "b"]
gold = { letter = "x", base = 1 }
[[layout]]
messages = "messages"
"""


def test_all_faults_of_a_file_are_listed_at_once_in_one_line(write_suite):
    with pytest.raises(ConfigError) as caught:
        load(write_suite(FAULTY))
    message = str(caught.value)
    assert "mine.toml" in message
    assert "\n" not in message
    for part in [
        "description: required, but missing",
        "describtion: unknown key: did you mean description? known here: description, title, "
        "in_distribution, n, seed, source, wording, heldout, layout",
        "n: expected 1 or more (got 0)",
        "seed: expected a whole number, without quotes (got 'one')",
        "source: a repo needs a revision",
        "wording.question: must contain {options}",
        "wording.option: must contain {letter}",
        "layout.0.table.options: 1 columns: an item has 2 to 10 options",
        "heldout.fraction: expected less than 1 (got 1.5)",
        "layout.0.table.gold: give exactly one of letter, index and text",
        "layout.1.table.gold: base belongs to index",
        "layout.2.conversation.name: required, but missing",
    ]:
        assert part in message


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('repo = "a/b"\nrevision = "main"', "a repo needs a file to download or a split to stream"),
        ('repo = "a/b"\npath = "x.csv"', "give exactly one of repo"),
        ("", "give exactly one of repo"),
        ('path = "x.csv"\nsplit = "test"', "revision, file and split belong to a repo"),
    ],
)
def test_a_source_is_a_repository_or_a_file(write_suite, source, message):
    layout = '[[layout]]\nname = "x"\nmessages = "m"'
    with pytest.raises(ConfigError, match=message):
        load(write_suite(f'description = "x"\nn = 1\n[source]\n{source}\n{layout}'))


@pytest.mark.parametrize("count", [1, 11])
def test_a_layout_names_two_to_ten_option_columns(table_suite, count):
    columns = str([f"o{i}" for i in range(count)]).replace("'", '"')
    with pytest.raises(ConfigError, match=f"{count} columns: an item has 2 to 10 options, letters A to J"):
        load(table_suite(options=columns))


def test_a_file_that_is_no_toml_is_refused_with_the_line(write_suite):
    with pytest.raises(ConfigError, match=r"mine\.toml is not readable TOML: .*line 2"):
        load(write_suite("n = 1\nn 2\n"))


def test_a_suite_file_that_is_missing_is_refused():
    with pytest.raises(ConfigError, match=r"nowhere/none\.toml does not exist"):
        load("nowhere/none.toml")


def test_an_unknown_suite_is_refused_with_the_nearest_names():
    with pytest.raises(UsageError, match=r"unknown suite 'medmqa': did you mean .*medmcqa.*known: .*in-dist, med"):
        load("medmqa")


def test_a_suite_without_a_source_asks_for_the_rows(table_suite):
    with pytest.raises(UsageError, match="names no source: give the rows with --data FILE"):
        load(table_suite())


def test_the_listing_has_every_suite_and_says_why_one_cannot_be_loaded(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    summaries = {summary.name: summary for summary in listing()}
    assert set(summaries) >= {"in-dist", "medmcqa", "medqa"}
    for summary in summaries.values():
        assert summary.n == 1000
        generated = summary.source.startswith("generated")
        assert summary.loadable == generated
        assert generated or "--data FILE" in summary.why


def test_the_listing_shows_a_faulty_file_with_its_faults(monkeypatch, tmp_path):
    monkeypatch.setattr(catalogue, "folder", lambda: tmp_path)
    (tmp_path / "broken.toml").write_text("n = 0")
    (summary,) = listing()
    assert not summary.loadable
    assert "n: expected 1 or more" in summary.why


@pytest.mark.parametrize("path", find_files(catalogue.folder()).values(), ids=lambda path: path.stem)
def test_every_shipped_suite_is_sound(path):
    spec = read_suite(path)
    assert spec.source is not None
    with pytest.raises(DataError, match=r"unknown file type '\.toml'"):
        load(path.stem, data=path)


@pytest.mark.parametrize("origin", ['path = "rows.jsonl"', 'repo = "a/b"\nrevision = "main"\nfile = "x.json"'])
def test_settings_beside_anything_but_a_generator_are_refused(table_suite, origin):
    suite = table_suite(top=f"[source]\n{origin}\n[source.settings]\nsteps = [1, 2]")
    with pytest.raises(ConfigError, match=r"source: settings belong to a generator"):
        load(suite)
