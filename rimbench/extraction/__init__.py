r"""Which option a text states: text and the item's options in, a letter and a status out; pure.

The text is freed of its reasoning (the tags are a table, `reasoning.REASONING_TAGS`), then it and the options are
brought into one spelling: NFKC, plain quotes and dashes, no markdown, LaTeX as what it prints but for boxes, numbers
and units in one form, a letter set apart by markup (`**C**`, `[C]`, `"C"`, `$C$`) written `(C)`. Then the first rule
that finds something decides:

1. box: the last `\boxed{...}` that holds nothing but letters, each with or without its option's text, or options'
   texts. A formula ("D = 20 mg"), and a letter that the item does not have, are no answer: the next rule is asked.
2. stated: the last statement. An answer noun ("Answer: C", "Final Answer" on a line of its own, JSON), a superlative
   ("the best next step is:"), a choosing verb ("I'll go with") or a correction ("no, it is") with the letter next
   to it; or a letter called the answer ("C is the correct answer"). After a noun or a verb an option's text will do.
   Once an answer is given in so many words ("Answer: B", or a first line "B. text"), what is no such statement only
   replaces it with a word of change or inference ("wait", "I change", "so"): "C is best later" is a remark.
   Other languages' statements are read beside English ones, by the tables in `languages/`: one file a language.
3. labelled: among the first or last lines, one that opens with a letter's label ("C) text", "C") and is no part of a
   list of options (labels that rise from line to line).
4. judged: a verdict on one letter alone ("option C is correct", "(C) text: this is the most likely").
5. bare text: a first or last line that is an option's text.
6. concluded: the last concluding sentence, or the only sentence, that mentions one letter ("(C)", "option C") or one
   option's text. An account of the options, one by one, concludes nothing.
7. boxed loosely: the last box that begins with a letter's label or holds an option's text among other words.

A text may go on to further questions of its own making ("Question 2:", "User:"): the first part that rules 1, 2, 3 or
5 find an answer in decides; where none does, the whole text is read.

Two letters in one statement ("A and C", "B or C") are `ambiguous`, and so are two options named by their texts
("heparin or warfarin"), unless an option lists both. A later statement replaces an earlier one, unless they stand
side by side ("The answer is B. The answer is C."), with no reason or word of retraction between them, and the later
one is not called final: that is `ambiguous` too. What is denied, before or after it is named ("B) bisoprolol is ruled
out"), asked or supposed is no statement, and what "would" be or holds "in children" counts only where nothing else is
stated. "It could be B or C" states nothing (`no_answer`); "the answer could be B or C" is undecided (`ambiguous`). A
letter that the item does not have is no answer. A bare letter counts only where nothing else claims it: "a", "I",
"vitamin D", "B cells" name no option. An option's text counts only where it ends: "heparin-induced" is not heparin.

Repeats in patterns are bounded, and so are the candidates of each kind. Of a text beyond 40,000 characters the
beginning, the end and the places around words for an answer are read (`excerpts`): time is linear in the text.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rimbench.extraction import wording
from rimbench.extraction.excerpts import excerpt
from rimbench.extraction.languages import spoken
from rimbench.extraction.reader import Reader
from rimbench.extraction.reasoning import Tags, without_reasoning
from rimbench.extraction.sentences import bare_text, concluded, labelled
from rimbench.extraction.spelling import compatible, one_spelling
from rimbench.extraction.statements import boxed, boxed_loosely, judged, stated
from rimbench.records import LETTERS, Status

__all__ = ["Extraction", "extract", "first_letter", "text_alone"]

_Rule = Callable[[str, Reader], str]
_RULES: tuple[_Rule, ...] = (boxed, stated, labelled, judged, bare_text, concluded, boxed_loosely)


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a text states; `letter` is one of the item's exactly when `status` is `ok`, else None."""

    letter: str | None
    status: Status


def extract(text: str, options: Mapping[str, str], reasoning_tags: Tags = ()) -> Extraction:
    """Say which of `options` (letter -> text) the free text `text` states.

    `reasoning_tags` are pairs of an opening and a closing tag that a model thinks between, beside the known ones.
    """
    read = _read_again if len(text) <= _SHORT else _read
    return read(text, tuple(options.items()), tuple((opens, closes) for opens, closes in reasoning_tags))


def _read(text: str, lettered: tuple[tuple[str, str], ...], reasoning_tags: Tags) -> Extraction:
    options = dict(lettered)
    without = without_reasoning(text, reasoning_tags)
    if without is None:
        return Extraction(None, "truncated")
    plain = one_spelling(excerpt(compatible(excerpt(without))))
    reader = Reader(options, spoken(plain))
    refused = wording.REFUSAL.search(plain[:300]) is not None
    letters = _letters_of_first_question(plain, reader) or _letters(plain, reader, _RULES[:4] if refused else _RULES)
    if not letters:
        return Extraction(None, "refused" if refused else "no_answer")
    status: Status = "ambiguous" if len(letters) > 1 else "ok" if letters in options else "no_answer"
    return Extraction(letters if status == "ok" else None, status)


_SHORT = 2_000
"""Characters: a longer text is hardly written twice."""
_read_again = lru_cache(maxsize=4096)(_read)
"""The draws of an item often say the same."""


def _letters(plain: str, reader: Reader, rules: Sequence[_Rule]) -> str:
    return next((letters for rule in rules if (letters := rule(plain, reader))), "")


def _letters_of_first_question(plain: str, reader: Reader) -> str:
    """What is stated before the text goes on to a further question of its own making; "" where it does not."""
    parts = wording.NEXT_QUESTION.split(plain, maxsplit=wording.MAX_CANDIDATES)[:-1]
    rules = (boxed, stated, labelled, bare_text)
    return next((letters for part in parts if (letters := _letters(part.strip(), reader, rules))), "")


def text_alone(text: str, options: Mapping[str, str]) -> str | None:
    """The letter of the one option whose text this is, with its label or without; None for anything else."""
    return Reader(options).text_alone(one_spelling(compatible(text)).strip()) or None


_LETTER = re.compile(f"[{LETTERS}]")


def first_letter(text: str, options: Mapping[str, str]) -> Extraction:
    r"""Read an answer that the prefix `The final answer is \boxed{` forced: the first match of `[A-J]`.

    The rule is the model card's own (NeuroDiscoveryAI/OpenMed-qwen3-1.7b-RIM), kept as it stands there so that its
    figures can be compared: "Based on" reads as B. A letter that the item does not have is no answer.
    """
    match = _LETTER.search(text)
    if match and match[0] in options:
        return Extraction(match[0], "ok")
    return Extraction(None, "no_answer")
