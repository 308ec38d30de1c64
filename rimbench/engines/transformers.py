"""The engine on Hugging Face transformers: sdpa, bf16 on a GPU and fp32 on a CPU.

A readout is one pass over right-padded rows (`rimbench.engines._readout`), on a GPU from captured graphs; written
answers are left-padded batches of `generate`, launched eagerly.

Torch is imported when a model is opened, not when the engine is looked at.
"""

import importlib.util
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
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
    Limits,
    Request,
    chance_of,
    check_room,
)
from rimbench.engines._draws import NumberWatch, TokenDraws
from rimbench.engines._letters import read_letter
from rimbench.engines._readout import LetterReadout
from rimbench.records import KINDS, Answer, Trace

if TYPE_CHECKING:
    import torch

BATCH_SIZE = {"cpu": 16, "cuda": 64}


class TransformersEngine(Engine):
    """A causal language model of transformers that answers batches of requests."""

    auto_rank = 1
    times_tokens = True
    interventions = KINDS

    @classmethod
    def obstacle(cls) -> str | None:
        """Why this engine cannot run here, or None."""
        missing = [name for name in ("torch", "transformers") if importlib.util.find_spec(name) is None]
        return f"package {' and '.join(missing)} is not installed" if missing else None

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
        self._hf: Any = hf
        self._tokenizer: Any = checkpoints.read_tokenizer(folder)
        model = checkpoints.load_model(folder, facts.dtype, facts.attention)
        self._model: Any = model.to(facts.device).eval()
        self._stop_ids = stop_token_ids(self._model.generation_config, self._tokenizer)
        self._pad_id = self._stop_ids[0] if self._stop_ids else 0
        # A checkpoint's own sampling defaults (top_k, repetition penalty) must not leak into ours.
        own: Any = hf.GenerationConfig
        self._model.generation_config = own(eos_token_id=self._stop_ids or None, pad_token_id=self._pad_id)
        self._readout = LetterReadout(self._model, facts.device, graphs=facts.graphs == "graphs")

    def close(self) -> None:
        """Free the model."""
        del self._model, self._readout
        if self._device == "cuda":
            self._torch.cuda.empty_cache()

    def answer(self, requests: Sequence[Request], seed: int) -> Iterator[FinishedTogether]:
        """Answer requests as one batch; see `rimbench.engines.Engine`."""
        check_room(requests, self._limits)
        with self._torch.inference_mode():
            readout = requests[0].decoding.readout
            answers = self._read_out(requests) if readout else self._generate(requests, seed)
        yield list(zip(requests, answers, strict=True))

    def conditions(self, decoding: Decoding) -> Conditions:
        """Written answers are launched eagerly, readouts as it turned out; see `rimbench.engines.Engine`."""
        if not (decoding.readout and self._readout.uses_graphs):
            return Conditions("eager", 0.0)
        graphs = "graphs" if self._readout.eager_passes == 0 else "graphs and eager"
        return Conditions(graphs, self._readout.capture_s)

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
            processors += self._drawing(decoding, rows, seed)
        out = self._model.generate(
            input_ids=token_ids,
            attention_mask=mask,
            max_new_tokens=decoding.max_new_tokens,
            do_sample=False,  # a draw is made by its processor
            logits_processor=self._hf.LogitsProcessorList(processors),
            return_dict_in_generate=True,
            output_logits=requests[0].prompt.option_token_ids is not None,
            streamer=clock,
        )
        watch.check()
        written = out.sequences[:, token_ids.shape[1] :].tolist()
        answers = []
        for i, (request, _) in enumerate(rows):
            options = request.prompt.option_token_ids
            read = None
            if options is not None:
                first = out.logits[0][i].float()
                picked = dict(zip(options.values(), first[list(options.values())].tolist(), strict=True))
                read = read_letter(options, picked, vocabulary=float(first.logsumexp(-1)))
            answers.append(self._text(written[i], read, clock))
        in_order = iter(answers)
        return [list(islice(in_order, len(request.samples))) for request in requests]

    def _drawing(self, decoding: Decoding, rows: Sequence[tuple[Request, int]], seed: int) -> list[Any]:
        """What makes a step's logits the one token that each row draws, in this order."""
        chances = [chance_of(seed, request.item_id, sample) for request, sample in rows]
        within = [self._hf.TopPLogitsWarper(decoding.top_p)] if decoding.top_p < 1 else []
        return [
            self._hf.TemperatureLogitsWarper(decoding.temperature),
            *within,
            TokenDraws(self._torch, chances),
        ]

    def _text(self, row: list[int], read: Answer | None, clock: "_Clock | None") -> Answer:
        """One generated row up to and with its first stop token; what follows it is padding."""
        end = next((i for i, token in enumerate(row) if token in self._stop_ids), None)
        kept = row if end is None else row[: end + 1]
        text = self._tokenizer.decode(kept, skip_special_tokens=True)
        trace = Trace(tuple(kept), tuple(clock.token_at[: len(kept)]), cached_tokens=0) if clock else None
        if read is None:
            return Answer(text, len(kept), end is not None, trace=trace)
        return replace(read, text=text, generated_tokens=len(kept), finished=end is not None, trace=trace)

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


def stop_token_ids(generation_config: Any, tokenizer: Any) -> list[int]:
    """The tokens that end an answer: the checkpoint's own and the tokenizer's end of text."""
    configured = generation_config.eos_token_id if generation_config is not None else None
    ids = [configured] if isinstance(configured, int) else list(configured or [])
    if tokenizer.eos_token_id is not None and tokenizer.eos_token_id not in ids:
        ids.append(tokenizer.eos_token_id)
    return ids
