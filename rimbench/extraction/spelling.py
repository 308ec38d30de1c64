"""A text in one spelling: without its reasoning, its markdown and its LaTeX but boxes."""

import re
import unicodedata

_TAGS = "think(?:ing)?|thought|reasoning"
_REASONING = re.compile(
    rf"(?P<open><(?:{_TAGS})>|\[THINK\]|◁think▷|<\|begin_of_thought\|>|<\|channel\|>analysis)|</(?:{_TAGS})>|"
    r"\[/THINK\]|◁/think▷|<\|end_of_thought\|>|<\|channel\|>final(?:<\|message\|>)?|^#+ ?Final Response",
    re.I | re.M,
)
_END_OF_TURN = re.compile(
    r"<\|(?:im_end|endoftext|eot_id|end_of_text|end|return|im_start|start_header_id|user)\|>|</s>|<(?:end|start)_of_turn>|\[INST\]"
)
_PLAIN = str.maketrans(
    "“”„«»‘’‚′【】「」『』〔〕–—―−‐‑。、•●",
    '"""""\'\'\'\'[][][][]------.,--',
    "\u200b\u200c\u200d\u2060\ufeff\ufe0f\u00ad",
)
_SPELLINGS = tuple(
    (re.compile(pattern, re.M), spelling)
    for pattern, spelling in (
        (r"([^\w\s])\1{3,}", r"\1\1\1"),
        (r"~~[^~\n]{1,200}~~", ""),  # struck out: retracted
        (r"(?i)<(?:final_?)?(?:answer|choice)>", "\nAnswer: "),
        (r"(?i)</(?:final_?)?(?:answer|choice)>|<br ?/?>", "\n"),
        (r"</?(?:b|strong|i|em|u|p|span|div|mark|code|li)>", ""),
        *[(r"\\+(?:text|math)[a-z]{0,6} ?\{([^{}\n]{0,1000})\}", r"\1")] * 3,  # \text{\textbf{C}}
        (r"\$ ?([A-J]) ?\$|\\\( ?([A-J]) ?\\\)", r"(\1\2)"),
        (r"\$|\\[()\[\],;! ]", " "),
        (r"([^\x00-\u2fff])(?=[A-Za-z(])|(?<=[A-Za-z)])(?=[^\x00-\u2fff])", r"\1 "),  # 答案是C
        (r"(?<!\w)(\*{1,3}|_{1,3}|`{1,3}|[\"'])[(\[]?([A-Jc-hj])[)\].:]{0,2}\1(?!\w)", r"(\2)"),
        (r"[\[<] ?([A-J]) ?[\]>]|\( ([A-J]) ?\)", r"(\1\2)"),
        (r"[*`]|__", ""),
        (r"[^\S\n]+", " "),
        (r"^ ?#{0,6} ?| $", ""),
    )
)


def without_reasoning(text: str) -> str | None:
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


def one_spelling(text: str) -> str:
    """NFKC, plain quotes and dashes, no markup, and a letter that markup sets apart written `(C)`."""
    # NFKC sorts runs of combining marks in quadratic time: in pieces, a hostile run costs no more than a piece.
    pieces = (unicodedata.normalize("NFKC", text[i : i + 2000]) for i in range(0, len(text), 2000))
    plain = "".join(pieces).translate(_PLAIN)
    for pattern, spelling in _SPELLINGS:
        plain = pattern.sub(spelling, plain)
    return plain.strip()


def normal(text: str) -> str:
    """Text for comparison: no case, no punctuation but what tells numbers apart ("-80", "0.5", "< 1")."""
    plain = re.sub(r"[^\w\s+<>=%/.-]|_", " ", text.casefold().replace("'", ""))
    return " ".join(re.sub(r"\.(?!\d)|-(?!\d)|(?<=\w)-", " ", plain).split())


def padded(text: str) -> str:
    """The same between spaces, so that whole words can be looked for."""
    return f" {normal(text)} "
