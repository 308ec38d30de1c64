"""What any JSON is held to before it is read: a depth that its readers bear, and numbers that are finite."""

import pytest

from rimbench.files.strict_json import DEEPEST, is_deep, parse


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_a_document_may_open_so_many_levels_and_no_more(opening, closing):
    levels = DEEPEST // (opening.count(b"[") + opening.count(b"{"))
    assert not is_deep(opening * levels + b"1" + closing * levels)
    assert is_deep(opening * (levels + 1) + b"1" + closing * (levels + 1))
    assert is_deep(opening * (levels + 1))  # torn before anything is closed


def test_lists_beside_each_other_and_brackets_in_texts_are_no_levels():
    assert not is_deep(b"[" + b"[1], " * 5000 + b"[]]")
    assert not is_deep(b'["' + b'[{\\"[\\\\' * 5000 + b'"]')
    assert is_deep(b'["\\\\", ' + b"[" * DEEPEST + b'"' + b"]" * 600)  # the quote is no part of the text


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_a_number_that_is_not_finite_is_named_with_its_key(number):
    with pytest.raises(ValueError, match=r"^a\.1\.b: expected a finite number \(got "):
        parse(b'{"a": [0, {"b": %s}], "c": 1}' % number)


def test_the_deepest_document_that_is_read_is_read_whole():
    value = parse(b"[" * DEEPEST + b"1.5" + b"]" * DEEPEST)
    for _ in range(DEEPEST):
        [value] = value
    assert value == 1.5
