"""Options are read in every form that data sets keep them in, and none is made up or lost."""

import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rimbench.errors import DataError
from rimbench.records import LETTERS
from rimbench.suites import load
from rimbench.suites.options import OptionsError, TooManyOptionsError, read_options, without_own_labels

WANTED = ("Retinol", "Heparin", "it's 5")


@pytest.mark.parametrize(
    "cells",
    [
        list(WANTED),
        dict(zip("ABC", WANTED, strict=True)),
        dict(zip("CBA", reversed(WANTED), strict=True)),
        dict(zip(("a", "b", "c"), WANTED, strict=True)),
        dict(zip(("1", "2", "3"), WANTED, strict=True)),
        dict(zip((0, 1, 2), WANTED, strict=True)),
        {"text": list(WANTED), "label": ["A", "B", "C"]},
        {"label": [1, 2, 3], "text": list(WANTED)},
        {"text": list(reversed(WANTED)), "label": ["C", "B", "A"]},
        [{"key": key, "value": value} for key, value in zip("ABC", WANTED, strict=True)],
        [{"label": key, "text": value} for key, value in zip("abc", WANTED, strict=True)],
        [{"text": value} for value in WANTED],
        [list(pair) for pair in zip("ABC", WANTED, strict=True)],
        list(zip("ABC", WANTED, strict=True)),  # a map of Parquet
        json.dumps(list(WANTED)),
        json.dumps({"text": list(WANTED), "label": ["A", "B", "C"]}),
        str(list(WANTED)),
        str(dict(zip("ABC", WANTED, strict=True))),
        str({"text": list(WANTED), "label": ["A", "B", "C"]}),
        "['Retinol' 'Heparin'\n \"it's 5\"]",
        "array(['Retinol', 'Heparin', \"it's 5\"], dtype=object)",
        "{'text': array(['Retinol', 'Heparin', \"it's 5\"], dtype=object), 'label': array(['A', 'B', 'C'])}",
        "[np.str_('Retinol'), np.str_('Heparin'), np.str_(\"it's 5\")]",
        "('Retinol', 'Heparin', \"it's 5\")",
        [{key: value} for key, value in zip("ABC", WANTED, strict=True)],
        dict(zip("ＡＢＣ", WANTED, strict=True)),
        dict(zip(("Option A", "Option B", "Option C"), WANTED, strict=True)),
        dict(zip(("opa", "opb", "opc"), WANTED, strict=True)),
        dict(zip(("option_1", "option_2", "option_3"), WANTED, strict=True)),
        "A. Retinol\nB. Heparin\nC. it's 5",
        "(A) Retinol (B) Heparin (C) it's 5",
        "A) Retinol, B) Heparin, C) it's 5",
        "a ) Retinol , b ) Heparin , c ) it's 5",
        "(a) Retinol (b) Heparin (c) it's 5",
        "1. Retinol\n2. Heparin\n3. it's 5",
        "A、Retinol\nB、Heparin\nC、it's 5",
        json.dumps(json.dumps(list(WANTED))),
        "[{'key': 'A', 'value': 'Retinol'}\n {'key': 'B', 'value': 'Heparin'}\n {'key': 'C', 'value': \"it's 5\"}]",
        "[('A', 'Retinol') ('B', 'Heparin') ('C', \"it's 5\")]",
        "[list(['A', 'Retinol']) list(['B', 'Heparin']) list(['C', \"it's 5\"])]",
        {"choices": list(WANTED)},
        {"choices": {"text": list(WANTED), "label": ["A", "B", "C"]}},
        {"option": list(WANTED), "label": ["A", "B", "C"]},
        [{"option_id": key, "option_text": value} for key, value in zip("ABC", WANTED, strict=True)],
        [{"Key": key, "Value": value} for key, value in zip("ABC", WANTED, strict=True)],
        [{"label": key, "choice": value} for key, value in zip("ABC", WANTED, strict=True)],
        [{"answer": value} for value in WANTED],
    ],
    ids=str,
)
def test_every_form_gives_the_same_options(cells):
    assert read_options(cells).values == WANTED


@pytest.mark.parametrize("nothing", [None, "", "  ", "\t\n", math.nan])
@pytest.mark.parametrize("form", ["list", "map", "numbers", "lists", "entries"])
def test_what_holds_nothing_at_the_end_is_no_option(nothing, form):
    values = ["x", "y", nothing, nothing]
    forms = {
        "list": values,
        "map": dict(zip("ABCD", values, strict=True)),
        "numbers": dict(zip("1234", values, strict=True)),
        "lists": {"text": values, "label": list("ABCD")},
        "entries": [{"label": label, "text": value} for label, value in zip("ABCD", values, strict=True)],
    }
    assert read_options(forms[form]).values == ("x", "y")


def test_what_python_prints_for_nothing_is_nothing():
    assert read_options("['x', 'y', nan, None]").values == ("x", "y")
    assert read_options('["x", "y", null, NaN]').values == ("x", "y")
    assert read_options("['None', 'nan']").values == ("None", "nan")  # texts
    assert read_options("['x' None 'y']").values == ("x", None, "y")
    assert read_options("[ 1 -2]").values == (1, -2)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ("no list", "option_count"),
        ("x|y|z", "option_count"),
        ("1. x", "option_count"),
        ("5 mg of a) x or b) y", "option_count"),
        (None, "option_count"),
        ({"A": "x", "C": "z"}, "option_count"),
        ("[unquoted, words]", "unreadable_options"),
        ("[1, __import__('os')]", "unreadable_options"),
        ("[x for x in 'ab']", "unreadable_options"),
        ("[" * 5000, "unreadable_options"),
        ("[" + "'x', " * 30000 + "]", "unreadable_options"),
        ({"first": "x", "second": "y"}, "unreadable_options"),
        ({"text": ["x", "y"], "label": ["A"]}, "option_labels"),
        ({"text": ["x", "y"], "label": ["A", "7"]}, "option_labels"),
        ({"2": "x", "3": "y"}, "option_labels"),
    ],
)
def test_what_holds_no_options_is_refused_for_its_own_reason(cells, kind):
    with pytest.raises(OptionsError, match=f"^{kind}$"):
        read_options(cells)


def test_options_beyond_j_are_too_many_unless_they_hold_nothing():
    with pytest.raises(TooManyOptionsError, match="option letter K"):
        read_options(dict.fromkeys("ABCDEFGHIJK", "x"))
    with pytest.raises(TooManyOptionsError, match="12 options"):
        read_options(["x"] * 12)
    assert read_options({**dict.fromkeys("AB", "x"), "K": None, "L": ""}).labels == ("A", "B")


def gold_of(table_suite, write_rows, rows, **how):
    return [item.gold for item in load(table_suite(**how), data=write_rows(rows)).items]


@pytest.mark.parametrize(
    "label",
    [
        "3",
        3,
        "C",
        "c",
        "(C)",
        "C.",
        "3.0",
        "Ｃ",
        "（Ｃ）",
        "**C**",
        '"C"',
        "Option C",
        ["C"],
        "['C']",
        "C. z",
        "(C) z",
    ],
)
def test_the_gold_may_be_the_options_own_label(table_suite, write_rows, label):
    labels = ["1", "2", "3"] if str(label)[0] == "3" else ["A", "B", "C"]
    rows = [{"question": "Q?", "options": {"text": list("xyz"), "label": labels}, "gold": label}]
    assert gold_of(table_suite, write_rows, rows) == ["C"]


def test_a_gold_letter_counts_places_where_options_are_numbered(table_suite, write_rows):
    rows = [{"question": "Q?", "options": {"0": "x", "1": "y"}, "gold": "B"}]
    assert gold_of(table_suite, write_rows, rows) == ["B"]


@pytest.mark.parametrize("gold", ["C. x", "z, not x", "C or B", "CB", "D. z", ["B", "C"]])
def test_a_gold_that_names_no_one_option_is_a_fault(table_suite, write_rows, gold):
    with pytest.raises(DataError, match="gold_out_of_range 1"):
        gold_of(table_suite, write_rows, [{"question": "Q?", "options": ["x", "y", "z"], "gold": gold}])


def wide(i, **cells):
    return {"question": f"Q{i}?", "a": f"a{i}", "b": "b", "c": "c", "d": "d", "gold": "A"} | cells


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_one_row_of_a_table_may_have_fewer_options_than_the_others(table_suite, write_rows, name):
    rows = [wide(0), wide(1, d=None), wide(2, c=None, d=None), wide(3, d="")]
    suite = load(table_suite(options='["a", "b", "c", "d"]'), data=write_rows(rows, name))
    assert {item.item_id: len(item.options) for item in suite.items} == {"0": 4, "1": 3, "2": 2, "3": 3}
    assert suite.audit.faulty == 0


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("empty_text", {"b": None}),
        ("empty_text", {"b": " ", "d": None}),
        ("gold_out_of_range", {"d": "", "gold": "D"}),
    ],
)
def test_a_hole_between_options_and_a_gold_on_one_that_is_not_there_are_faults(table_suite, write_rows, kind, change):
    rows = [*(wide(i) for i in range(40)), wide(40, **change)]
    suite = load(table_suite(options='["a", "b", "c", "d"]'), data=write_rows(rows))
    assert [(fault.kind, fault.item_ids) for fault in suite.audit.faults] == [(kind, ("40",))]


@pytest.mark.parametrize(
    "options",
    [
        ["(A)2", "(B)4", "(C)10"], ["A) Aspirin", "B) Heparin", "C) x"], ["A. x", "B. y", "C. z"], ["A: x", "B: y"],
        ["a) x", "b) y"], ["(a) x", "(b) y"], ["1. x", "2. y"], ["1) x", "2) y"], ["[A] x", "[B] y"],
        ["A - x", "B - y"],
        ["**A.** x", "**B.** y"], ["A、x", "B、y"], ["（A）x", "（B）y"], ["A.x", "B.y"],
        ["A) A. baumannii", "B) C. difficile"],
        ["A.) x", "B.) y"], ["(A)- x", "(B)- y"], ["Option A: x", "Option B: y"], ["option 1) x", "option 2) y"],
        ["( A ) x", "( B ) y"], ["A . x", "B . y"], ["【A】x", "【B】y"], ["- A. x", "- B. y"],
        ["选项A：x", "选项B：y"],
        ["Ａ．x", "Ｂ．y"], ["① x", "② y"], ["⒜ x", "⒝ y"], ["Ⓐ) x", "Ⓑ) y"], ["А) x", "Б) y"], ["가. x", "나. y"],
        ["ア. x", "イ. y"], ["i) x", "ii) y"], ["I. x", "II. y"], ["α) x", "β) y"], ["أ) x", "ب) y"],
        [r"$\textbf{(A)}\ $x", r"$\textbf{(B)}\ $y"], [r"\textbf{(A)} x", r"\textbf{(B)} y"],
    ],
)  # fmt: skip
def test_labels_that_all_options_bear_are_taken_off(options):
    bare = without_own_labels(options)
    assert bare is not None
    assert all(option.endswith(text) and text[0] not in "(.):" for option, text in zip(options, bare, strict=True))
    assert without_own_labels(bare) is None


@pytest.mark.parametrize(
    "options",
    [
        ["A. baumannii", "E. coli", "S. aureus"], ["A) x", "y", "C) z"], ["B) x", "A) y"], ["A) x", "A) y"],
        ["1.5 mg", "2.5 mg"], ["1 - 2 weeks", "2 - 4 weeks"], ["1:10", "2:10"], ["A", "B"], ["A)", "B)"],
        ["(A) and (B)", "(B) and (C)", "(C) only"], ["A only", "B only"], ["A+", "B+"], ["A) only", "B) only"],
        ["①②", "②③"], ["①과 ②", "②와 ③"], ["I and II", "II and III"], ["I only", "II only"], ["А", "Б"],
        ["1 : 2", "2 : 3"], ["α-blocker", "β-blocker"],
        ["A) x", "B. y"], ["Aspirin", "Bisoprolol"], ["vitamin A", "vitamin B"],
    ],
)  # fmt: skip
def test_what_only_looks_like_a_label_stays(options):
    assert without_own_labels(options) is None


def test_taken_off_labels_are_counted_in_the_audit_and_the_gold_stays(table_suite, write_rows):
    rows = [
        {"question": "Q0?", "options": ["(A) 2", "(B) 4"], "gold": "B", "right": "(B) 4"},
        {"question": "Q1?", "options": ["A. baumannii", "E. coli"], "gold": "A", "right": "A. baumannii"},
        {"question": "Q2?", "options": ["A) x", "B) y"], "gold": "A", "right": "x"},
    ]
    suite = load(table_suite('answer_text = "right"'), data=write_rows(rows))
    options = {item.item_id: dict(item.options) for item in suite.items}
    assert options == {
        "0": {"A": "2", "B": "4"},
        "1": {"A": "A. baumannii", "B": "E. coli"},
        "2": {"A": "x", "B": "y"},
    }
    assert (suite.audit.own_labels, suite.audit.faulty) == (2, 0)
    by_text = load(table_suite(gold='{ text = "right" }'), data=write_rows(rows))
    assert {item.item_id: item.gold for item in by_text.items} == {"0": "B", "1": "A", "2": "A"}


STYLES = (
    (r"[(（\[]\s*{}\s*[)）\]]\s*(?:[:.]|-(?=\s))?\s*", True), (r"{}\s*\.?[)）、．：]\s*", True), (r"{}[.:]\s+", True),
    (r"{}\s*[.:]", False), (r"{}\s+[-–—]\s+", False),
)  # fmt: skip
BOLD = r"(?:[-*•]\s+)?(?:\*\*|__)?"


def labels_taken_off_the_slow_way(options):
    """Every option against every style and every kind of label."""
    numbers = [str(i) for i in range(1, 11)]
    for style, also_numbers in STYLES:
        for labels in (LETTERS, LETTERS.lower(), numbers if also_numbers else ""):
            rests = []
            for label, option in zip(labels, options, strict=False):
                found = re.match(BOLD + style.format(label) + BOLD, option)
                rest = option[found.end() :].strip() if found else ""
                rests.append(None if re.match(r"(?:and|or)\b|only$|[,&+;]|$", rest) else rest)
            if len(rests) == len(options) and all(rests):
                return tuple(rests)
    return None


@given(
    st.sampled_from(["({})", "{})", "{}.", "{}:", "{} -", "**{}.**", "（{}）", "[{}]", "__{}__", "{}", "x{}"]),
    st.sampled_from(["ABCDEFGHIJ", "abcdefghij", [str(i) for i in range(1, 11)], "BCDEFGHIJA"]),
    st.lists(st.text("aA1 bx.-)", max_size=6), min_size=1, max_size=10),
    st.sampled_from([" ", "", "\n"]),
)
def test_labels_are_taken_off_as_by_every_pattern_on_every_option(style, labels, texts, gap):
    for options in (
        [style.format(label) + gap + text for label, text in zip(labels, texts, strict=False)],
        texts,
    ):
        assert without_own_labels(options) == labels_taken_off_the_slow_way(options)
