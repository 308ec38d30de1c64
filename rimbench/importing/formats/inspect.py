"""inspect_ai: evaluation logs, `.eval` and `.json`, read through its own package (an optional extra).

The letter is read from each sample's whole completion, not taken from its score. Several epochs are draws 1, 2, ...
An answer that its token limit cut off, that a filter withheld, or that an error ended is told apart. Checked with
0.3.285.

Where the solver shuffles the options, the log keeps them as they were, and writes the answers that it could parse in
their letters ("ANSWER: B" and nothing else); a text that it could not parse stays in the shuffled letters. The
shuffled order stands in the explanation of the score alone: without it no letter is taken from such a text.
"""

import importlib
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rimbench.errors import DataError, RimbenchError
from rimbench.files.strict_json import is_deep, say_deep
from rimbench.importing.answers import AnswerFile, ForeignAnswer, Sampling, as_draws, figures_of, listed
from rimbench.importing.reading import Glimpse, check_score
from rimbench.importing.stated import CUT_OFF, stated_sampling, unlike, verdict
from rimbench.records import LETTERS

EXPECTS = ".eval or .json log"
_VERDICTS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_SHUFFLED = "Choices were shuffled before generating a response, the following was sent to the model:\n\n"
_BEHIND = "\nShuffled answer:\n"
_REWRITTEN = re.compile(r"ANSWER: [A-Z\d]+(?:, [A-Z\d]+)*")


def recognises(glimpse: Glimpse) -> bool:
    """Whether an archive, or one JSON object, is such a log."""
    return "_journal/start.json" in glimpse.entries or {"version", "status", "eval"} <= glimpse.keys


def source(glimpse: Glimpse) -> Path:
    """The log itself."""
    return glimpse.path


def read(glimpse: Glimpse, score: str | None) -> AnswerFile:
    """Every sample's answer; RimbenchError where inspect_ai is not installed."""
    path = glimpse.path
    try:
        module: Any = importlib.import_module("inspect_ai.log")
    except ImportError as error:
        raise RimbenchError(
            f"{path} is read as a log of inspect_ai, which is not installed: pip install 'rimbench[inspect]'"
        ) from error
    try:
        _refuse_deep(path)
        log = module.read_eval_log(
            str(path), resolve_attachments="core", format=_kind(path), exclude_fields={"events", "messages", "store"}
        )
    except Exception as error:  # whatever a package raises on a file that is no log of its
        message = " ".join(str(error).split())[:300]
        raise DataError(
            f"{path}: inspect_ai cannot read it ({message}): expected an {EXPECTS} of inspect_ai"
        ) from error
    samples = log.samples or []
    below = [str(sample.id) for sample in samples if sample.epoch < 1]
    if below:
        raise DataError(f"{path}: samples {listed(below)} are of an epoch below 1: expected epochs 1, 2, ...")
    scorers = list(dict.fromkeys(name for sample in samples for name in sample.scores or {}))
    check_score(score, scorers, path)
    score = score or next(iter(scorers), None)
    sampling = _sampling(log)
    answers = [_answer(sample, score, shuffles=_shuffles(log)) for sample in samples]
    scores = ((name, str(s.id), _verdict((s.scores or {}).get(name))) for name in scorers for s in samples)
    figures = figures_of((name, item_id, value) for name, item_id, value in scores if value is not None)
    return AnswerFile(
        as_draws(answers, (sampling.temperature or 0) > 0),
        "generate",
        model=str(log.eval.model),
        sampling=sampling,
        versions=dict(log.eval.packages or {}),
        score=score,
        figures=figures,
        notes=tuple(_notes(log, figures)),
    )


def _refuse_deep(path: Path) -> None:
    """ValueError for a log, or an entry of one, nested as deep as no log is: reading it may take all the memory.

    The package has been imported by then, which teaches `zipfile` the compression of its archives.
    """
    if _kind(path) == "json":
        if is_deep(path.read_bytes()):
            raise ValueError(f"it is {say_deep()}")
        return
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if is_deep(archive.read(entry)):
                raise ValueError(f"its entry {entry.filename} is {say_deep()}")


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        return "eval" if file.read(2) == b"PK" else "json"


def _sampling(log: Any) -> Sampling:
    """The plan's settings, and where it has none, the model's."""
    plan, model = log.plan.config.model_dump(), log.eval.model_generate_config.model_dump()
    settings = model | {key: value for key, value in plan.items() if value is not None}
    return stated_sampling(settings.get("temperature"), settings.get("top_p"), settings.get("max_tokens"))


def _shuffles(log: Any) -> bool:
    """Whether a solver of the plan shuffles the options."""
    return any((step.params or {}).get("shuffle") for step in log.plan.steps)


def _answer(sample: Any, score: str | None, *, shuffles: bool) -> ForeignAnswer:
    choices = tuple(map(str, sample.choices or ()))
    stop = sample.output.stop_reason if sample.output.choices else "unknown"
    text = sample.output.completion or ""
    usage = sample.output.usage
    order = _order(sample, choices, text, shuffles=shuffles)
    shown = choices if order is None else order
    gold = _gold(sample.target, choices)
    if gold is not None and shown != choices:
        gold = LETTERS[shown.index(choices[LETTERS.index(gold)])]
    return ForeignAnswer(
        item_id=str(sample.id),
        sample=sample.epoch - 1,
        given="text" if order is not None else "letter",
        text=text,
        texts=(_input(sample.input),),
        option_lists=(shown,) if shown else (),
        gold=gold,
        score=None if sample.error is not None else _verdict((sample.scores or {}).get(score)),
        order_known=order is not None,
        finished=stop not in CUT_OFF and sample.limit is None,
        refused=stop == "content_filter" and not text.strip(),
        failure=_failure(sample.error),
        prompt_tokens=usage.input_tokens if usage else None,
        generated_tokens=usage.output_tokens if usage else None,
    )


def _failure(error: Any) -> str | None:
    return None if error is None else " ".join(str(error.message).split())[:1000] or "an error without a message"


def _order(sample: Any, choices: tuple[str, ...], text: str, *, shuffles: bool) -> tuple[str, ...] | None:
    """The options in the order that the letters of a text mean; None where the log does not tell it."""
    scores = sample.scores or {}
    told = [found for found in scores.values() if _SHUFFLED in (found.explanation or "")]
    if not told:
        as_stated = not shuffles or "choice" in scores or _REWRITTEN.fullmatch(text.strip())
        return choices if as_stated else None
    if told[0].answer and text.strip() == f"ANSWER: {told[0].answer}":
        return choices
    if len(choices) > len(LETTERS):
        return None
    block = told[0].explanation.partition(_SHUFFLED)[2].rpartition(_BEHIND)[0]
    return _ordered(block, choices)


def _ordered(block: str, choices: tuple[str, ...], place: int = 0) -> tuple[str, ...] | None:
    """The choices as "A) first\\nB) second" lists them, whatever lines they hold; None for any other block."""
    if not choices:
        return () if not block else None
    for choice in dict.fromkeys(choices):
        line = f"{chr(ord('A') + place)}) {choice}"
        if block == line or block.startswith(f"{line}\n"):
            others = list(choices)
            others.remove(choice)
            rest = _ordered(block[len(line) + 1 :], tuple(others), place + 1)
            if rest is not None:
                return (choice, *rest)
    return None


def _input(given: Any) -> str:
    """The question as it was given: a text, or the messages of a conversation."""
    return given if isinstance(given, str) else "\n".join(message.text for message in given)


def _gold(target: str | Sequence[str], choices: tuple[str, ...]) -> str | None:
    texts = [target] if isinstance(target, str) else list(target)
    if len(texts) != 1:
        return None
    letter = texts[0].strip().upper()
    if len(letter) == 1 and letter in LETTERS[: len(choices) or None]:
        return letter
    return LETTERS[choices.index(texts[0])] if texts[0] in choices[: len(LETTERS)] else None


def _verdict(score: Any) -> float | None:
    """What a score comes to, where it says how far an answer is right."""
    value = None if score is None else score.value
    return _VERDICTS.get(value) if isinstance(value, str) else verdict(value)


def _notes(log: Any, figures: Mapping[str, tuple[float, int]]) -> list[str]:
    notes = []
    if log.status != "success":
        notes.append(f"the log's status is '{log.status}': it holds what was answered until then")
    for result in log.results.scores if log.results else ():
        total = result.metrics.get("accuracy")
        if total is not None and result.reducer in (None, "mean"):
            notes += unlike("the log", f"accuracy by {result.name}", total.value, figures.get(result.name))
    return notes
