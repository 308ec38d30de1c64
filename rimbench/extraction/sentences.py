"""Rules that read lines and sentences, for texts that state no answer in so many words."""

import re
from collections.abc import Iterator

from rimbench.extraction import wording
from rimbench.extraction.reader import Reader
from rimbench.extraction.spelling import normal


def refuted(slot: str, letters: str) -> bool:
    """Whether what follows the letter denies it: "B) bisoprolol is ruled out"."""
    label = re.search(rf"\b{letters[0]}\b", slot[:60], re.I)
    found = wording.REFUTED.match(slot, label.end()) if label else None
    # "So B. Heparin does not cross the placenta." gives a reason in a sentence of its own.
    return bool(label and found and not (found["weak"] and slot.startswith(". ", label.end())))


def denied(said: str, reader: Reader) -> bool:
    """Whether the clause that `said` opens with denies in one of the text's other languages."""
    clause = re.split(r"[.;,\n]", said, maxsplit=1)[0]
    return any(words.denial.search(clause[:80]) for words in reader.spoken[1:])


def labelled(plain: str, reader: Reader) -> str:
    """Rule 3: a line that a letter labels."""
    lines = _lines(plain)
    for index, letters in reversed(_alone(lines, reader)):
        line = lines[index][: wording.MAX_SLOT_CHARS]
        without_text = line.replace(reader.options.get(letters, "\n"), "")
        dismissed = wording.DISMISSED.match(without_text) or refuted(line, letters) or denied(without_text, reader)
        if (index == 0 or index >= len(lines) - 5) and not dismissed:
            return letters
    return ""


def opening(plain: str, reader: Reader) -> str:
    """The letter that opens a longer text on a line of its own, alone or with its option's text; "" for none."""
    lines = _lines(plain)
    found = _alone(lines, reader)[:1] if len(lines) > 1 else []
    if not found or found[0][0] or len(found[0][1]) > 1:
        return ""
    letter, said = found[0][1], normal(lines[0])
    return letter if said in {letter.lower(), normal(f"{letter} {reader.options.get(letter)}")} else ""


def _lines(plain: str) -> list[str]:
    return [line for line in plain.split("\n") if line.strip()]


def _alone(lines: list[str], reader: Reader) -> list[tuple[int, str]]:
    """The index and the letters of each labelled line that is no part of a list of options."""
    was_lone = False
    runs: list[list[tuple[int, str]]] = []  # labels that rise from line to line: a list of options
    for index, line in enumerate(lines):
        if 2 * wording.MAX_CANDIDATES < index < len(lines) - 2 * wording.MAX_CANDIDATES:
            continue
        letters, next_letter = _label(line[: wording.MAX_SLOT_CHARS], reader)
        lone = len(line) <= 3
        if not letters:
            if wording.OTHERS.search(line[: wording.MAX_SLOT_CHARS]):
                runs.append([(index, "")])  # any label behind it belongs to the list that it opens
            elif line.endswith(":") or (index == 1 and normal(lines[0])[2:] in reader.texts):
                runs.append([])
        elif runs and runs[-1] and runs[-1][-1][1] < letters and lone <= was_lone:
            runs[-1].append((index, letters))
        else:
            runs.append([(index, letters)])
        if next_letter:
            runs.append([])
        was_lone = lone if letters else was_lone
    return [run[0] for run in runs if len(run) == 1 and run[0][1]]


def _label(line: str, reader: Reader) -> tuple[str, bool]:
    """The letters that label `line`, and whether the line itself lists options ("A) x B) y")."""
    short = wording.ANSWER_OF_A.match(line) if "A" in reader.options else None
    if short and short["alone"]:  # "A: B" may be short for "Answer: B"
        return "", False
    line = line[short.end() :] if short else line  # "A: (C) Clopidogrel" is
    label = wording.LABEL.match(line)
    letters = reader.named(line[label.end() :]) if label else reader.named_with_text(line)
    if not letters and len(line) < 30 and not wording.VERB.search(line):  # "Definitely C.", "Both A and C"
        alone = (w.alone.match(line) for w in reader.spoken if w.alone)
        letters = reader.named(line) or next((found[1].upper() for found in alone if found), "")
    following = chr(ord(letters[0]) + 1) if letters else ""
    listing = bool(following) and re.search(rf"[\s,;]\(?{following}[).:]\s", line) is not None
    return ("", True) if listing else (letters, False)


def bare_text(plain: str, reader: Reader) -> str:
    """Rule 5: a line that is an option's text."""
    lines = plain.split("\n")
    for line in (lines[-1], lines[0]):
        said = line[: wording.MAX_SLOT_CHARS]
        if letter := reader.texts.get(normal(said)):
            return letter
        if not re.search(r"\b[A-J]\b", said) and len(both := reader.whole(said)) > 1:
            return both
    return ""


def concluded(plain: str, reader: Reader) -> str:
    """Rule 6: a concluding sentence, or the only one."""
    sentences = [s for s in wording.SENTENCE_END.split(plain) if s.strip()]
    for sentence in [*reversed(sentences[-6:]), *sentences[:1]]:
        said = wording.BETWEEN.sub("", sentence[-wording.MAX_SLOT_CHARS :])
        all_there_is = len(sentences) == 1 and plain.endswith((".", "!", ")"))
        if not (all_there_is or wording.CONCLUDING.search(said)) or _is_account(said):
            continue
        mentioned = dict.fromkeys(_mentions(said, reader))
        if len(mentioned) == 1:
            return next(iter(mentioned))
        if len(mentioned) > 1 and re.search(r"(?:\bor|\band|/) (?:option )?\(?[A-J]\b", said):
            return "".join(mentioned)
        if not mentioned and (letter := reader.text_within(said)):
            return letter
    return ""


def _is_account(sentence: str) -> bool:
    """Whether a sentence goes through the options, thinks aloud or speaks of other patients."""
    found = wording.LABEL.match(sentence) or wording.MUSING.search(sentence) or wording.REMARK.search(sentence)
    return bool(found or wording.OTHER_PATIENTS.search(sentence.rstrip(".!")))


def _mentions(sentence: str, reader: Reader) -> Iterator[str]:
    for found in wording.MENTION.finditer(sentence):
        before, after = (
            sentence[max(0, found.start() - 60) : found.start()],
            sentence[found.end() : found.end() + 200],
        )
        noun = (found[1] or "").lower()
        denied_behind = wording.DISMISSED.match(after[:90]) or wording.REFUTED.match(after)
        denied_before = wording.DENIED.search(f"{before}{noun} ")
        if noun not in wording.TERMS and not (denied_before or denied_behind or denied(after, reader)):
            yield (found[2] or found[3]).upper()
