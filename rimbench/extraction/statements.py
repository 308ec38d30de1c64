r"""Rules that read statements: a cue (`\boxed{`, "the answer is", "is correct") and the letter next to it."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rimbench.extraction import wording
from rimbench.extraction.reader import Reader
from rimbench.extraction.sentences import opening
from rimbench.extraction.spelling import padded


@dataclass(frozen=True, slots=True)
class _Statement:
    """The letters that one statement names (two: it is undecided), its place and its weight.

    A hedged one says "could" or speaks of others than the patient; an explicit one calls the letter the answer.
    """

    letters: str
    start: int
    end: int
    hedged: bool = False
    explicit: bool = False


def _tail(pattern: re.Pattern[str], plain: str) -> deque[re.Match[str]]:
    return deque(pattern.finditer(plain), maxlen=wording.MAX_CANDIDATES)


def _agree(earlier: _Statement, last: _Statement, plain: str, reader: Reader) -> bool:
    """Whether the last statement may replace the earlier one: not if nothing but connectives stands between."""
    if earlier.letters == last.letters or not earlier.end <= last.start <= earlier.end + wording.MAX_SLOT_CHARS:
        return True
    said = padded(plain[earlier.end : last.start]).replace(f" {reader.normal.get(earlier.letters, '')} ", " ", 1)
    return bool(set(said.split()) - wording.CONNECTIVES)


def _last(found: list[_Statement], plain: str, reader: Reader) -> str:
    """The letters of the last statement, with those of one that contradicts it side by side."""
    if not found:
        return ""
    found = sorted([s for s in found if not s.hedged] or found, key=lambda statement: statement.end)
    found = [s for s in found if not _is_remark(s, found, plain)]
    last = found[-1]
    against = "".join(earlier.letters for earlier in found[:-1] if not _agree(earlier, last, plain, reader))
    return "".join(dict.fromkeys(last.letters + against))


def _is_remark(statement: _Statement, found: list[_Statement], plain: str) -> bool:
    """Whether an explicit answer stands before a statement that is none and that no word of change introduces."""
    answered = max((s.end for s in found if s.explicit and s.end <= statement.end), default=-1)
    if statement.explicit or answered < 0:
        return False
    return wording.CHANGED.search(plain[max(answered, statement.start - 200) : statement.end]) is None


def boxed(plain: str, reader: Reader) -> str:
    """Rule 1: the last box."""
    found = []
    for box in _tail(wording.BOX, plain):
        depth, end = 1, box.end()
        limit = min(len(plain), end + wording.MAX_SLOT_CHARS)
        while end < limit and plain[end] != "\n":
            depth += (plain[end] == "{") - (plain[end] == "}")
            if not depth:
                break
            end += 1
        content = re.sub(r"\\[a-zA-Z]{1,20}|[{}\\~]", " ", plain[box.end() : end]).strip()
        run = content if re.fullmatch(r"[A-J]{2,10}", content) and len(set(content)) > 1 else ""
        if letters := reader.named(content, texts=True, boxed=True) or reader.text_within(content) or run:
            found.append(_Statement(letters, box.start(), end + 1))
    return _last(found, plain, reader)


def stated(plain: str, reader: Reader) -> str:
    """Rule 2: the last statement."""
    found = list(_judgements(wording.CALLED, plain))
    if letter := opening(plain, reader):
        found.append(_Statement(letter, 0, plain.find("\n"), explicit=True))
    for cues, texts in ((wording.ANSWER, True), (wording.SUPERLATIVE, False)):
        for cue in _tail(cues, plain):
            clause = plain[cue.end() : cue.end() + 200]
            clause = clause[: end.start()] if (end := wording.CLAUSE_END.search(clause)) else clause
            if not _is_supposed(plain, cue):
                explicit = cues is wording.ANSWER and not wording.PREFERENCE.match(cue[0])
                found += [replace(s, explicit=explicit) for s in _linked(cue, clause, plain, reader, texts=texts)]
    for cues, texts in ((wording.CHOICE, True), (wording.CORRECTION, False), (wording.HEADING, True)):
        for cue in _tail(cues, plain):
            if not _is_supposed(plain, cue):
                start = cue.end() if cues is wording.CORRECTION else cue.start()
                read = _read(start, cue.end(), plain, reader, texts=texts)
                found += [replace(s, explicit=cues is wording.HEADING) for s in read]
    return _last(found, plain, reader)


def _linked(cue: re.Match[str], clause: str, plain: str, reader: Reader, *, texts: bool) -> list[_Statement]:
    """The statement behind the first link ("is", ":") of the cue's clause that has a letter next to it."""
    first, before = None, plain[max(0, cue.start() - 150) : cue.start()]
    for link in wording.LINK.finditer(clause):
        between = clause[: link.start()]
        if wording.NEGATED.search(between) or ("would" in between and wording.CONDITION.search(before)):
            return []
        first = link if first is None else first
        if read := _read(cue.start(), cue.end() + link.end(), plain, reader, texts=texts):
            hedged = bool(wording.HEDGED.search(between) or wording.OTHER_PATIENTS.search(before))
            return [replace(read[0], hedged=hedged)]
    if texts and first:  # "the answer is the administration of alteplase"
        at = cue.end() + first.end()
        sentence = wording.SENTENCE_END.split(plain[at : at + wording.MAX_SLOT_CHARS].lstrip(), maxsplit=1)[0]
        if letters := "" if wording.LABEL.match(sentence) else reader.text_within(sentence):
            return [_Statement(letters, cue.start(), at)]
    return []


def _read(start: int, at: int, plain: str, reader: Reader, *, texts: bool) -> list[_Statement]:
    slot = plain[at : at + wording.MAX_SLOT_CHARS]
    letters = "" if wording.UNDONE.match(slot) else reader.named(slot, texts=texts)
    listed = letters == "A" and wording.LIST.match(slot)
    return [_Statement(letters, start, at)] if letters and not listed else []


def _is_supposed(plain: str, cue: re.Match[str]) -> bool:
    return wording.SUPPOSED.search(plain[max(0, cue.start() - 60) : cue.start()]) is not None


def _judgements(pattern: re.Pattern[str], plain: str) -> Iterator[_Statement]:
    """What `pattern` says of a letter that is its subject ("C is the best answer")."""
    for found in _tail(pattern, plain):
        bare = not found["named"] and not found["first"].startswith("(")
        word_follows = re.match(r" ?\w", found["gap"]) and found["first"][-1].isalpha()
        before = plain[max(0, found.start() - 60) : found.start()]
        if bare and (word_follows or not wording.SUBJECT_MAY_FOLLOW.search(before[-15:])):
            continue
        asked = re.match(r"[^.!\n]{0,60}(?:\?|\bif\b)", plain[found.end() : found.end() + 62])
        if not (asked or wording.NEGATED.search(found["gap"]) or wording.SUPPOSED.search(before)):
            letters = "".join(dict.fromkeys(re.findall(r"\b[A-J]\b", found["first"] + found["more"])))
            after = re.match(r"[^.!?;,\n]{0,80}", plain[found.end() : found.end() + 80])
            others = wording.OTHER_PATIENTS.search(before) or (after and wording.OTHER_PATIENTS.search(after[0]))
            hedged = bool(others or wording.HEDGED.search(found[0]))
            yield _Statement(letters, found.start(), found.end(), hedged)


def judged(plain: str, reader: Reader) -> str:
    """Rule 4: a verdict on one letter."""
    found = list(_judgements(wording.VERDICT, plain))
    if not found:
        return ""
    settled = len({s.letters for s in found}) == 1 or wording.RETRACTED.search(plain[found[-2].end : found[-1].start])
    return found[-1].letters if settled else ""
