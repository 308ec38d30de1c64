"""Reads letters and option texts at a given place, knowing the item's options."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from rimbench.extraction import wording
from rimbench.extraction.spelling import WORD, normal, one_spelling, padded, parts
from rimbench.extraction.wording import ENGLISH, LanguageWording
from rimbench.records import LETTERS

_COMMENTS = frozenset(["because", "since", "as", "this", "it", "the", "which"])
_ARTICLES = frozenset(["a", "an", "the"])
# Behind an option's text: what makes it the beginning of another ("heparin-induced", "80-100", "5:1", "2,5").
_GOES_ON = re.compile(
    r"-\w|/(?=\w)|(?<=\d)(?: ?[-:/^×] ?|[.,])\d|(?<=\d) \d+/\d|(?<=[\d%]) [a-z]{1,5} to [<>]?\d| to [<>]?\d|"
    r" (?:or|and) (?:more|less|greater|higher|lower|fewer|above|below|over|under|older|younger)\b"
)
_VERBS = "is|was|isn't|would|should|can|cannot|could|may|might|must|will|has|does"
_CLAUSE_FOLLOWS = re.compile(rf"\W{{0,2}} (?:{_VERBS}|wasn't|had|did|being)\b", re.I)
# "Answer: BD", alone on its line: letters that rise are a list, and no abbreviation.
_RUN = re.compile(rf"((?=[A-J]{{2}}){''.join(f'{letter}?' for letter in LETTERS)})[.!]?[\"'}}]{{0,3}}$", re.M)
# Behind a letter with its text: "(A) aspirin or (C) heparin", "A (aspirin) or C (heparin)".
_FAR = re.compile(
    r"\)? ?,? ?(?:and|or) (?:option )?"
    r"(?:\(([A-J])\)(?! ?(?:is|was)\b)|([A-J])\) (?!(?:is|was)\b)|([A-J])(?=[.,;]?$| ?\([^()\n]{1,100}\)"
    rf"(?!\W{{0,2}} (?:{_VERBS}|are|did)\b)))",
    re.M,
)
_BEFORE_A_TEXT = re.compile(rf"\A(?:[ .:)(=]|{wording.DASH})++")
_ASIDE = re.compile(r"\)? ?\([^()\n]{1,100}\)")
_LIST_ENDS = re.compile(r"[\"')\]}]{0,3} ?(?:$|[.,;:!?)\]}\n/&+]|\b(?:and|or|are|both)\b)", re.M | re.I)


class Reader:
    """Reads letters and option texts at a given place, knowing the item's options and the languages of the text."""

    def __init__(self, options: Mapping[str, str], spoken: Sequence[LanguageWording] = ()) -> None:
        self.spoken = (ENGLISH, *spoken)
        self.options = {letter: one_spelling(text) for letter, text in options.items()}
        self.normal = {letter: normal(text) for letter, text in self.options.items()}
        found = list(self.normal.values())
        # Equal texts tell nothing apart; a text that is itself a letter would be taken for that option.
        alone = {t: x for x, t in self.normal.items() if t and found.count(t) == 1}
        self.texts = {t: x for t, x in alone.items() if len(t) > 1 or t.upper() not in LETTERS}
        self._words = {tuple(text.split()): letter for text, letter in self.texts.items()}
        self._longest = max(map(len, self._words), default=0)
        self._reach = 2 * max(map(len, self.options.values()), default=0) + 20

    def named(self, slot: str, words: LanguageWording = ENGLISH, *, texts: bool = False) -> str:
        """Letters named at the head of `slot`, "" for none; with `texts`, an option's text names its letter.

        A text that holds a letter ("B lymphocytes", "Both A and C") goes before that letter in any case.
        """
        slot = slot.lstrip(" \n:=\"'{,[")
        filler = words.filler.match(slot)
        bare = slot[filler.end() :] if filler else slot
        if words.denial.match(bare):
            but = re.search(r"\bbut (?:rather |it is )?", bare[:150])
            return self.named(bare[but.end() :], words, texts=texts) if but else ""
        for head in dict.fromkeys((slot, bare)):
            letter, end = self._text_at_head(head)
            if letter and texts:
                return self._with_joined(letter, head, end, words)
            if letter and re.search(r"\b[A-J]\b", self.options[letter]):
                return letter
        if texts and (both := self._sharing_a_unit(bare, words)):
            return both
        return self._labels(_latin(bare, words), words, texts=texts)

    def _labels(self, bare: str, words: LanguageWording, *, texts: bool) -> str:
        token = words.token.match(bare)
        if not token:
            run = _RUN.match(bare) if texts else None
            return run[1] if run and set(run[1]) <= set(self.options) else self.named_with_text(bare)
        letter = (token[1] or token[2] or token[3]).upper()
        rest = bare[token.end() :]
        genus = None if token[1] else re.match(r"\. ([a-z]+)", rest)  # "C. difficile" is no label
        if (genus and not self._opens(letter, genus[1], lenient=texts)) or re.match(r"\)? ?\?", rest):
            return ""
        return "".join(dict.fromkeys(letter + self._more(letter, rest, words)))

    def _more(self, letter: str, rest: str, words: LanguageWording) -> str:
        """The letters that "and", "or" or a comma join to the first: "A and C", "(A) aspirin or (C) heparin"."""
        more = ""
        while joined := words.joined.match(rest):
            more += joined[1] or joined[2]
            rest = rest[joined.end() :]
        aside = rest[found.end() :] if (found := _ASIDE.match(rest)) else ""
        own, rest = self.options.get(letter, ""), rest.lstrip(").: (")
        behind = rest[len(own) :] if own and rest.casefold().startswith(own.casefold()) else rest
        if far := _FAR.match(behind) or _FAR.match(aside):
            return more + (far[1] or far[2] or far[3])
        return more + (self._with_joined("", behind, 0, words) if behind != rest else "")

    def _opens(self, letter: str, word: str, *, lenient: bool) -> bool:
        """Whether `word` may follow a label: it opens a comment or the option, or (lenient) no option has it."""
        elsewhere = any(f" {word} " in f" {text} " for text in self.normal.values())
        return word in _COMMENTS or self.normal.get(letter, "").startswith(word) or (lenient and not elsewhere)

    def named_with_text(self, slot: str) -> str:
        """A bare letter with its own option's text behind it ("A Disclose the error"), or "" for none."""
        match = re.match(r"([A-J])[ .]|([a-j])[.:] ", slot)
        letter = (match[1] or match[2]).upper() if match else ""
        own = self.normal.get(letter, "")
        said = f"{normal(slot[match.end() :])} " if match and own else ""
        # A longer text counts with a word glued to it: "inferior mesenteric arteryInjury".
        return letter if said.startswith(own if len(own) > 2 else f"{own} ") and said else ""

    def whole(self, content: str) -> str:
        """The letters that `content` names where it names nothing else; "" where it says anything more."""
        bare = wording.BOX_LEAD.sub("", content, count=1)
        for said in dict.fromkeys((content, bare)):
            if letter := self.texts.get(normal(said)) or self._together(normal(said).split()):
                return letter
        if listed := self._listed(bare):
            return listed
        pair = self._sharing_a_unit(bare, ENGLISH)
        return pair if pair and len(normal(bare).split()) <= 2 + len(self.normal[pair[1]].split()) else ""

    def text_alone(self, content: str) -> str:
        """The letter of the one option whose text `content` is, with its label or without; "" for anything else."""
        bare = wording.BOX_LEAD.sub("", content, count=1)
        for said in dict.fromkeys((content, bare)):
            if letter := self.texts.get(normal(said)):
                return letter
        label = wording.BOX_LABEL.match(bare)
        letter = (label[1] or label[2] or label[3]).upper() if label else ""
        own = self.normal.get(letter)
        return letter if label and own and normal(_BEFORE_A_TEXT.sub("", bare[label.end() :])) == own else ""

    def named_instead(self, content: str) -> str:
        """The letter of "not B, but C", or "" for none."""
        return self.named(content) if wording.NOT.match(content) else ""

    def _listed(self, content: str) -> str:
        """Labels, each alone or with an option's text, and texts, joined by "and", "or" or a comma."""
        letters = ""
        while True:
            label = wording.BOX_LABEL.match(content)
            letter = (label[1] or label[2] or label[3]).upper() if label else ""
            content = content[label.end() :] if label else content
            head = _BEFORE_A_TEXT.sub("", content)
            if letter and normal(head) == self.normal.get(letter):
                return "".join(dict.fromkeys(letters + letter))
            text, end = self._text_at_head(head)
            if not letter + text or (text != letter and content.lstrip().startswith(("=", "+", "→"))):
                return ""
            letters += letter + text
            content = head[end:] if text else content
            joiner = wording.JOINER.match(content)
            if not joiner:
                break
            content = content[joiner.end() :]
        return "".join(dict.fromkeys(letters)) if not re.search(r"[\w=<>+^%\\]", content) else ""

    def _text_at_head(self, slot: str, *, followed: bool = True) -> tuple[str, int]:
        """The letter of the longest option text that `slot` opens with, or "" for none, and where that text ends;
        unless `followed` is False, what follows may make it another.
        """
        if re.match(r"\(?[A-J][).:]", slot):  # a label, unless the text itself is written so: "E. coli"
            folded = slot[: wording.MAX_SLOT_CHARS].casefold()
            own = [x for x in self.texts.values() if folded.startswith(self.options[x].casefold())]
            letter = max(own, key=lambda x: len(self.options[x]), default="")
            return letter, len(self.options.get(letter, ""))
        said: list[str] = []
        ends: list[int] = []
        for token in WORD.finditer(slot, 0, self._reach):
            said += (found := parts(token[0]))
            ends += [token.end()] * len(found)
            if len(said) > self._longest:
                break
        for skipped in (0, 1) if said and said[0] in _ARTICLES else (0,):
            for length in range(min(self._longest, len(said) - skipped), 0, -1):
                letter = self._words.get(tuple(said[skipped : skipped + length]), "")
                end = ends[skipped + length - 1] if letter else 0
                if letter and not (followed and self._goes_on(slot, end)):
                    return letter, end
        return "", 0

    def _goes_on(self, slot: str, end: int) -> bool:
        """Whether what follows an option's text makes another thing of it."""
        on = _GOES_ON.match(slot, end)
        if on is None:
            return False
        return on[0] != "/" or not self._text_at_head(slot[end + 1 :], followed=False)[0]

    def _with_joined(self, letter: str, slot: str, end: int, words: LanguageWording) -> str:
        """The letters of an option's text and of those that "and", "or" or a comma join to it."""
        letters = letter
        while len(letters) < len(LETTERS) and (joiner := words.joiner.match(slot, end)):
            more, after = self._joined_text(slot, joiner.end(), words)
            alone = _LIST_ENDS.match(slot, after) if joiner["word"] in ",;" else True
            if not more or not alone or _CLAUSE_FOLLOWS.match(slot, after):
                break
            letters, end = letters + more, after
        return (len(letters) > 1 and self._together(normal(slot[:end]).split())) or "".join(dict.fromkeys(letters))

    def _joined_text(self, slot: str, at: int, words: LanguageWording) -> tuple[str, int]:
        """The option text at `at`, with where it ends; words that say nothing may stand before it."""
        letter, length = self._text_at_head(slot[at:])
        filler = None if letter else words.filler.match(slot, at)
        if filler and filler.end() > at:
            at = filler.end()
            letter, length = self._text_at_head(slot[at:])
        return letter, at + length

    def _together(self, said: Sequence[str]) -> str:
        """The option that lists what `said` lists in another order ("heparin and aspirin"), or "" for none."""
        content = sorted(word for word in said if word not in {"and", "both", "the"})
        if "and" not in said:
            return ""
        same = [
            x
            for own, x in self._words.items()
            if sorted(w for w in own if w not in {"and", "both", "the"}) == content
        ]
        return same[0] if len(same) == 1 else ""

    def _sharing_a_unit(self, slot: str, words: LanguageWording) -> str:
        """The letters of "20 or 40 mg", where 20 mg and 40 mg are options; "" for none."""
        first = WORD.match(slot)
        joiner = words.joiner.match(slot, first.end()) if first else None
        spaced = joiner and (joiner["word"].isalpha() or " " in joiner[0])
        second = self._text_at_head(slot[joiner.end() :])[0] if joiner and spaced else ""
        if not first or not second:
            return ""
        letter = self._words.get((normal(first[0]), *self.normal[second].split()[1:]), "")
        return letter + second if letter and letter != second else ""

    def text_within(self, sentence: str) -> str:
        """The letter of the one option text that `sentence` mentions without denying it, or "" for none.

        Two that nothing but "and", "or" or a comma stands between are both named.
        """
        said = padded(sentence)
        if not any(f" {text} " in said for text in self.texts):
            return ""
        found: dict[str, tuple[int, int]] = {}
        end = 0
        for word in WORD.finditer(sentence):
            letter, length = self._text_at_head(sentence[word.start() :]) if word.start() >= end else ("", 0)
            if letter:
                end = word.start() + length
                found.setdefault(letter, (word.start(), end))
        letters = [x for x, place in found.items() if self._is_mentioned(x, sentence, *place)]
        between = [normal(sentence[found[a][1] : found[b][0]]) for a, b in pairwise(letters)]
        joined = set(between) <= {"", "and", "or", "/", "and / or"}
        return "".join(letters) if len(letters) < 2 or joined else ""

    def _is_mentioned(self, letter: str, sentence: str, start: int, end: int) -> bool:
        """Whether an option's text is long enough to be no chance word, and is not denied around it."""
        text = self.normal[letter]
        before = padded(re.sub(r"[,;]", " // ", sentence[:start][-100:]))
        denied = wording.DENIED.search(before[-60:]) or wording.REFUTED.match(sentence, end)
        if text[0].isdigit() and re.search(
            r"\d(?: [a-z]{1,5})?(?: ?- ?| to )$", sentence[max(0, start - 12) : start]
        ):
            return False  # the end of a range
        return len(text) >= 3 and re.search(r"[^\W\d]", text) is not None and not denied


def _latin(slot: str, words: LanguageWording) -> str:
    """The slot with a letter of another alphabet at its head written `(A)`."""
    native = words.native.match(slot) if words.native else None
    return f"({words.native_letters[native[1]]}){slot[native.end() :]}" if native else slot
