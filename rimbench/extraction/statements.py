r"""Rules that read statements: a cue (`\boxed{`, "the answer is", "is correct") and the letter next to it."""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

from rimbench.extraction import wording
from rimbench.extraction.reader import Reader
from rimbench.extraction.sentences import opening, refuted
from rimbench.extraction.spelling import normal, padded
from rimbench.extraction.wording import ENGLISH, LanguageWording


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


_BRACE = re.compile(r"[{}\n]")
_NO_TEXT = re.compile(r"\\(?=[{}\s]|\Z)|[{}~]")


def _tail(pattern: re.Pattern[str], plain: str) -> deque[re.Match[str]]:
    return deque(pattern.finditer(plain), maxlen=wording.MAX_CANDIDATES)


def _agree(earlier: _Statement, last: _Statement, plain: str, reader: Reader) -> bool:
    """Whether the last statement may replace the earlier one: not if nothing but connectives stands between."""
    if earlier.letters == last.letters or not earlier.end <= last.start <= earlier.end + wording.MAX_SLOT_CHARS:
        return True
    if wording.FINAL.search(plain[max(0, last.start - 10) : last.start + 10]):
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
    """Rule 1: the last box that holds nothing but letters or options' texts."""
    found = []
    for start, end, content in _boxes(plain):
        run = content if re.fullmatch(r"[A-J]{2,10}", content) and len(set(content)) > 1 else ""
        alone = (named[1].upper() for w in reader.spoken if w.alone and (named := w.alone.match(content)))
        letters = reader.whole(content) or run or reader.named_instead(content) or next(alone, "")
        if letters and (len(letters) > 1 or letters in reader.options) and not wording.BOX_DENIED.match(plain, end):
            found.append(_Statement(letters, start, end))
    return _last(found, plain, reader)


def boxed_loosely(plain: str, reader: Reader) -> str:
    """Rule 7: the last box that begins with a label, or holds an option's text among other words."""
    found = []
    for start, end, content in _boxes(plain):
        if not wording.FORMULA.search(content):
            label = wording.LABEL.match(content)
            letters = reader.named(content) if label else reader.text_within(content)
            if letters and set(letters) <= set(reader.options):
                found.append(_Statement(letters, start, end))
    return _last(found, plain, reader)


@lru_cache(maxsize=4)
def _boxes(plain: str) -> Sequence[tuple[int, int, str]]:
    """Where the last boxes start and end, and what they hold; kept for the second rule that asks."""
    found = []
    for box in _tail(wording.BOX, plain):
        depth, end = 1, min(len(plain), box.end() + wording.MAX_SLOT_CHARS)
        for mark in _BRACE.finditer(plain, box.end(), end):
            depth += (mark[0] == "{") - (mark[0] == "}")
            if not depth or mark[0] == "\n":
                end = mark.start()
                break
        found.append((box.start(), end + 1, " ".join(_NO_TEXT.sub(" ", plain[box.end() : end]).split())))
    return found


def stated(plain: str, reader: Reader) -> str:
    """Rule 2: the last statement."""
    found = []
    if letter := opening(plain, reader):
        found.append(_Statement(letter, 0, plain.find("\n"), explicit=True))
    for words in reader.spoken:
        found += _judgements(words.called, plain, words, reader)
        found += _cued(plain, reader, words)
    for cues, texts in ((wording.CORRECTION, False), (wording.HEADING, True)):
        for cue in _tail(cues, plain):
            if not _is_supposed(plain, cue, ENGLISH):
                start = cue.end() if cues is wording.CORRECTION else cue.start()
                explicit = cues is wording.HEADING and "onclusion" not in cue[0].lower()
                found += _read(start, cue.end(), plain, reader, _Cue(texts, explicit))
    return _last(found, plain, reader)


@dataclass(frozen=True, slots=True)
class _Cue:
    """How what follows a cue is read: whether an option's text will do, whether the cue names the answer itself."""

    texts: bool
    explicit: bool = False
    words: LanguageWording = ENGLISH


def _cued(plain: str, reader: Reader, words: LanguageWording) -> Iterator[_Statement]:
    """What a language's words for the answer, for what is right and for a choice introduce."""
    for cues in (words.answer, words.correct, words.choice):
        for cue in _tail(cues, plain):
            if _is_supposed(plain, cue, words):
                continue
            explicit = cues is words.answer and not wording.PREFERENCE.match(cue[0])
            how = _Cue(cues is not words.correct, explicit, words)
            if cues is words.choice:
                yield from _read(cue.start(), cue.end(), plain, reader, how)
            else:
                clause = plain[cue.end() : cue.end() + 200]
                clause = clause[: end.start()] if (end := wording.CLAUSE_END.search(clause)) else clause
                yield from _linked(cue, clause, plain, reader, how)


def _linked(cue: re.Match[str], clause: str, plain: str, reader: Reader, how: _Cue) -> list[_Statement]:
    """The statement behind the first link ("is", ":") of the cue's clause that has a letter next to it."""
    first, before = None, plain[max(0, cue.start() - 150) : cue.start()]
    negations = (found.start() for words in reader.spoken if (found := words.negated.search(clause)))
    negated = min(negations, default=len(clause) + 1)
    contrast = how.words.contrast.search(clause, min(negated, len(clause)))
    if contrast and re.search(r"\b[A-J]\b", clause[: contrast.start()]):  # "ist nicht B, sondern C"
        return _read(cue.start(), cue.end() + contrast.end(), plain, reader, how)
    for link in islice(how.words.link.finditer(clause), wording.MAX_LINKS):
        between = clause[: link.start()]
        if negated < link.start() or ("would" in between and wording.CONDITION.search(before)):
            return []
        first = link if first is None else first
        if read := _read(cue.start(), cue.end() + link.end(), plain, reader, how):
            hedged = bool(wording.HEDGED.search(between) or wording.OTHER_PATIENTS.search(before))
            return [replace(read[0], hedged=hedged)]
    if how.texts and first:  # "the answer is the administration of alteplase"
        at = cue.end() + first.end()
        sentence = wording.SENTENCE_END.split(plain[at : at + wording.MAX_SLOT_CHARS].lstrip(), maxsplit=1)[0]
        if letters := "" if wording.LABEL.match(sentence) else reader.text_within(sentence):
            return [_Statement(letters, cue.start(), at, explicit=how.explicit)]
    return []


def _read(start: int, at: int, plain: str, reader: Reader, how: _Cue) -> list[_Statement]:
    slot = plain[at : at + wording.MAX_SLOT_CHARS]
    undone = how.words.undone.match(slot) or how.words.questioned.match(slot)
    letters = "" if undone else reader.named(slot, how.words, texts=how.texts)
    listed = letters == "A" and wording.LIST.match(slot)
    if not letters or listed or (not how.explicit and refuted(slot, letters)):
        return []
    return [_Statement(letters, start, at, explicit=how.explicit)]


def _is_negated(said: str, reader: Reader) -> bool:
    """In any of the text's languages: they share words ("correct" is French, too)."""
    return any(words.negated.search(said) for words in reader.spoken)


def _is_supposed(plain: str, cue: re.Match[str], words: LanguageWording) -> bool:
    return words.supposed.search(plain[max(0, cue.start() - 60) : cue.start()]) is not None


def _judgements(pattern: re.Pattern[str], plain: str, words: LanguageWording, reader: Reader) -> Iterator[_Statement]:
    """What `pattern` says of a letter that is its subject ("C is the best answer")."""
    plain = _without_pairs(plain)
    for found in _tail(pattern, plain):
        bare = not found["named"] and not found["first"].startswith("(")
        word_follows = words is ENGLISH and re.match(r" ?\w", found["gap"]) and found["first"][-1].isalpha()
        before = plain[max(0, found.start() - 60) : found.start()]
        said = normal(plain[found.end("first") : found.end()])
        if said and reader.normal.get(found["first"].strip("().:"), "").startswith(said):
            continue  # "A: Correct the sodium" is the option itself
        if bare and (word_follows or not words.may_follow.search(before[-15:])):
            continue
        lone = bare and found["first"].isalpha()
        if words.gap and lone and not words.gap.search(f"{before[-15:]}|{plain[found.end('more') : found.end()]}"):
            continue
        behind = plain[found.end() : found.end() + 80]
        undone = words is not ENGLISH and (words.link.match(behind.lstrip()) or words.undone.match(f"(A){behind}"))
        if words.asked.match(behind[:62]) or undone or _is_negated(found["gap"], reader):
            continue
        if not words.supposed.search(before):
            letters = "".join(dict.fromkeys(re.findall(r"\b[A-J]\b", found["first"] + found["more"])))
            after = re.match(r"[^.!?;,\n]{0,80}", behind)
            others = wording.OTHER_PATIENTS.search(before) or (after and wording.OTHER_PATIENTS.search(after[0]))
            hedged = bool(others or wording.HEDGED.search(found[0]))
            yield _Statement(letters, found.start(), found.end(), hedged)


@lru_cache(maxsize=4)
def _without_pairs(plain: str) -> str:
    """The text with blanks for the pairs that it weighs: "between B and C, C is the better choice"."""
    return wording.BETWEEN.sub(lambda pair: " " * len(pair[0]), plain)


def judged(plain: str, reader: Reader) -> str:
    """Rule 4: a verdict on one letter."""
    found = [s for words in reader.spoken for s in _judgements(words.verdict, plain, words, reader)]
    if not found:
        return ""
    found.sort(key=lambda statement: statement.end)
    settled = len({s.letters for s in found}) == 1 or wording.RETRACTED.search(plain[found[-2].end : found[-1].start])
    return found[-1].letters if settled else ""
