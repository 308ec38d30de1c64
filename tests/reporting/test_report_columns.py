"""Answers in columns are the answers that were put in, and the page finds each shown one in the file again."""

import base64
import gzip
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_pages import page_text
from report_runs import manifest

from rimbench.records import LETTERS, STATUSES, Item, Record
from rimbench.reporting.columns import Draws, GreedyAnswers, as_rows, places
from rimbench.reporting.reading import read_run, read_runs
from rimbench.store import RunStore

LOGPROB = st.floats(-50, 0) | st.just(-np.inf)
GREEDY = st.builds(
    lambda letter, logprobs, mass: Record(
        "", 0, "A", letter, "ok" if letter else "truncated", "", logprobs, 5, 1, "p", mass
    ),
    st.sampled_from([*LETTERS[:4], None]),
    st.none()
    | st.lists(LOGPROB, min_size=2, max_size=10).map(lambda values: dict(zip(LETTERS, values, strict=False))),
    st.none() | st.floats(0, 1),
)


@given(st.lists(GREEDY, max_size=5).flatmap(st.permutations), st.randoms(use_true_random=False))
def test_greedy_answers_in_columns_are_those_that_were_put_in(records, chance):
    rows = {str(i): i for i in range(len(records) + 1)}  # the last item is not answered
    table, order = GreedyAnswers(rows), chance.sample(range(len(records)), len(records))
    for some in (order[:2], order[2:]):
        came = [records[i] for i in some]
        details = [(r.option_logprobs, r.prompt_tokens, r.generated_tokens, r.label_mass) for r in came]
        table.put(as_rows(some), places(r.answer or "" for r in came), [r.status for r in came], details)
    assert list(table) == [str(i) for i in range(len(records))] and len(table) == len(records)
    for i, record in enumerate(records):
        assert table[str(i)] == record.answer
    items = [Item(str(i), "", {}, "A") for i in range(len(records))][::-1]
    columns, behind = table.columns(items), records[::-1]
    assert columns.letters.tolist() == [len(LETTERS) if r.answer is None else LETTERS.index(r.answer) for r in behind]
    assert [STATUSES[status] for status in columns.statuses] == [r.status for r in behind]
    assert columns.is_read_out.tolist() == [r.option_logprobs is not None for r in behind]
    wanted = [[(r.option_logprobs or {}).get(x, np.nan) for x in LETTERS] for r in behind]
    np.testing.assert_array_equal(columns.logprobs, np.array(wanted).reshape(-1, len(LETTERS)))
    np.testing.assert_array_equal(columns.masses, [np.nan if r.label_mass is None else r.label_mass for r in behind])
    assert columns.tokens.tolist() == [[5, 1]] * len(records)


@given(st.permutations(range(1, 13)), st.lists(st.sampled_from(["A", "B", None]), min_size=12, max_size=12))
def test_draws_are_in_the_order_of_their_samples_in_whatever_order_they_came(samples, letters):
    draws = Draws()
    for count, sample in enumerate(samples, start=1):
        letter = letters[sample - 1]
        draws.put(as_rows([1]), as_rows([sample]), places([letter or ""]), ["ok" if letter else "no_answer"])
        assert draws.by_item(["undrawn", "x"]) == {"x": tuple(letters[s - 1] for s in sorted(samples[:count]))}
    assert draws.statuses == {
        status: count
        for status, count in (("ok", 12 - letters.count(None)), ("no_answer", letters.count(None)))
        if count
    }


def record(item_id, sample, answer, text):
    return Record(item_id, sample, "A", answer, "ok", text, None, 5, 1, "p")


@pytest.fixture
def page_of(tmp_path):
    """Runs of one suite, each with its items and records -> the answers that their page holds."""

    def make(**runs):
        for run, (items, records) in runs.items():
            with RunStore(tmp_path / run) as store:
                store.write_manifest(manifest(run=run, system=run, n=len(items), samples=2), items)
                for each in records:
                    store.append([each])
        page = page_text(tmp_path)
        packed = re.search(r'id="data">([^<]*)<', page)[1]
        return json.loads(gzip.decompress(base64.b64decode(packed)))

    return make


def test_the_page_shows_the_smallest_sample_of_an_item_and_counts_its_draws_in_whatever_order_they_came(page_of):
    items = [Item(x, f"{x}?", {"A": "w", "B": "x"}, "A") for x in "pq"]
    records = [
        record("q", 2, "B", "second"), record("p", 1, "A", "drawn"), record("q", 1, "B", "first"),
        record("p", 0, "B", "greedy é"), record("p", 2, "A", "drawn too"),
    ]  # fmt: skip
    found = page_of(one=(items, records))
    shown = {found["items"][int(number)][1]: answer for number, answer in found["runs"][0]["answers"].items()}
    assert shown == {
        "p": ["B", "ok", 0, "greedy é", None, {"A": 2}],
        "q": ["B", "ok", 0, "first", None, {"B": 2}],
    }


def test_runs_share_an_item_of_the_page_where_id_and_question_are_the_same(page_of):
    first = [Item("p", "Is it?", {"A": "w", "B": "x"}, "A"), Item("q", "Why?", {"A": "w", "B": "x"}, "A")]
    other = [Item("q", "How?", {"A": "w", "B": "x"}, "A"), Item("p", "Is it?", {"A": "w", "B": "x"}, "A")]
    found = page_of(
        one=(first, [record("p", 0, "A", "1p"), record("q", 0, "A", "1q")]),
        three=(other, [record("p", 0, "A", "3p"), record("q", 0, "A", "3q")]),
        two=(other, [record("p", 0, "B", "2p"), record("q", 0, "B", "2q")]),
    )
    assert [item[1:3] for item in found["items"]] == [["p", "Is it?"], ["q", "Why?"], ["q", "How?"]]
    texts = {run["label"]: {n: answer[3] for n, answer in run["answers"].items()} for run in found["runs"]}
    assert texts == {"one": {"0": "1p", "1": "1q"}, "three": {"0": "3p", "2": "3q"}, "two": {"0": "2p", "2": "2q"}}


def test_of_very_many_answers_the_page_holds_those_to_the_first_questions_the_same_for_all_runs(page_of, monkeypatch):
    items = [Item(x, f"{x}?", {"A": "w", "B": "x"}, "A") for x in "pqrs"]
    monkeypatch.setattr("rimbench.reporting.page.MOST_ANSWERS", 5)
    found = page_of(
        one=(items, [record(x, 0, "A", f"1{x}") for x in "srqp"]),
        two=(items, [record(x, 0, "B", f"2{x}") for x in "pqrs"]),
    )
    assert [item[1] for item in found["items"]] == ["p", "q"]
    texts = {run["label"]: sorted(answer[3] for answer in run["answers"].values()) for run in found["runs"]}
    assert texts == {"one": ["1p", "1q"], "two": ["2p", "2q"]}


def test_a_run_is_read_without_its_texts(tmp_path):
    with RunStore(tmp_path / "r") as store:
        store.write_manifest(manifest(n=1), [Item("p", "Is it?", {"A": "w", "B": "x"}, "B", "case 1")])
        store.append([Record("p", 0, "B", "A", "ok", "text", None, 5, 1, "p")])
    assert list(read_run(tmp_path / "r").items.values()) == [Item("p", "", {"A": "", "B": ""}, "B", "case 1")]


def test_runs_of_one_suite_hold_the_same_items_once_and_every_run_has_its_own(tmp_path):
    for name, gold in (("a", "B"), ("b", "A"), ("c", "B")):
        with RunStore(tmp_path / name) as store:
            store.write_manifest(manifest(n=1, run=name), [Item("p", "Is it?", {"A": "w", "B": "x"}, gold)])
            store.append([Record("p", 0, gold, "A", "ok", "text", None, 5, 1, "p")])
    (a, b, c), notes = read_runs(tmp_path)
    assert [run.items["p"].gold for run in (a, b, c)] == ["B", "A", "B"] and notes == []
    assert a.items is c.items
