"""A cascade end to end: the first system reads out every question, the second answers what that is not sure of.

Both models are held together, as whoever answers questions that way holds them: what is timed is then what a user
waits for. A batch of the first is asked whole; of the second, those of its questions that it did not settle.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace

from rimbench import engines
from rimbench.engines import Conditions, Decoding, FinishedTogether, Limits, Request
from rimbench.records import Answer
from rimbench.running.ondemand import take
from rimbench.running.plans import PlannedRun


class Cascading(AbstractContextManager["Cascading"]):
    """Two loaded models, which are one where both systems have the same weights."""

    def __init__(self, run: PlannedRun, limits: Limits) -> None:
        fallback, second = run.cell.system.fallback, run.second
        assert fallback is not None and second is not None
        self._threshold, self._prompts = fallback.threshold, second.cell.prompts
        self._places = {item_id: place for place, item_id in enumerate(second.cell.item_ids)}
        self._decoding = Decoding(fallback.second.answer.mode == "readout", second.cell.new_tokens)
        shared = run.checkpoint.folder == second.checkpoint.folder
        limits = limits if shared else replace(limits, memory_share=limits.memory_share / 2)
        with ExitStack() as opening:  # a second model that cannot be loaded leaves no first one behind
            self._first = opening.enter_context(engines.open_engine(run.checkpoint.folder, run.facts, limits))
            self._second = self._first
            if not shared:
                opened = engines.open_engine(second.checkpoint.folder, second.facts, limits)
                self._second = opening.enter_context(opened)
            self._models = opening.pop_all()

    def __exit__(self, *_: object) -> None:
        self._models.close()

    def conditions(self, decoding: Decoding) -> Conditions | None:
        """Those of the first system."""
        return self._first.conditions(decoding)

    def answer(self, requests: Sequence[Request], seed: int) -> Iterator[FinishedTogether]:
        """Answer requests as one batch; see `rimbench.engines.Engine`."""
        unsure: dict[str, Request] = {}
        for group in self._first.answer(requests, seed):
            sure: FinishedTogether = []
            for request, answers in group:
                if _margin(answers[0]) >= self._threshold:
                    sure.append((request, answers))
                else:
                    unsure[request.item_id] = request
            if sure:
                yield sure
        if not unsure:
            return
        prompts = take(self._prompts, [self._places[item_id] for item_id in unsure])
        decoding = replace(self._decoding, traced=requests[0].decoding.traced)
        asked = [Request(item_id, prompt, (0,), decoding) for item_id, prompt in zip(unsure, prompts, strict=True)]
        for group in self._second.answer(asked, seed):
            yield [
                (unsure[r.item_id], [replace(answers[0], second_prompt_tokens=len(r.prompt.token_ids))])
                for r, answers in group
            ]


def _margin(answer: Answer) -> float:
    """The largest option probability less the next; never sure without any, nor of what is no number."""
    logs = sorted((answer.option_logprobs or {}).values())
    return math.exp(logs[-1]) - math.exp(logs[-2]) if len(logs) > 1 else -1.0
