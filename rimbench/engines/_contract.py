"""What an engine is: the class an author writes, and the words in which it is asked and answers.

The class methods speak for an engine before a model is there; an instance is a loaded model.
`rimbench check-engine NAME` holds an engine to all that is written here.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, Self

from rimbench.records import Answer, Intervention, InterventionKind, Prompt


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """What a user may set: a `batch_size` or `dtype` of None leaves it to the engine; `eager` forbids CUDA graphs.

    `tensor_parallel` is the number of devices that one model is divided over, None where it is not.
    """

    batch_size: int | None = None
    dtype: str | None = None
    eager: bool = False
    tensor_parallel: int | None = None


UNKNOWN = "unknown"
SERVER_URL = "RIMBENCH_BASE_URL"
"""Where the environment names the server of an engine `on_server`."""


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """The settings of an engine that could change an answer; they are part of a run's name.

    `batch_size` is the number of sequences that are asked at once, None where the engine schedules by itself.
    `graphs` says how kernels are launched: `eager`, or `graphs` for captured ones where the engine can. What has a
    default is not known of answers from elsewhere. `served` is the name that a server has for its model,
    `tensor_parallel` the number of devices that one model is divided over.
    """

    name: str
    device: str
    dtype: str
    attention: str = UNKNOWN
    graphs: str = UNKNOWN
    prefix_cache: bool | None = None
    batch_size: int | None = None
    served: str | None = None
    tensor_parallel: int | None = None

    @property
    def devices(self) -> int:
        """How many devices one loaded model takes."""
        return self.tensor_parallel or 1


@dataclass(frozen=True, slots=True)
class Served:
    """A model on a server, by the name that it has there, with the server's URL and the longest sequence that it
    takes, where that is said.
    """

    name: str
    url: str
    context_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What the run needs of the engine: the longest sequence in tokens, and the seed of its draws.

    `memory_share` is the part of the memory that an engine may reserve, where several are open at once.
    """

    sequence_tokens: int
    seed: int
    memory_share: float = 1.0


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a request is answered.

    `readout`: one forward pass, the option letters' log-probabilities, no generated token. Otherwise at most
    `max_new_tokens` are generated: greedily at temperature 0, else drawn from softmax(logits / temperature)
    within `top_p`. `traced` asks for each answer's trace, which timing needs and nothing else.
    """

    readout: bool
    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    traced: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt to be answered once (`samples == (0,)`, greedy) or once for each drawn sample.

    `intervention` says what is done to its memory; the prompt has it where tokens alone are changed.
    """

    item_id: str
    prompt: Prompt
    samples: tuple[int, ...]
    decoding: Decoding
    intervention: Intervention | None = None


FinishedTogether = list[tuple[Request, list[Answer]]]
"""Requests that were finished together, each with one answer for each of its samples."""


class Gathering:
    """Answers to single samples, which come in any order, until a request has all of its own."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self._requests = requests
        self._made: list[dict[int, Answer]] = [{} for _ in requests]
        self.asked = [(place, sample) for place, request in enumerate(requests) for sample in request.samples]
        """Every sample, by its request's place."""

    def take(self, place: int, sample: int, answer: Answer) -> FinishedTogether:
        """Take one answer: its request with all of them where it was the last, else nothing."""
        request, made = self._requests[place], self._made[place]
        made[sample] = answer
        return [(request, [made[i] for i in request.samples])] if len(made) == len(request.samples) else []


def chance_of(seed: int, item_id: str, sample: int) -> random.Random:
    """Where the draw of one sample of an item gets its chance from, the same on every machine and in every order."""
    return random.Random(f"{seed}:{item_id}:{sample}")


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a decoding really runs: its kernels launched `eager` or from `graphs`, the seconds spent on compiling and
    capturing so far, and whose arithmetic it is, where an engine has several (None: it has one).
    """

    graphs: str
    compile_s: float
    path: str | None = None


class Answering(AbstractContextManager["Answering"], Protocol):
    """All that a run needs of what it asks; leaving its context frees it."""

    def answer(self, requests: Sequence[Request], seed: int) -> Iterator[FinishedTogether]:
        """As `Engine.answer`."""
        ...


class AnsweringInTime(Answering, Protocol):
    """The same of what is timed."""

    def conditions(self, decoding: Decoding) -> Conditions | None:
        """As `Engine.conditions`."""
        ...


class Engine(ABC):
    """A loaded model that answers requests. Leaving its context closes it."""

    auto_rank: ClassVar[int] = 0
    """`--engine auto` takes the shipped engine of the highest rank that can run; 0: only where it is named."""
    times_tokens: ClassVar[bool] = False
    """Whether the trace of a written answer says when each token came."""
    reserves: ClassVar[bool] = False
    """Whether it reserves memory for the longest sequence, which then has to be known before it is opened."""
    shares_prompts: ClassVar[bool] = False
    """Whether it computes an item's prompt once for the greedy answer and the draws that are asked together: a run
    then asks many items at once, each with all that it lacks, so that `answer` meets several decodings that write."""
    interventions: ClassVar[tuple[InterventionKind, ...]] = ("filler",)
    """What `rimbench ablate` can do to a memory: an engine is given tokens, which is all that a filler changes. The
    others need the mask and the projections of transformers' own model."""
    runs_model: ClassVar[bool] = True
    """Whether answers come from the weights in the folder: not those of a script."""
    on_server: ClassVar[bool] = False
    """Whether the model lies on a server: of the folder no more than the tokenizer is needed, or nothing."""

    @classmethod
    @abstractmethod
    def obstacle(cls) -> str | None:
        """Why it cannot run here, in words that say what to install or change; None where it can.

        Cheap, and importing nothing heavy: listings ask every engine.
        """

    @classmethod
    @abstractmethod
    def describe(cls, choice: EngineChoice) -> EngineFacts:
        """The settings that a model would be opened with: what is chosen, and the engine's own where it is left open.

        They are part of a run's name: the same choice on the same machine gives equal facts, and two settings that
        could answer otherwise give others. `name` is the name that the engine is found under.
        """

    @classmethod
    def served(cls, names: Sequence[str], folder: Path | None) -> Served:
        """Of an engine `on_server`: the model there that goes by one of the names, and is what the folder holds."""
        raise NotImplementedError(f"{cls.__name__} loads its models itself")

    @abstractmethod
    def __init__(self, folder: Path, facts: EngineFacts, limits: Limits) -> None:
        """Load the weights of a checkpoint folder in Hugging Face's layout, with the settings of `facts`.

        Weights are safetensors, and no code of the checkpoint is run. ModelError where the folder cannot be loaded.
        """

    @abstractmethod
    def answer(self, requests: Sequence[Request], seed: int) -> Iterator[FinishedTogether]:
        """Answer requests that share one decoding (but see `shares_prompts`), group by group as they are finished.

        Every request comes back once, itself, with one answer for each of its samples, in their order. The model is
        given the prompt's token ids and nothing else: none added, none left out.

        What is drawn for a sample depends on the seed, the item and the sample's number alone (`chance_of`), whatever
        else is asked with it, but for rounding: kernels may add up in another order in another batch. The same
        requests and seed give the same answers wherever the engine's kernels are deterministic.

        A readout's text is the best letter, the first of equals, of 0 generated tokens. A written answer is decoded
        without special tokens; `generated_tokens` counts the end token, `finished` says whether there is one. Where
        the prompt has `option_token_ids`, both have the letters' log-probabilities at the first position after the
        prompt, and the share of the whole vocabulary that they hold.

        A request that is longer than `Limits.sequence_tokens`, its new tokens included (1 for a readout), raises
        ValueError: it is never cut. Whatever an item or a batch makes the engine raise is met by asking again in
        halves, so that it must be able to go on; a RimbenchError ends the run. An answer with a `failure` is that of
        one sample alone, which is not asked again before the end.
        """

    def conditions(self, decoding: Decoding) -> Conditions | None:
        """How requests of that decoding have been run so far; None where the engine cannot tell."""
        return None

    @abstractmethod
    def close(self) -> None:
        """Free the model and its memory. Nothing is asked after it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check_room(requests: Sequence[Request], limits: Limits) -> None:
    """ValueError for the first request that is longer than the longest sequence."""
    for request in requests:
        new = 1 if request.decoding.readout else request.decoding.max_new_tokens
        needed = len(request.prompt.token_ids) + new
        if needed > limits.sequence_tokens:
            raise ValueError(
                f"item '{request.item_id}' needs {needed} tokens with its answer, expected at most "
                f"{limits.sequence_tokens}"
            )
