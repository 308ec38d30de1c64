"""Prompts of one exact length: what a system asks anyway, its questions cut or repeated in the middle."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

from rimbench.errors import UsageError
from rimbench.records import Prompt
from rimbench.running.plans import PlannedRun
from rimbench.running.prompts import hash_token_ids


def with_prompt_tokens(run: PlannedRun, tokens: int) -> PlannedRun:
    """The same run with prompts of exactly so many tokens; what all its prompts begin and end with is kept whole.

    So the chat template, the memory blocks and the readout prefix stay what they are, and only the questions lose
    their meaning. UsageError where there is no room for a question, or none in the model's context for the answer.
    """
    rows = [prompt.token_ids for prompt in run.cell.prompts]
    head = _shared(rows)
    tail = min(_shared([row[::-1] for row in rows]), min(map(len, rows)) - head - 1)
    room = run.cell.context_tokens - run.cell.system.answer.max_new_tokens
    if not head + tail < tokens <= room:
        raise UsageError(
            f"--prompt-tokens {tokens}: expected {head + tail + 1} to {room}, which is what system "
            f"'{run.cell.system.name}' has room for"
        )
    prompts = tuple(_resized(prompt, head, tail, tokens) for prompt in run.cell.prompts)
    return replace(run, cell=replace(run.cell, prompts=prompts))


def _resized(prompt: Prompt, head: int, tail: int, tokens: int) -> Prompt:
    ids = prompt.token_ids
    middle = itertools.islice(itertools.cycle(ids[head : len(ids) - tail]), tokens - head - tail)
    resized = (*ids[:head], *middle, *ids[len(ids) - tail :])
    return Prompt("", resized, hash_token_ids(resized), prompt.option_token_ids)


def _shared(rows: Sequence[Sequence[int]]) -> int:
    """How many tokens all rows begin with, one less than the shortest at the most."""
    least = min(map(len, rows)) - 1
    return next((i for i in range(least) if len({row[i] for row in rows}) > 1), least)
