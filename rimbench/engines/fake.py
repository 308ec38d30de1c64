"""A scripted engine for tests: no model, the same answers every time, failures on demand.

The script is a JSON file named by the environment variable RIMBENCH_FAKE_SCRIPT:

    {"texts": {"<item id>": "text"}, "default": "text", "fail": ["<item id>"], "die": ["<item id>"],
     "delay_ms": 5, "cached_tokens": 0}

An item of `die` kills the process. Without a script every answer is the letter that the prompt's hash picks. It never
runs unless asked for.
"""

import json
import math
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rimbench.engines import Engine, EngineChoice, EngineFacts, FinishedTogether, Limits, Request
from rimbench.records import LETTERS, Answer, Trace


class FakeEngine(Engine):
    """Answers from a script."""

    runs_model = False

    @classmethod
    def obstacle(cls) -> None:
        """It runs anywhere."""
        return

    @classmethod
    def describe(cls, choice: EngineChoice) -> EngineFacts:
        """Settings in the same form as those of a real engine."""
        return EngineFacts("fake", "none", "none", "none", "none", False, choice.batch_size or 16)

    def __init__(self, folder: Path, facts: EngineFacts, limits: Limits) -> None:
        path = os.environ.get("RIMBENCH_FAKE_SCRIPT")
        script: dict[str, object] = json.loads(Path(path).read_text()) if path else {}
        texts = script.get("texts", {})
        fail, die = script.get("fail", []), script.get("die", [])
        delay_ms = script.get("delay_ms", 0)
        assert isinstance(texts, dict) and isinstance(fail, list) and isinstance(die, list)
        assert isinstance(delay_ms, int | float)
        self._texts, self._delay_s = texts, delay_ms / 1000
        self._fail, self._die = frozenset(fail), frozenset(die)
        self._default = script.get("default")
        cached = script.get("cached_tokens")
        assert cached is None or isinstance(cached, int)
        self._trace = Trace((), (), cached) if "cached_tokens" in script else None

    def close(self) -> None:
        """There is nothing to free."""

    def answer(self, requests: Sequence[Request], seed: int) -> Iterator[FinishedTogether]:
        """Answer requests in order; see `rimbench.engines.Engine`."""
        for request in requests:
            if self._delay_s:
                time.sleep(self._delay_s)
            if request.item_id in self._die:
                os.kill(os.getpid(), signal.SIGKILL)
            if request.item_id in self._fail:
                raise RuntimeError(f"scripted failure of item {request.item_id}")
            yield [(request, [self._answer(request, sample) for sample in request.samples])]

    def _answer(self, request: Request, sample: int) -> Answer:
        options = request.prompt.option_token_ids
        letters = list(options or LETTERS[:4])
        picked = letters[(int(request.prompt.sha256[:8], 16) + sample) % len(letters)]
        text = str(self._texts.get(request.item_id, self._default or f"\\boxed{{{picked}}}"))
        if options is None:
            return Answer(text, len(text.split()), finished=True, trace=self._trace)
        weights = {letter: 2.0 if letter == picked else 1.0 for letter in letters}
        logprobs = {letter: math.log(w / sum(weights.values())) for letter, w in weights.items()}
        return Answer(picked, 0 if request.decoding.readout else 1, True, logprobs, self._trace)
