"""The engine on Hugging Face transformers: sdpa, bf16 on a GPU and fp32 on a CPU.

A readout is one pass over right-padded rows (`rimbench.engines._readout`). Answers are written by the same decoder
(`rimbench.engines._writing`). On a GPU both run from captured graphs. Where that decoder is none of those written
here, both go through the library's own modules, and answers are left-padded batches of its `generate`, run eagerly.

Torch is imported when a model is opened, not when the engine is looked at.
"""

import importlib.util
import logging
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rimbench import checkpoints
from rimbench.engines import (
    Conditions,
    Decoding,
    Engine,
    EngineChoice,
    EngineFacts,
    FinishedTogether,
    Gathering,
    Limits,
    Request,
    chance_of,
    check_room,
)
from rimbench.engines._draws import NumberWatch, TokenDraws
from rimbench.engines._graphs import Graphs
from rimbench.engines._lean import turns_by_length
from rimbench.engines._letters import read_letter, with_letters
from rimbench.engines._readout import LetterReadout
from rimbench.engines._writing import SLOTS_EACH, LeanWriter, WrittenRow
from rimbench.records import KINDS, Answer, Trace

if TYPE_CHECKING:
    import torch

_log = logging.getLogger(__name__)
BATCH_SIZE = {"cpu": 16, "cuda": 64}


class TransformersEngine(Engine):
    """A causal language model of transformers that answers batches of requests."""

    auto_rank = 1
    times_tokens = True
    shares_prompts = True
    interventions = KINDS

    @classmethod
    def obstacle(cls) -> str | None:
        """Why this engine cannot run here, or None."""
        missing = [name for name in ("torch", "transformers") if importlib.util.find_spec(name) is None]
        return f"needs {' and '.join(missing)}: pip install {' '.join(missing)}" if missing else None

    @classmethod
    def describe(cls, choice: EngineChoice) -> EngineFacts:
        """The settings that a model would be opened with."""
        import torch  # slow to import

        device = "cuda" if torch.cuda.is_available() else "cpu"
        return EngineFacts(
            name="transformers",
            device=device,
            dtype=choice.dtype or ("bfloat16" if device == "cuda" else "float32"),
            attention="sdpa",
            graphs="graphs" if device == "cuda" and not choice.eager else "eager",
            prefix_cache=False,
            batch_size=choice.batch_size or BATCH_SIZE[device],
        )

    def __init__(self, folder: Path, facts: EngineFacts, limits: Limits) -> None:
        import torch
        import transformers as hf

        self._torch, self._device, self._limits = torch, facts.device, limits
        self._batch_size = facts.batch_size or BATCH_SIZE[facts.device]
        self._hf: Any = hf
        self._tokenizer: Any = checkpoints.read_tokenizer(folder)
        model = checkpoints.load_model(folder, facts.dtype, facts.attention)
        self._model: Any = model.to(facts.device).eval()
        ends = [*checkpoints.end_token_ids(folder), self._tokenizer.eos_token_id]
        self._stop_ids = list(dict.fromkeys(token for token in ends if token is not None))
        if not self._stop_ids:
            _log.warning(
                "rimbench: neither %s nor its tokenizer names an end token: what it writes ends at its limit", folder
            )
        self._pad_id = self._stop_ids[0] if self._stop_ids else 0
        # A checkpoint's own sampling defaults (top_k, repetition penalty) must not leak into ours.
        own: Any = hf.GenerationConfig
        self._model.generation_config = own(eos_token_id=self._stop_ids or None, pad_token_id=self._pad_id)
        self._readout_graphs, self._writing_graphs = (Graphs(used=facts.graphs == "graphs") for _ in range(2))
        self._readout = LetterReadout(self._model, facts.device, self._readout_graphs)
        self._writer: LeanWriter | None = None
        if self._readout.lean is not None:
            slots = SLOTS_EACH * self._batch_size
            self._writer = LeanWriter(self._readout.lean, facts.device, self._stop_ids, slots, self._writing_graphs)

    def close(self) -> None:
        """Free the model."""
        del self._model, self._readout, self._writer
        if self._device == "cuda":
            self._torch.cuda.empty_cache()

    def answer(self, requests: Sequence[Request], seed: int) -> Iterator[FinishedTogether]:
        """Answer requests, readouts as one batch; see `rimbench.engines.Engine`."""
        check_room(requests, self._limits)
        if requests[0].decoding.readout:
            with self._torch.inference_mode():
                answers = self._read_out(requests)
            yield list(zip(requests, answers, strict=True))
        elif self._writer is not None:
            yield from self._write(self._writer, requests, seed)
        else:
            for batch in _batches(requests, 1 if turns_by_length(self._model) else self._batch_size):
                with self._torch.inference_mode():
                    answers = self._generate(batch, seed)
                yield list(zip(batch, answers, strict=True))

    def conditions(self, decoding: Decoding) -> Conditions:
        """How passes were launched, as it turned out; see `rimbench.engines.Engine`."""
        path = "library's modules" if self._writer is None else "short decoder"
        graphs = self._readout_graphs if decoding.readout else self._writing_graphs
        if not graphs.used or (self._writer is None and not decoding.readout):
            return Conditions("eager", 0.0, path)
        return Conditions("graphs and eager" if graphs.eager_passes else "graphs", graphs.capture_s, path)

    def _read_out(self, requests: Sequence[Request]) -> list[list[Answer]]:
        asked = [request.prompt.option_token_ids or {} for request in requests]
        # The letters of all items, each once; an item takes its own.
        letters = tuple(dict.fromkeys(token for options in asked for token in options.values()))
        # A timed readout does not pay for the head's other rows, which its answer has no use for.
        traced = requests[0].decoding.traced
        logits = self._readout.logits([r.prompt.token_ids for r in requests], letters, total=not traced)
        # No keys and values outlive a pass here, so no token of a prompt can come from a cache.
        trace = Trace((), (), cached_tokens=0) if traced else None
        return [
            [read_letter(options, dict(zip(letters, row, strict=False)), trace, None if traced else row[-1])]
            for options, row in zip(asked, logits, strict=True)
        ]

    def _generate(self, requests: Sequence[Request], seed: int) -> list[list[Answer]]:
        decoding = requests[0].decoding
        rows = [(request, sample) for request in requests for sample in request.samples]
        token_ids, mask = self._pad([request for request, _ in rows])
        clock = _Clock() if decoding.traced else None
        watch = NumberWatch(self._torch)
        processors: list[Any] = [watch]
        if decoding.temperature > 0:
            chances = [chance_of(seed, request.item_id, sample) for request, sample in rows]
            processors.append(TokenDraws(self._torch, chances, decoding.temperature, decoding.top_p))
        out = self._model.generate(
            input_ids=token_ids,
            attention_mask=mask,
            max_new_tokens=decoding.max_new_tokens,
            do_sample=False,  # a draw is made by its processor
            logits_processor=self._hf.LogitsProcessorList(processors),
            return_dict_in_generate=True,
            output_logits=any(request.prompt.option_token_ids for request in requests),
            streamer=clock,
        )
        watch.check()
        written = out.sequences[:, token_ids.shape[1] :].tolist()
        answers = []
        for i, (request, _) in enumerate(rows):
            first = out.logits[0][i].float() if out.logits else None
            answers.append(self._text(request, written[i], first, clock.token_at if clock else ()))
        in_order = iter(answers)
        return [list(islice(in_order, len(request.samples))) for request in requests]

    def _write(self, writer: LeanWriter, requests: Sequence[Request], seed: int) -> Iterator[FinishedTogether]:
        """Every sample is a row of its own; a request is finished with its last one."""
        rows: dict[WrittenRow, tuple[int, int]] = {}
        gathering = Gathering(requests)
        for place, sample in gathering.asked:
            request, decoding = requests[place], requests[place].decoding
            chance = chance_of(seed, request.item_id, sample) if decoding.temperature > 0 else None
            rows[WrittenRow(request.prompt.token_ids, decoding, chance)] = (place, sample)
        for ended in writer.write(list(rows)):
            done: FinishedTogether = []
            for row in ended:
                place, sample = rows.pop(row)
                done += gathering.take(
                    place, sample, self._text(requests[place], row.tokens, row.first, row.token_at)
                )
            if done:
                yield done

    def _text(
        self, request: Request, row: list[int], first: "torch.Tensor | None", token_at: Sequence[float]
    ) -> Answer:
        """One written row up to and with its first stop token; what follows it is padding.

        `first` are the logits at the first position, of which the prompt's letters are read.
        """
        end = next((i for i, token in enumerate(row) if token in self._stop_ids), None)
        kept = row if end is None else row[: end + 1]
        text = self._tokenizer.decode(kept, skip_special_tokens=True)
        trace = Trace(tuple(kept), tuple(token_at[: len(kept)]), cached_tokens=0) if request.decoding.traced else None
        options = request.prompt.option_token_ids
        read = None
        if options is not None and first is not None:
            picked = dict(zip(options.values(), first[list(options.values())].tolist(), strict=True))
            read = read_letter(options, picked, vocabulary=float(first.logsumexp(-1)))
        return with_letters(Answer(text, len(kept), end is not None, trace=trace), read)

    def _pad(self, requests: Sequence[Request]) -> tuple["torch.Tensor", "torch.Tensor"]:
        """Token ids and attention mask [batch, longest prompt], padded on the left."""
        rows = [request.prompt.token_ids for request in requests]
        width = max(map(len, rows))
        token_ids = [[self._pad_id] * (width - len(row)) + list(row) for row in rows]
        mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
        return (
            self._torch.tensor(token_ids, device=self._device),
            self._torch.tensor(mask, device=self._device),
        )


def _batches(requests: Sequence[Request], size: int) -> Iterator[list[Request]]:
    """Requests of one decoding each, of prompts that are alike in length, so many at once."""
    by_decoding: dict[Decoding, list[Request]] = {}
    for request in requests:
        by_decoding.setdefault(request.decoding, []).append(request)
    for alike in by_decoding.values():
        if len(alike) > size:
            alike.sort(key=lambda request: -len(request.prompt.token_ids))
        yield from (alike[start : start + size] for start in range(0, len(alike), size))


class _Clock:
    """What `generate` hands its tokens to, step by step, on the CPU: the device has finished each when it comes."""

    def __init__(self) -> None:
        self._has_prompt = False
        self.token_at: list[float] = []

    def put(self, value: object) -> None:
        if self._has_prompt:
            self.token_at.append(time.perf_counter())
        self._has_prompt = True

    def end(self) -> None:
        return
