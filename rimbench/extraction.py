r"""Which option a text states: text and the item's options in, a letter and a status out; pure.

The text is freed of its reasoning, then brought into one spelling: NFKC, plain quotes and dashes, no markdown and no
LaTeX but boxes, a letter set apart by markup (`**C**`, `[C]`, `"C"`, `$C$`) written `(C)`. Then the first rule that
finds something decides:

1. box: the last `\boxed{...}` that holds a letter or an option's text.
2. stated: the last statement. An answer noun ("Answer: C", "Final Answer" on a line of its own, JSON), a superlative
   ("the best next step is:"), a choosing verb ("I'll go with") or a correction ("no, it is") with the letter next
   to it; or a letter called the answer ("C is the correct answer"). After a noun or a verb an option's text will do.
3. labelled: among the first or last lines, one that opens with a letter's label ("C) text", "C") and is no part of a
   list of options (labels that rise from line to line).
4. judged: a verdict on one letter alone ("option C is correct", "(C) text: this is the most likely").
5. bare text: a first or last line that is an option's text.
6. concluded: the last concluding sentence that mentions one letter ("(C)", "option C") or one option's text.

Two letters in one statement ("A and C", "B or C") are `ambiguous`. A later statement replaces an earlier one, unless
they stand side by side with neither a reason nor a word of retraction between them ("The answer is B. The answer is
C."): that is `ambiguous` too. What is denied, asked or supposed is no statement. A letter that the item does not have
is no answer. A bare letter counts only where nothing else claims it: "a", "I", "vitamin D", "B cells" name no option.
Repeats in patterns are bounded, and so are the candidates of each kind: time is linear in the text.
"""

import re
import unicodedata
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from rimbench.records import LETTERS, Status

MAX_CANDIDATES = 100  # of one kind, counted from the end: real texts hold a handful, a hostile one 20,000
MAX_SLOT_CHARS = 1000  # what is read behind a cue: longer than any option


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a text states; `letter` is one of the item's exactly when `status` is `ok`, else None."""

    letter: str | None
    status: Status


@dataclass(frozen=True, slots=True)
class _Statement:
    """The letters that one statement names (two: it is undecided), its place, and whether it says "could"."""

    letters: str
    start: int
    end: int
    hedged: bool = False


def _words(*phrases: str, ends: str = "") -> re.Pattern[str]:
    """A pattern for any of `phrases` as whole words, in any case; `ends` is what must follow them."""
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b{ends}", re.I)


_TAGS = "think(?:ing)?|thought|reasoning"
_REASONING = re.compile(
    rf"(?P<open><(?:{_TAGS})>|\[THINK\]|◁think▷|<\|begin_of_thought\|>|<\|channel\|>analysis)|</(?:{_TAGS})>|"
    r"\[/THINK\]|◁/think▷|<\|end_of_thought\|>|<\|channel\|>final(?:<\|message\|>)?|^#+ ?Final Response",
    re.I | re.M,
)
_END_OF_TURN = re.compile(r"<\|(?:im_end|endoftext|eot_id|end_of_text|end|return)\|>|</s>|<end_of_turn>")
_PLAIN = str.maketrans(
    "“”„«»‘’‚′【】「」『』〔〕–—―−‐‑。、•●",
    '"""""\'\'\'\'[][][][]------.,--',
    "\u200b\u200c\u200d\u2060\ufeff\ufe0f\u00ad",
)
_SPELLINGS = tuple(
    (re.compile(pattern, re.M), spelling)
    for pattern, spelling in (
        (r"\r\n?", "\n"),
        (r"([^\w\s])\1{3,}", r"\1\1\1"),
        (r"~~[^~\n]{1,200}~~", ""),  # struck out: retracted
        (r"(?i)<(?:final_?)?(?:answer|choice)>", "\nAnswer: "),
        (r"(?i)</(?:final_?)?(?:answer|choice)>|<br ?/?>", "\n"),
        (r"(?i)</?(?:b|strong|i|em|u|p|span|div|mark|code|li)>", ""),
        *[(r"\\+(?:text|math)[a-z]{0,6} ?\{([^{}\n]{0,1000})\}", r"\1")] * 3,  # \text{\textbf{C}}
        (r"\$ ?([A-J]) ?\$|\\\( ?([A-J]) ?\\\)", r"(\1\2)"),
        (r"\$|\\[()\[\],;! ]", " "),
        (r"([^\x00-\u2fff])(?=[A-Za-z(])|(?<=[A-Za-z)])(?=[^\x00-\u2fff])", r"\1 "),  # 答案是C
        (r"(?<!\w)(\*{1,3}|_{1,3}|`{1,3}|[\"'])[(\[]?([A-Jc-hj])[)\].:]{0,2}\1(?!\w)", r"(\2)"),
        (r"[\[<] ?([A-J]) ?[\]>]|\( ([A-J]) ?\)", r"(\1\2)"),
        (r"[*`]|__", ""),
        (r"[^\S\n]+", " "),
        (r"^ ?#{0,6} ?| $", ""),
        (r"\n{3,}", "\n\n"),
    )
)

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
_DENIED = _words(
    r"not|rather than|instead of|unlike|over|than|exclud\w{1,4}|rul\w{1,3} out|eliminat\w{1,4}|except|against",
    r"incorrect|wrong|without|no|(?:is|are|was|were|do|does|did|ca|wo|would|could|should)n'?t",
    ends=r"(?: \w{1,15}){0,3}[ (]{0,2}$",
)
_BOX = re.compile(r"\\{0,2}\b(?:boxed|fbox) ?(?:\{|(?= ?\(?[A-J]\b))")

# Cues of a statement, and what undoes it.
_ANSWER = re.compile(
    r"(?<![A-Za-z])(?:answers?(?! choices| options)|ans\b\.?|solution|(?:correct|best|right|final|chosen|my) "
    r"(?:option|choice|response|selection))(?:[_ ](?:choice|option|letter|key|idx))?(?![A-Za-z])[\"\]]?|"
    r"(?:正确选项|答案)\]?|选择?|^(?:choice|decision|final|key|output|prediction|response|selection|verdict)(?=:)",
    re.I | re.M,
)
_SUPERLATIVE = _words(r"best|correct|right|most [a-z]{1,20}|next step|diagnosis|conclusion")
_CHOICE = _words(
    r"go(?:ing)? with|went with|choos(?:e|ing)|chose|select(?:ing|ed)?|pick(?:ing)?|opt(?:ing)? for|conclude",
    r"settl(?:e|ing) (?:on|for)|lean(?:ing)? (?:towards?|to)|stick(?:ing)? with",
)
_CORRECTION = _words(
    r"it(?:'s| is| must be| should be| has to be)|correction|actually|make that|i mean|scratch that|leaving",
    r"left with|(?:wait|no)(?=,)|(?:therefore|thus|hence|so|finally)(?=[,:]? \(?[A-J](?:[).:]|$))",
)
_HEADING = re.compile(
    r"^\W{0,4}(?:the |my |final |correct |best |overall ){0,3}(?:answer|conclusion|response|decision|choice)\W{0,4}$",
    re.I | re.M,
)
_LINK = re.compile(
    r"[:=]|-(?=\s|[A-J]\b)|\b(?i:is|was|are|be|remains|becomes)\b|[是为]|"
    r"^ ?(?=\(?[A-J]\)?(?:[.,;)](?!\w)|$| because\b| since\b| [^\x00-\u2fff]))",
    re.M,
)
_CLAUSE_END = re.compile(r"[.!?;](?=\s|$)|\n")
_LIST = re.compile(r"[ :]{0,2}\n+[^\n]{1,300}(?:\n+\W{0,3}|\s)B[).:]\s")
_HEDGED = _words("could", "might", "may")
_NEGATED = _words("not", "never", "cannot", "incorrect", "wrong", "less", r"\w{2,6}n't")
_SUPPOSED = re.compile(
    r"\b(?:if|whether|unless|suppos\w{1,5}|assum\w{1,5}|(?:might|may|could|would) (?:think|argue|say))\b"
    r"[^.,\n]{0,25}$|"
    r"(?:\b(?:incorrect|wrong|not|never|rather than|instead of|least|nor|or|than)|n't)"
    r"(?: an?| the| my)?(?: \w{1,15})? ?$",
    re.I,
)
_CONDITION = _words("if", "had", "were", "unless", ends=r"[^.\n]*$")
_UNDONE = re.compile(
    r"\W{0,3}(?:option |choice )?\(?[A-J]\)? (?:would|could|might|may|if|(?:is|was)(?:n't| not| incorrect| wrong))\b"
)
_RETRACTED = _words(
    r"wait|no|not|actually|however|but|correction|rather|instead|reconsider\w*|hmm|sorry|changed?|scratch",
    r"make that|i mean",
)
_CONNECTIVES = frozenset(
    [
        *LETTERS.lower(),
        "and",
        "or",
        "it",
        "is",
        "the",
        "my",
        "also",
        "so",
        "therefore",
        "thus",
        "option",
        "final",
        "best",
    ]
)

# A letter as the subject of a sentence.
_SUBJECT = (
    r"(?P<named>\b(?:[Oo]ption|[Cc]hoice|[Aa]nswer)s? )?(?P<first>\([A-J]\)|\b[A-J]\b[).:]?)"
    r"(?P<more>(?:(?: ?, ?| ?/ ?|,? and |,? or )(?:\([A-J]\)|[A-J]\b)){0,9})"
)
_CALLED = re.compile(
    _SUBJECT + r"(?P<gap>(?: ?\([^()\n]{1,200}\))?,?)"
    r"(?: (?:is|are|remains|(?:would |must |should |has to )?be|seems|appears)(?: to be)?(?: \w{1,12}ly| both)?| as)?"
    r" (?:the|our|my) (?:(?!wrong|incorrect|least|worst|second|first|other)[a-z]{1,20} ){0,3}?"
    r"(?:answer|choice|option|response)s?\b"
)
_VERDICT = re.compile(
    _SUBJECT + r"(?P<gap>(?:(?!\(?\b[A-J]\b)[^.\n?]){0,200}?)(?: (?:is|are|remains|seems|appears)(?: to be)?"
    r"(?: \w{1,12}ly| both| all| also){0,2}(?: the| a| our)? (?:correct|right|best|answer|better|most [a-z]{1,20}|"
    r"safer|prefer(?:red|able)|more (?:likely|appropriate|plausible))\b| ?(?:[-:(] ?(?:the )?(?:correct|right|best)\b|[✅✔]))"
)
_SUBJECT_MAY_FOLLOW = re.compile(
    r"(?:^|\n|[.,:;!?(-] ?|\b(?:that|so|thus|therefore|hence|think|believe|conclude|only|both|but|making|makes|"
    r"leaving|because|since|either|then) )$",
    re.I,
)
_DISMISSED = re.compile(
    r"[^.;,\n]{0,80}?(?:n't|\b(?:not|incorrect|wrong|unlikely|less|false|ruled out|excluded|inappropriate))\b", re.I
)

# Lines and sentences.
_LABEL = re.compile(
    r"(?:[-+>] ?|\d{1,2}[.)] )?(?=(?:(?:[Oo]ption|[Cc]hoice) )?"
    r"(?:\([A-Ja-j]\)|[A-J](?:[).:]|(?= -+ )|(?= \()|!?$)|[a-j](?:\)|\.?$))(?:\s|$|[.,:]))"
)
_VERB = _words("is", "are", "was")
_OTHERS = _words("others?", "incorrect", "wrong", "explanation", "rationale", "why")
_SENTENCE_END = re.compile(r"(?<!\b[A-J]\.)(?<=[.!?])\s+|\n+")
_CONCLUDING = _words(
    r"therefore|thus|hence|so|conclu\w{3,6}|summary|overall|consequently|answer|correct|best|most|likeliest|would be",
    r"i would|i think|i believe|given|based on|diagnosis|points? to|supports?|consistent with|corresponds?",
)
_MUSING = _words(r"let me|let's|consider|what about|look at|maybe|perhaps|alternatively|hmm|analy[sz]e", ends=r"|\?$")
_BETWEEN = re.compile(r"\b[Bb]etween (?:options? )?\(?[A-J]\)? and (?:option )?\(?[A-J]\b\)?")
_MENTION = re.compile(
    r"(?:\b(\w{1,20}) )?\(([A-J])\)|\b(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ll]etter) \(?([A-Ja-j])\b\)?"
)
_TERMS = frozenset(["vitamin", "hepatitis", "influenza", "type", "group", "factor", "class", "grade", "stage"])
_REFUSAL = _words(
    r"(?:i'?m|i am|we are|we'?re) (?:\w{1,8} )?(?:sorry|unable|not able)\b(?=[^.\n]{0,60}(?:can'?t|can ?not|won'?t|"
    r"unable|not able|to (?:assist|help|provide|answer|give|comply|offer)))",
    r"(?:i|we) (?:can'?t|can ?not|won'?t|will not|must decline to|decline to) (?:\w{1,12}ly )?"
    r"(?:assist|help|provide|answer|give|offer|comply|fulfil|engage|discuss|respond)",
    r"as an ai|i apologi[sz]e, but i (?:can|am)",
)


def extract(text: str, options: Mapping[str, str]) -> Extraction:
    """Say which of `options` (letter -> text) the free text `text` states."""
    without = _without_reasoning(text)
    if without is None:
        return Extraction(None, "truncated")
    plain = _plain(without)
    reader = _Reader(options)
    refused = _REFUSAL.search(plain[:300]) is not None
    rules = (_box, _stated, _labelled, _judged, _bare_text, _concluded)
    for rule in rules[:4] if refused else rules:
        if letters := rule(plain, reader):
            status: Status = "ambiguous" if len(letters) > 1 else "ok" if letters in options else "no_answer"
            return Extraction(letters if status == "ok" else None, status)
    return Extraction(None, "refused" if refused else "no_answer")


def first_letter(text: str, options: Mapping[str, str]) -> Extraction:
    r"""Read an answer that the prefix `The final answer is \boxed{` forced: the first match of `[A-J]`.

    The rule is the model card's own (NeuroDiscoveryAI/OpenMed-qwen3-1.7b-RIM), kept as it stands there so that its
    figures can be compared: "Based on" reads as B. A letter that the item does not have is no answer.
    """
    match = re.search(f"[{LETTERS}]", text)
    if match and match[0] in options:
        return Extraction(match[0], "ok")
    return Extraction(None, "no_answer")


def _without_reasoning(text: str) -> str | None:
    """The text less its reasoning and what follows its end; None where reasoning was begun and never finished."""
    kept: list[str] = []
    at, reasoning = 0, False
    for tag in _REASONING.finditer(text):
        if not tag["open"] and not reasoning:  # the chat template held the opening tag: all so far is reasoning
            kept.clear()
        elif tag["open"] and not reasoning:
            kept.append(text[at : tag.start()])
        at, reasoning = tag.end(), bool(tag["open"])
    if reasoning:
        return None
    answer = "".join([*kept, text[at:]]).strip()
    end = _END_OF_TURN.search(answer, 1)
    return answer[: end.start()] if end else answer


def _plain(text: str) -> str:
    # NFKC sorts runs of combining marks in quadratic time: in pieces, a hostile run costs no more than a piece.
    pieces = (unicodedata.normalize("NFKC", text[i : i + 2000]) for i in range(0, len(text), 2000))
    plain = "".join(pieces).translate(_PLAIN)
    for pattern, spelling in _SPELLINGS:
        plain = pattern.sub(spelling, plain)
    return plain.strip()


def _normal(text: str) -> str:
    """Text for comparison: no case, no punctuation but what tells numbers apart ("-80", "0.5", "< 1")."""
    plain = re.sub(r"[^\w\s+<>=%/.-]|_", " ", text.casefold().replace("'", ""))
    return " ".join(re.sub(r"\.(?!\d)|-(?!\d)|(?<=\w)-", " ", plain).split())


def _padded(text: str) -> str:
    return f" {_normal(text)} "


class _Reader:
    """Reads letters and option texts at a given place, knowing the item's options."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self.options = {letter: _plain(text) for letter, text in options.items()}
        self.normal = {letter: _normal(text) for letter, text in self.options.items()}
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
        far = re.match(r"\)? ?,? ?(?:and|or) (?:option )?(?:\(([A-J])\)|([A-J])\) )", behind)
        return more + (far[1] or far[2] if far else "")

    def _opens(self, letter: str, word: str, *, lenient: bool) -> bool:
        """Whether `word` may follow a label: it opens the option's text or a comment, or is (lenient) in no option."""
        elsewhere = any(f" {word} " in f" {text} " for text in self.normal.values())
        return word in _COMMENTS or self.normal.get(letter, "").startswith(word) or (lenient and not elsewhere)

    def named_with_text(self, slot: str) -> str:
        """A bare letter with its own option's text behind it ("A Disclose the error"), or "" for none."""
        match = re.match(r"([A-J])[ .]|([a-j])[.:] ", slot)
        letter = (match[1] or match[2]).upper() if match else ""
        own = self.normal.get(letter, "")
        return letter if match and own and _normal(slot[match.end() :]).startswith(own) else ""

    def text_at_head(self, slot: str) -> str:
        """The letter of the longest option text that `slot` opens with, or "" for none."""
        if re.match(r"\(?[A-J][).:]", slot):  # a label, unless the text itself is written so: "E. coli"
            fits = [t for t, x in self.texts.items() if slot.casefold().startswith(self.options[x].casefold())]
        else:
            heads = [_normal(slot) + " ", _normal(re.sub(r"^(?:an?|the) ", "", slot, flags=re.I)) + " "]
            fits = [t for t in self.texts if any(head.startswith(t + " ") for head in heads)]
        return self.texts[max(fits, key=len)] if fits else ""

    def text_within(self, sentence: str) -> str:
        """The letter of the one option text that `sentence` mentions without denying it, or "" for none."""
        said, clauses = (_padded(part) for part in (sentence, re.sub(r"[,;]", " // ", sentence)))
        fits = []
        for text in self.texts:
            if f" {text} " not in said or len(text) < 3 or not re.search(r"[^\W\d]", text):
                continue
            at = clauses.find(f" {text} ")
            if not _DENIED.search(clauses[: at + 1][-60:]):
                fits.append(text)
        fits = [t for t in fits if not any(t != other and f" {t} " in f" {other} " for other in fits)]
        return self.texts[fits[0]] if len(fits) == 1 else ""


def _tail(pattern: re.Pattern[str], plain: str) -> deque[re.Match[str]]:
    return deque(pattern.finditer(plain), maxlen=MAX_CANDIDATES)


def _agree(earlier: _Statement, last: _Statement, plain: str, reader: _Reader) -> bool:
    """Whether the last statement may replace the earlier one: not if nothing but connectives stands between."""
    if earlier.letters == last.letters or not earlier.end <= last.start <= earlier.end + MAX_SLOT_CHARS:
        return True
    between = plain[earlier.end : last.start]
    if _RETRACTED.search(between):
        return True
    said = _padded(between).replace(f" {reader.normal.get(earlier.letters, '')} ", " ", 1)
    return bool(set(said.split()) - _CONNECTIVES)


def _last(found: list[_Statement], plain: str, reader: _Reader) -> str:
    """The letters of the last statement, with those of one that contradicts it side by side."""
    if not found:
        return ""
    found = sorted([s for s in found if not s.hedged] or found, key=lambda statement: statement.end)
    last = found[-1]
    against = "".join(earlier.letters for earlier in found[:-1] if not _agree(earlier, last, plain, reader))
    return "".join(dict.fromkeys(last.letters + against))


def _box(plain: str, reader: _Reader) -> str:
    """Rule 1."""
    found = []
    for box in _tail(_BOX, plain):
        depth, end = 1, box.end()
        limit = min(len(plain), end + MAX_SLOT_CHARS)
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


def _stated(plain: str, reader: _Reader) -> str:
    """Rule 2."""
    found = list(_judgements(_CALLED, plain))
    for cues, texts in ((_ANSWER, True), (_SUPERLATIVE, False)):
        for cue in _tail(cues, plain):
            clause = plain[cue.end() : cue.end() + 200]
            clause = clause[: end.start()] if (end := _CLAUSE_END.search(clause)) else clause
            if not _is_supposed(plain, cue):
                found += _linked(cue, clause, plain, reader, texts=texts)
    for cues, texts in ((_CHOICE, True), (_CORRECTION, False), (_HEADING, True)):
        for cue in _tail(cues, plain):
            if not _is_supposed(plain, cue):
                start = cue.end() if cues is _CORRECTION else cue.start()
                found += _read(start, cue.end(), plain, reader, texts=texts)
    return _last(found, plain, reader)


def _linked(cue: re.Match[str], clause: str, plain: str, reader: _Reader, *, texts: bool) -> list[_Statement]:
    """The statement behind the first link ("is", ":") of the cue's clause that has a letter next to it."""
    first, before = None, plain[max(0, cue.start() - 150) : cue.start()]
    for link in _LINK.finditer(clause):
        between = clause[: link.start()]
        if _NEGATED.search(between) or ("would" in between and _CONDITION.search(before)):
            return []
        first = link if first is None else first
        if read := _read(cue.start(), cue.end() + link.end(), plain, reader, texts=texts):
            return [replace(read[0], hedged=_HEDGED.search(between) is not None)]
    if texts and first:  # "the answer is the administration of alteplase"
        at = cue.end() + first.end()
        sentence = _SENTENCE_END.split(plain[at : at + MAX_SLOT_CHARS].lstrip(), maxsplit=1)[0]
        if letters := "" if _LABEL.match(sentence) else reader.text_within(sentence):
            return [_Statement(letters, cue.start(), at)]
    return []


def _read(start: int, at: int, plain: str, reader: _Reader, *, texts: bool) -> list[_Statement]:
    slot = plain[at : at + MAX_SLOT_CHARS]
    letters = "" if _UNDONE.match(slot) else reader.named(slot, texts=texts)
    listed = letters == "A" and _LIST.match(slot)
    return [_Statement(letters, start, at)] if letters and not listed else []


def _is_supposed(plain: str, cue: re.Match[str]) -> bool:
    return _SUPPOSED.search(plain[max(0, cue.start() - 60) : cue.start()]) is not None


def _judgements(pattern: re.Pattern[str], plain: str) -> Iterator[_Statement]:
    """What `pattern` says of a letter that is its subject ("C is the best answer")."""
    for found in _tail(pattern, plain):
        bare = not found["named"] and not found["first"].startswith("(")
        word_follows = re.match(r" ?\w", found["gap"]) and found["first"][-1].isalpha()
        before = plain[max(0, found.start() - 60) : found.start()]
        if bare and (word_follows or not _SUBJECT_MAY_FOLLOW.search(before[-15:])):
            continue
        asked = re.match(r"[^.!\n]{0,60}(?:\?|\bif\b)", plain[found.end() : found.end() + 62])
        if not (asked or _NEGATED.search(found["gap"]) or _SUPPOSED.search(before)):
            letters = "".join(dict.fromkeys(re.findall(r"\b[A-J]\b", found["first"] + found["more"])))
            yield _Statement(letters, found.start(), found.end())


def _labelled(plain: str, reader: _Reader) -> str:
    """Rule 3."""
    lines = [line for line in plain.split("\n") if line.strip()]
    was_lone = False
    runs: list[list[tuple[int, str]]] = []  # labels that rise from line to line: a list of options
    for index, line in enumerate(lines):
        if 2 * MAX_CANDIDATES < index < len(lines) - 2 * MAX_CANDIDATES:
            continue
        letters, next_letter = _label(line[:MAX_SLOT_CHARS], reader)
        lone = len(line) <= 3
        if not letters:
            if _OTHERS.search(line[:MAX_SLOT_CHARS]):
                runs.append([(index, "")])  # any label behind it belongs to the list that it opens
            elif line.endswith(":") or (index == 1 and _normal(lines[0])[2:] in reader.texts):
                runs.append([])
        elif runs and runs[-1] and runs[-1][-1][1] < letters and lone <= was_lone:
            runs[-1].append((index, letters))
        else:
            runs.append([(index, letters)])
        if next_letter:
            runs.append([])
        was_lone = lone if letters else was_lone
    alone = [run[0] for run in runs if len(run) == 1 and run[0][1]]
    for index, letters in reversed(alone):
        dismissed = _DISMISSED.match(lines[index][:MAX_SLOT_CHARS].replace(reader.options.get(letters, "\n"), ""))
        if (index == 0 or index >= len(lines) - 5) and not dismissed:
            return letters
    return ""


def _label(line: str, reader: _Reader) -> tuple[str, bool]:
    """The letters that label `line`, and whether the line itself lists options ("A) x B) y")."""
    label = _LABEL.match(line)
    letters = reader.named(line[label.end() :]) if label else reader.named_with_text(line)
    if not letters and len(line) < 30 and not _VERB.search(line):  # "Definitely C.", "Both A and C"
        letters = reader.named(line)
    following = chr(ord(letters[0]) + 1) if letters else ""
    listing = bool(following) and re.search(rf"[\s,;]\(?{following}[).:]\s", line) is not None
    return ("", True) if listing else (letters, False)


def _judged(plain: str, reader: _Reader) -> str:
    """Rule 4."""
    found = list(_judgements(_VERDICT, plain))
    if not found:
        return ""
    settled = len({s.letters for s in found}) == 1 or _RETRACTED.search(plain[found[-2].end : found[-1].start])
    return found[-1].letters if settled else ""


def _bare_text(plain: str, reader: _Reader) -> str:
    """Rule 5."""
    lines = plain.split("\n")
    for line in (lines[-1], lines[0]):
        if letter := reader.texts.get(_normal(line[:MAX_SLOT_CHARS])):
            return letter
    return ""


def _concluded(plain: str, reader: _Reader) -> str:
    """Rule 6."""
    sentences = [s for s in _SENTENCE_END.split(plain) if s.strip()]
    for sentence in [*reversed(sentences[-6:]), *sentences[:1]]:
        said = _BETWEEN.sub("", sentence[-MAX_SLOT_CHARS:])
        concluding = _CONCLUDING.search(said)
        if not (concluding or len(sentences) < 3) or _MUSING.search(said):
            continue
        mentioned = dict.fromkeys(_mentions(said))
        if len(mentioned) == 1:
            return next(iter(mentioned))
        if len(mentioned) > 1 and re.search(r"(?:\bor|\band|/) (?:option )?\(?[A-J]\b", said):
            return "".join(mentioned)
        if not mentioned and concluding and (letter := reader.text_within(said)):
            return letter
    return ""


def _mentions(sentence: str) -> Iterator[str]:
    for found in _MENTION.finditer(sentence):
        before, after = sentence[max(0, found.start() - 60) : found.start()], sentence[found.end() : found.end() + 90]
        noun = (found[1] or "").lower()
        denied = _DENIED.search(f"{before}{noun} ") or _DISMISSED.match(after)
        if noun not in _TERMS and not denied:
            yield (found[2] or found[3]).upper()
