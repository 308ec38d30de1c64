"""A suite's hash and its items' texts, made piece by piece, are those of the whole made at once."""

import hashlib
import json
import re

from hypothesis import given
from hypothesis import strategies as st

from rimbench.records import Item
from rimbench.suites.suite import Wording, content_sha256, question_text

TEXTS = st.text(alphabet="ab {}\\\n'\"é😀", max_size=12) | st.sampled_from(
    ["{question}", "{options}", "{letter}", "{text}"]
)
ITEMS = st.builds(lambda i, q, a, b: Item(i, q, {"A": a, "B": b}, "B"), TEXTS, TEXTS, TEXTS, TEXTS)


@given(st.lists(ITEMS, max_size=4))
def test_the_content_hash_is_that_of_one_json_document_of_all_items(items):
    document = [[i.item_id, i.question, list(i.options.values()), i.gold] for i in items]
    written = json.dumps(document, separators=(",", ":")).encode("ascii")
    contents = [(i.item_id, i.question, list(i.options.values()), i.gold) for i in items]
    assert content_sha256(contents) == hashlib.sha256(written).hexdigest()


@given(ITEMS, TEXTS, TEXTS, TEXTS)
def test_a_question_fills_every_placeholder_once_and_leaves_those_inside_of_texts_alone(item, start, middle, end):
    wording = Wording(f"{start}{{question}}{middle}{{options}}{{question}}{end}", f"{{letter}}{middle}{{text}}")

    def filled(template, values):
        return re.sub("{(" + "|".join(values) + ")}", lambda match: values[match[1]], template)

    options = [filled(wording.option, {"letter": x, "text": text}) for x, text in item.options.items()]
    expected = filled(wording.question, {"question": item.question, "options": "\n".join(options)})
    assert question_text(wording, item) == expected
