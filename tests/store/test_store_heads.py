"""The heads of records, read alone, say what the whole records say, whatever was done to the file."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rimbench.errors import DataError
from rimbench.records import Item, Record
from rimbench.store import RECORDS, Answers, RunStore, heads, to_line

OPTIONS = {"A": "aspirin", "B": "bisoprolol", "C": "colchicine"}
ITEMS = {name: Item(name, "Which?", OPTIONS, "B") for name in ("1", "é 2", 'with "quotes"', "back\\slash", "")}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ANSWERED = st.builds(
    lambda item_id, sample, answer, text, logprobs: Record(
        item_id, sample, "B", answer, "ok" if answer else "no_answer", text, logprobs, 7, 1, "f" * 64
    ),
    st.sampled_from(list(ITEMS)),
    st.integers(0, 12),
    st.sampled_from([*OPTIONS, None]),
    TEXTS,
    st.none() | st.just({"A": -0.5, "B": -1.5, "C": -1.7}),
)
FAILED = st.builds(
    lambda item_id, sample, final: Record(
        item_id, sample, "B", None, "engine_error", "X", None, 7, 0, "f" * 64, final
    ),
    st.sampled_from(list(ITEMS)),
    st.integers(0, 12),
    st.booleans(),
)
LINES = st.lists((ANSWERED | FAILED).map(to_line), max_size=6)


def said(read):
    """What a reading of answers gives of each, or the message that ends it."""
    try:
        return list(read())
    except DataError as error:
        return str(error)


def said_whole(answers):
    return said(
        lambda: ((r.item_id, r.sample, r.gold, r.answer, r.status, r.status == "engine_error" and r) for r in answers)
    )


def said_by_heads(answers):
    def each():
        for some in answers.heads():
            columns = (some.item_ids, some.samples, some.golds, some.answers, some.statuses)
            for item_id, sample, gold, answer, status in zip(*columns, strict=True):
                yield item_id, sample, gold, answer or None, status, False
        for failure in answers.failures.values():
            r = failure.record
            yield r.item_id, r.sample, r.gold, r.answer, r.status, r

    return said(each)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


def assert_heads_are_those_of_the_records(folder, content):
    (folder / RECORDS).write_bytes(content)
    for items in (None, ITEMS):
        whole, alone = Answers(folder, items), Answers(folder, items)
        assert said_by_heads(alone) == said_whole(whole)
        assert alone.edited == whole.edited
        assert set(alone.kept) == set(whole.kept)


@given(LINES)
def test_the_heads_alone_are_those_of_the_whole_records(folder, lines):
    assert_heads_are_those_of_the_records(folder, "".join(f"{line}\n" for line in lines).encode())


@given(LINES.filter(bool))
def test_each_line_is_found_again_where_its_head_says_that_it_begins(folder, lines):
    content = "".join(f"{line}\n" for line in lines).encode()
    (folder / RECORDS).write_bytes(content)
    answers = Answers(folder)
    try:
        found = [each for some in answers.heads() for each in zip(some.starts, some.lines, strict=True)]
    except DataError:
        return
    assert all(content[start:].startswith(line + b"\n") for start, line in found)
    for failure in answers.failures.values():
        assert content[failure.start :].startswith(to_line(failure.record).encode())


@given(LINES.filter(bool), st.integers(0), st.sampled_from(["cut", "repeat", "change", "swap"]))
def test_a_damaged_file_is_told_as_it_is_by_the_whole_records(folder, lines, seed, how):
    chance, content = random.Random(seed), bytearray("".join(f"{line}\n" for line in lines).encode())
    place, other = (chance.randrange(len(content)) for _ in range(2))
    if how == "cut":
        del content[place : place + chance.randint(1, 5)]
    elif how == "repeat":
        content[place:place] = content[other : other + chance.randint(1, 400)]
    elif how == "change":
        content[place] = chance.randrange(256)
    else:
        content[place], content[other] = content[other], content[place]
    assert_heads_are_those_of_the_records(folder, bytes(content))


@pytest.mark.parametrize(
    "change",
    [{"gold": "A"}, {"item_id": "unknown"}, {"answer": "D"}, {"sample": 10_000_000}, {"item_id": "\x00"}],
)
def test_a_record_that_does_not_belong_to_its_item_is_told_although_its_checksum_fits(tmp_path, change):
    values = {"item_id": "1", "sample": 0, "gold": "B", "answer": "A", **change}
    record = Record(**values, status="ok", text="", option_logprobs=None, prompt_tokens=7, generated_tokens=1,
                    prompt_sha256="f" * 64)  # fmt: skip
    (tmp_path / RECORDS).write_text(to_line(record) + "\n")
    with pytest.raises(DataError, match="line 1"):
        list(Answers(tmp_path, ITEMS).heads())


def test_opening_a_run_reads_no_record_whole_but_those_that_are_not_as_they_were_written(tmp_path, monkeypatch):
    whole = []

    def counted(lines, schema, values_of=heads.values_of):
        whole.extend(lines)
        return values_of(lines, schema)

    monkeypatch.setattr(heads, "values_of", counted)
    records = [Record(str(i), 0, "B", "B", "ok", "B", None, 7, 1, "f" * 64) for i in range(50)]
    with RunStore(tmp_path / "run") as store:
        store.append(records)
    with RunStore(tmp_path / "run") as store:
        assert (len(store.done), store.greedy, store.correct, whole) == (50, 50, 50, [])
    path = tmp_path / "run" / RECORDS
    path.write_text(path.read_text().replace('"text": "B"', '"text": "C"', 1))
    with RunStore(tmp_path / "run") as store:
        assert (len(store.done), store.edited, len(whole)) == (50, [1], 1)
