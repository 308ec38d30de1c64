"""inspect_ai: evaluation logs, `.eval` and `.json`, read through its own package (an optional extra).

The letter is read from each sample's whole completion, not taken from its score. Sample 0 is epoch 1, and later
epochs are draws. An answer that its token limit cut off, that a filter withheld, or that an error ended is told
apart. Checked with 0.3.285.
"""

import importlib
import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rimbench.errors import DataError, RimbenchError
from rimbench.importing.answers import ForeignAnswer, Reading
from rimbench.importing.reading import Glimpse
from rimbench.records import LETTERS

EXPECTS = "an .eval or .json log of inspect_ai"
_CUT_OFF = ("max_tokens", "model_length", "content_filter")
_VERDICTS = {"C": True, "I": False, "N": False}


def recognises(glimpse: Glimpse) -> bool:
    """Whether an archive, or one JSON object, is such a log."""
    return "_journal/start.json" in glimpse.entries or {"version", "status", "eval"} <= glimpse.keys


def read(path: Path) -> Reading:
    """Every sample's answer; RimbenchError where inspect_ai is not installed."""
    try:
        module: Any = importlib.import_module("inspect_ai.log")
    except ImportError as error:
        raise RimbenchError(
            f"{path} is read as a log of inspect_ai, which is not installed: pip install 'rimbench[inspect]'"
        ) from error
    try:
        log = module.read_eval_log(
            str(path), resolve_attachments="core", format=_kind(path), exclude_fields={"events", "messages", "store"}
        )
    except Exception as error:  # whatever a package raises on a file that is no log of its
        message = " ".join(str(error).split())[:300]
        raise DataError(f"{path}: inspect_ai cannot read it ({message}): expected {EXPECTS}") from error
    samples = log.samples or []
    version = importlib.metadata.version("inspect_ai")
    temperature = log.plan.config.temperature
    if temperature is None:
        temperature = log.eval.model_generate_config.temperature
    return Reading(
        tuple(map(_answer, samples)),
        "generate",
        model=str(log.eval.model),
        temperature=temperature,
        versions={"inspect_ai": version},
        notes=tuple(_notes(log, samples, temperature)),
    )


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        return "eval" if file.read(2) == b"PK" else "json"


def _answer(sample: Any) -> ForeignAnswer:
    choices = tuple(map(str, sample.choices or ()))
    stop = sample.output.stop_reason if sample.output.choices else "unknown"
    text = sample.output.completion or ""
    usage = sample.output.usage
    return ForeignAnswer(
        item_id=str(sample.id),
        sample=sample.epoch - 1,
        given="text",
        text=text,
        texts=(_input(sample.input),),
        option_lists=(choices,) if choices else (),
        gold=_gold(sample.target, choices),
        right=_verdict(sample.scores),
        finished=stop not in _CUT_OFF,
        refused=stop == "content_filter" and not text.strip(),
        failure=" ".join(sample.error.message.split())[:1000] if sample.error is not None else None,
        prompt_tokens=usage.input_tokens if usage else None,
        generated_tokens=usage.output_tokens if usage else None,
    )


def _input(given: Any) -> str:
    """The question as it was given: a text, or the messages of a conversation."""
    return given if isinstance(given, str) else "\n".join(message.text for message in given)


def _gold(target: str | Sequence[str], choices: tuple[str, ...]) -> str | None:
    texts = [target] if isinstance(target, str) else list(target)
    if len(texts) != 1:
        return None
    letter = texts[0].strip().upper()
    if len(letter) == 1 and letter in LETTERS:
        return letter
    return LETTERS[choices.index(texts[0])] if texts[0] in choices[: len(LETTERS)] else None


def _verdict(scores: Any) -> bool | None:
    """What the log's first scorer says, where it says right or wrong."""
    for score in (scores or {}).values():
        value = score.value
        if isinstance(value, str):
            return _VERDICTS.get(value)
        return bool(value) if isinstance(value, int | float) and value in (0, 1) else None
    return None


def _notes(log: Any, samples: Sequence[Any], temperature: float | None) -> list[str]:
    notes = []
    if log.status != "success":
        notes.append(f"the log's status is '{log.status}': it holds what was answered until then")
    if any(sample.epoch > 1 for sample in samples):
        notes.append("epoch 1 stands as sample 0, which is the headline's, and later epochs as draws")
    if temperature is None:
        notes.append("the log states no temperature: whether its answers are greedy is not known")
    elif temperature > 0:
        notes.append(f"sample 0 is not greedy: the log's temperature is {temperature}")
    return notes
