"""Reads letters and option texts at a given place, knowing the item's options."""

import re
from collections.abc import Mapping

from rimbench.extraction import wording
from rimbench.extraction.spelling import normal, one_spelling, padded
from rimbench.records import LETTERS

# Reading letters. A bare capital is a name before an end, punctuation, or a word that can only follow a name.
_NAME_ENDS = (
    r"(?= ?(?:$|[)\],;!?:(/&|}\"<]|\.(?!\w)|-(?!\w)|[^\x00-\u2fff])| (?:because|since|as|which|due|given|and|or|but|"
    r"is|are|based|here|rather|not|instead|over)\b)"
)
_TOKEN = re.compile(rf"\(([A-Ja-j])\)|\(?\b([A-J])\b{_NAME_ENDS}|\(?\b([a-j])(?=\)|:|\.?[\"'}}]? ?$)", re.M)
_JOINED = re.compile(
    r" ?(?:,? ?\b(?:and/or|and|or|vs\.?)\b|[,/&+]) ?(?:options? |choices? )?"
    r"(?:\(([A-J])\)|([A-J])\b(?= ?(?:$|[^\w\s'-])| (?:and|or|are)\b))",
    re.M,
)
_FILLER = re.compile(
    r"(?:[\s:=>\"'{,-]|(?:options?|choices?|letter|answer|the|to|either|both|most|likely|probably|clearly|indeed|"
    r"therefore|thus|definitely|correct|best|again|still|remains)\b(?!-))*+",
    re.I,
)
_COMMENTS = frozenset(["because", "since", "as", "this", "it", "the", "which"])
_NOT = re.compile(r"(?:not|neither|never)\b", re.I)


class Reader:
    """Reads letters and option texts at a given place, knowing the item's options."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self.options = {letter: one_spelling(text) for letter, text in options.items()}
        self.normal = {letter: normal(text) for letter, text in self.options.items()}
        found = list(self.normal.values())
        # Equal texts tell nothing apart; a text that is itself a letter would be taken for that option.
        self.texts = {t: x for x, t in self.normal.items() if t and found.count(t) == 1 and t.upper() not in LETTERS}

    def named(self, slot: str, *, texts: bool = False, boxed: bool = False) -> str:
        """Letters named at the head of `slot`, "" for none; with `texts`, an option's text names its letter.

        A text that holds a letter ("B lymphocytes", "Both A and C") goes before that letter in any case.
        """
        slot = slot.lstrip(" \n:=\"'{,")
        filler = _FILLER.match(slot)
        bare = slot[filler.end() :] if filler else slot
        if _NOT.match(bare):
            but = re.search(r"\bbut (?:rather |it is )?", bare[:150])
            return self.named(bare[but.end() :], texts=texts) if but else ""
        for head in (slot, bare):
            by_text = self.text_at_head(head)
            if by_text and (texts or re.search(r"\b[A-J]\b", self.options[by_text])):
                return by_text
        token = _TOKEN.match(bare)
        if not token:
            return self.named_with_text(bare) or (bare[0] if boxed and re.match(r"[B-HJ] \S", bare) else "")
        letter = (token[1] or token[2] or token[3]).upper()
        rest = bare[token.end() :]
        genus = None if token[1] else re.match(r"\. ([a-z]+)", rest)  # "C. difficile" is no label
        if (genus and not self._opens(letter, genus[1], lenient=texts)) or re.match(r"\)? ?\?", rest):
            return ""
        return "".join(dict.fromkeys(letter + self._more(letter, rest)))

    def _more(self, letter: str, rest: str) -> str:
        """The letters that "and", "or" or a comma join to the first: "A and C", "(A) aspirin or (C) heparin"."""
        more = ""
        while joined := _JOINED.match(rest):
            more += joined[1] or joined[2]
            rest = rest[joined.end() :]
        own, rest = self.options.get(letter, ""), rest.lstrip(").: ")
        behind = rest[len(own) :] if rest.casefold().startswith(own.casefold()) else rest
        far = re.match(r"\)? ?,? ?(?:and|or) (?:option )?(?:\(([A-J])\)|([A-J])\) )(?! ?(?:is|was)\b)", behind)
        return more + (far[1] or far[2] if far else "")

    def _opens(self, letter: str, word: str, *, lenient: bool) -> bool:
        """Whether `word` may follow a label: it opens a comment or the option, or (lenient) no option has it."""
        elsewhere = any(f" {word} " in f" {text} " for text in self.normal.values())
        return word in _COMMENTS or self.normal.get(letter, "").startswith(word) or (lenient and not elsewhere)

    def named_with_text(self, slot: str) -> str:
        """A bare letter with its own option's text behind it ("A Disclose the error"), or "" for none."""
        match = re.match(r"([A-J])[ .]|([a-j])[.:] ", slot)
        letter = (match[1] or match[2]).upper() if match else ""
        own = self.normal.get(letter, "")
        return letter if match and own and normal(slot[match.end() :]).startswith(own) else ""

    def text_at_head(self, slot: str) -> str:
        """The letter of the longest option text that `slot` opens with, or "" for none."""
        if re.match(r"\(?[A-J][).:]", slot):  # a label, unless the text itself is written so: "E. coli"
            fits = [t for t, x in self.texts.items() if slot.casefold().startswith(self.options[x].casefold())]
        else:
            heads = [normal(slot) + " ", normal(re.sub(r"^(?:an?|the) ", "", slot, flags=re.I)) + " "]
            fits = [t for t in self.texts if any(head.startswith(t + " ") for head in heads)]
        return self.texts[max(fits, key=len)] if fits else ""

    def text_within(self, sentence: str) -> str:
        """The letter of the one option text that `sentence` mentions without denying it, or "" for none."""
        said, clauses = (padded(part) for part in (sentence, re.sub(r"[,;]", " // ", sentence)))
        fits = []
        for text in self.texts:
            if f" {text} " not in said or len(text) < 3 or not re.search(r"[^\W\d]", text):
                continue
            at = clauses.find(f" {text} ")
            if not wording.DENIED.search(clauses[: at + 1][-60:]):
                fits.append(text)
        fits = [t for t in fits if not any(t != other and f" {t} " in f" {other} " for other in fits)]
        return self.texts[fits[0]] if len(fits) == 1 else ""
