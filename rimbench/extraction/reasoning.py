"""Reasoning between tags: what a model thinks is not what it answers. The tags are data, one pair a model family."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

Tags = Sequence[tuple[str, str]]

_NAMES = (
    "think", "thinking", "thinks", "thought", "thoughts", "reason", "reasoning", "reasoning_process", "analysis",
    "scratchpad", "reflection", "inner_monologue", "inner_thoughts", "internal_monologue", "internal_thoughts",
    "internal", "chain_of_thought", "cot", "cot_budget_reflect", "longcat_think", "think_process", "thinking_process",
    "thought_process", "antthinking", "reasoning_content", "thinking_content", "think_content", "plan", "planning",
    "rationale", "deep_think", "deepthink", "deep_thinking", "working_out", "inner_thought", "self_reflection",
    "scratch_pad", "hidden_thoughts", "think_fast", "think_faster",
)  # fmt: skip
REASONING_TAGS: tuple[tuple[str, str], ...] = (
    *((f"<{name}>", f"</{name}>") for name in _NAMES),  # Qwen, DeepSeek, EXAONE, Granite and many more
    ("◁think▷", "◁/think▷"),  # Kimi
    ("<unused94>", "<unused95>"),  # MedGemma
    ("<|channel>thought", "<channel|>"),  # Gemma 4
    ("<|inner_prefix|>", "<|inner_suffix|>"),  # Apertus
    ("<|channel|>analysis", "<|channel|>final<|message|>"),  # gpt-oss
    ("<|channel|>analysis", "<|channel|>final"),
    ("<|channel|>commentary", "<|channel|>final"),
    ("<|im_start|>think", "<|im_start|>answer"),  # s1, m1
    ("", "assistantfinal"),  # gpt-oss, its control tokens left out
    ("", "# final response"),  # HuatuoGPT-o1
    ("", "#final response"),
    ("", "here is my response:"),  # Granite 3.2
    ("", "[begin final response]"),  # Apriel
)
"""Opening and closing tag, in lower case; a pair without an opening one is only ever closed."""

_NAME = rf"({'|'.join(_NAMES)})"
_BAR = r"\|?"
_SPELLINGS = tuple(
    (re.compile(pattern, re.I), tag)
    for pattern, tag in (
        (rf"<(?=\s?[a-z_]{{3}})\s?{_NAME}\s?/>", ""),
        # A family's own prefix (Seed), attributes, a name that no text can hold by chance ("_never_used_51bc")
        (
            rf"<\s?(/?)\s?(?=[a-z_:]{{3}})(?:[a-z]{{1,12}}:)?{_NAME}(?:_never_used_\w{{1,40}})?(?:\s[^<>\n]{{0,80}})?>",
            r"<\1\2>",
        ),
        (r"\[(/?)(think)\]", r"<\1\2>"),  # Magistral
        (r"\[/(thinking|reasoning|thought)\]", r"</\1>"),  # "[Reasoning]" alone is a heading
        (rf"<(/?)\|(/?){_NAME}\|>", r"<\1\2\3>"),
        # Command A; Sky-T1, OpenThinker; what Unsloth's recipes ask for; others
        (
            rf"<(?=\|?[a-z_]{{3}}){_BAR}(?:(?:start|begin)_?(?:of_?)?{_NAME}|{_NAME}_(?:start|begin)){_BAR}>",
            r"<\1\2>",
        ),
        (rf"<(?=\|?[a-z_]{{3}}){_BAR}(?:end_?(?:of_?)?{_NAME}|{_NAME}_end){_BAR}>", r"</\1\2>"),
        (r"<\|start\|>(?:assistant)?(?=<\|channel)", ""),  # gpt-oss
    )
)
"""How one pair of tags is written."""
_FOLDED = tuple(
    re.compile(pattern, re.I | re.S | re.M)
    for pattern in (
        r"<details\s[^<>\n]{0,80}\breasoning\b[^<>\n]{0,80}>(.*?)(</details>|\Z)",
        r"^```(?:think(?:ing)?|thoughts?|reasoning)\n(.*?)(^```$|\Z)",
    )
)
"""A fold of a page is reasoning where it says so (Open WebUI), and so is a fenced block; other folds are text."""
_BARE_ANALYSIS = re.compile(r"analysis(?=[A-Z])")  # "analysisWe need ...": gpt-oss without its control tokens
_END_OF_TURN = re.compile(
    r"<\|(?:im_end|im_start|endoftext|eot_id|eom_id|end_of_text|end_of_turn_token|end_response|end|return|"
    r"start_header_id|user|endofturn)\|>|</s>|<eos>|<(?:end|start)_of_turn>|<turn\|>|\[INST\]|\[\|endofturn\|\]|"
    r"<\|end_of_sentence\|>|\[END FINAL RESPONSE\]",
    re.I,
)


class _Tag(NamedTuple):
    start: int
    end: int
    family: int
    opens: bool


def without_reasoning(text: str, tags: Tags = ()) -> str | None:
    """The text less its reasoning and what follows its end; None where reasoning was begun and never finished.

    `tags` are pairs of an opening and a closing tag beside the known ones.
    """
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("<\\/", "</")
    text = text.replace("\\u003c", "<").replace("\\u003e", ">").replace("｜", "|").replace("▁", "_")
    if any(mark in text for mark in ("<", "[", "```")):
        for folded in _FOLDED:
            text = folded.sub(lambda fold: f"<think>{fold[1]}{'</think>' if fold[2] else ''}", text)
        for pattern, spelling in _SPELLINGS:
            text = pattern.sub(spelling, text)
    kept: list[str] = []
    begun: set[int] = set()
    at = 0
    for tag in _find(text, tags):
        if tag.start < at:
            continue
        if tag.opens:
            kept += [] if begun else [text[at : tag.start]]
            begun.add(tag.family)
        elif tag.family in begun:
            begun.remove(tag.family)
        else:  # the chat template held the opening tag, or another family's closes: all so far is reasoning
            kept.clear()
            begun.clear()
        at = tag.end
    if begun:
        return None
    answer = "".join([*kept, text[at:]]).strip()
    end = _END_OF_TURN.search(answer, 1)
    return answer[: end.start()] if end else answer


def _find(text: str, tags: Tags) -> list[_Tag]:
    lowered = text.lower()
    if len(lowered) != len(text):  # one letter becomes two
        lowered = text.replace("İ", "I").lower()
    bare = _BARE_ANALYSIS.match(text)
    angled = "<" in text
    found = []
    for literal, family, opens in _literals(tuple((a.lower(), b.lower()) for a, b in tags)):
        if angled or literal[0] != "<":
            found += [_Tag(at, at + len(literal), family, opens) for at in _places(literal, lowered)]
        if bare and literal == "assistantfinal":
            found.append(_Tag(0, bare.end(), family, True))
    return sorted(found, key=lambda tag: (tag.start, -tag.end))


def _places(literal: str, text: str) -> Iterator[int]:
    at = text.find(literal)
    while at >= 0:
        yield at
        at = text.find(literal, at + len(literal))


@lru_cache(maxsize=32)
def _literals(tags: Tags) -> list[tuple[str, int, bool]]:
    """Every tag with its family and whether it opens; pairs that share a tag are one family."""
    family: dict[str, int] = {}
    found: dict[tuple[str, bool], int] = {}
    for index, (opening, closing) in enumerate((*REASONING_TAGS, *tags)):
        same = family.get(closing, family.get(opening, index) if opening else index)
        family[closing] = family[opening] = same
        found |= {(opening, True): same, (closing, False): same} if opening else {(closing, False): same}
    return [(literal, number, opens) for (literal, opens), number in found.items()]
