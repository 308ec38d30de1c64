"""HELM: `scenario_state.json`, which suffices alone: its requests hold instance, options, gold and completion.

Asked jointly, `output_mapping` says which option each letter means; asked for each option apart, `reference_index` is
the option, and the answer that with the best log-probability: of the option's own tokens, the mean of them
("original") or what they gain on the option alone ("calibrated"). Which tokens those are depends on HELM's tokenizer:
where `per_instance_stats.json` lies beside, its `predicted_index` is the answer. The gold is the reference tagged
"correct". HELM takes a completion that is one of the mapping's letters and nothing else: a lower-case letter is none.
Its totals are stated by split. Checked with 0.5.16.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from rimbench.importing.answers import AnswerFile, ForeignAnswer, Sampling, as_draws, figures_of, listed, occurrences
from rimbench.importing.reading import Glimpse, beside, check_score
from rimbench.importing.rows import validated
from rimbench.importing.stated import CUT_OFF, mapping, stated_sampling, unlike
from rimbench.records import LETTERS

EXPECTS = "scenario_state.json"
_SCORE = "exact_match"
_LOWER = tuple(LETTERS.lower())


class _Text(BaseModel):
    text: str


class _Reference(BaseModel):
    output: _Text
    tags: list[str] = []


class _Instance(BaseModel):
    id: str
    input: _Text
    references: list[_Reference] = Field(min_length=2, max_length=len(LETTERS))
    split: str | None = None
    perturbation: dict[str, Any] | None = None


class _Token(BaseModel):
    text: str
    logprob: float


class _Ending(BaseModel):
    reason: str | None = None


class _Completion(BaseModel):
    text: str
    tokens: list[_Token] = []
    finish_reason: _Ending | None = None


class _Result(BaseModel):
    success: bool
    completions: list[_Completion] = []
    error: str | None = None


class _State(BaseModel):
    instance: _Instance
    result: _Result
    train_trial_index: int = 0
    output_mapping: dict[str, str] | None = None
    reference_index: int | None = Field(default=None, ge=0)
    request_mode: str | None = None

    @property
    def logprobs(self) -> list[float]:
        """Log-probabilities of the option's tokens, which end the completion."""
        assert self.reference_index is not None
        option = "".join(self.instance.references[self.reference_index].output.text.split())
        length, found = 0, list[float]()
        for token in reversed(self.result.completions[0].tokens if self.result.completions else []):
            if length >= len(option):
                break
            length += len("".join(token.text.split()))
            found.append(token.logprob)
        return found


def recognises(glimpse: Glimpse) -> bool:
    """Whether the object holds requests."""
    return {"adapter_spec", "request_states"} <= glimpse.keys


def source(glimpse: Glimpse) -> Path:
    """The file itself."""
    return glimpse.path


def read(glimpse: Glimpse, score: str | None) -> AnswerFile:
    """Every instance's answer; several trials or completions are draws 1, 2, ..."""
    path, document = glimpse.path, glimpse.document
    check_score(score, (_SCORE,), path)
    rows = document.get("request_states")
    rows = rows if isinstance(rows, list) else [rows]
    states = validated(path, ((f"request {i}", row) for i, row in enumerate(rows, start=1)), _State)
    asked = [state for state in states if not state.instance.perturbation]
    apart = any(state.reference_index is not None for state in asked)
    answers = _apart(asked, _predicted(path)) if apart else _jointly(asked)
    spec = mapping(document.get("adapter_spec"))
    sampling = Sampling() if apart else stated_sampling(spec.get("temperature"), None, spec.get("max_tokens"))
    return AnswerFile(
        as_draws(answers, (sampling.temperature or 0) > 0),
        "likelihood" if apart else "generate",
        model=spec.get("model") if isinstance(spec.get("model"), str) else None,
        sampling=sampling,
        score=_SCORE,
        figures=figures_of((_SCORE, a.item_id, a.score) for a in answers if a.score is not None),
        notes=(
            *_notes(answers, len(states) - len(asked), apart),
            *_printed(path, answers, {state.instance.id: state.instance.split for state in asked}),
        ),
    )


def _common(instance: _Instance, options: Sequence[str]) -> dict[str, Any]:
    golds = {reference.output.text for reference in instance.references if "correct" in reference.tags}
    right = [LETTERS[place] for place, text in enumerate(options) if text in golds]
    return {
        "item_id": instance.id,
        "texts": (instance.input.text,),
        "option_lists": (tuple(options),),
        "gold": right[0] if len(right) == 1 else None,
    }


def _jointly(states: Sequence[_State]) -> list[ForeignAnswer]:
    answers = []
    said = [
        (state, completion) for state in states for completion in state.result.completions or [_Completion(text="")]
    ]
    samples = occurrences(state.instance.id for state, _ in said)
    for (state, completion), sample in zip(said, samples, strict=True):
        options = state.output_mapping or {LETTERS[i]: r.output.text for i, r in enumerate(state.instance.references)}
        common = _common(state.instance, [options[letter] for letter in sorted(options)])
        taken = completion.text.strip() if completion.text.strip() in options else ""
        ended = completion.finish_reason.reason if completion.finish_reason else None
        failed = not state.result.success or not state.result.completions
        answers.append(
            ForeignAnswer(
                sample=sample,
                given="text",
                text=completion.text,
                score=None if failed or common["gold"] is None else float(taken == common["gold"]),
                taken=taken,
                finished=ended not in CUT_OFF,
                failure=(state.result.error or "the request failed") if failed else None,
                generated_tokens=len(completion.tokens) or None,
                **common,
            )
        )
    return answers


def _apart(states: Sequence[_State], predicted: Mapping[tuple[str, int], int]) -> list[ForeignAnswer]:
    groups: dict[tuple[str, int], list[_State]] = {}
    for state in states:
        groups.setdefault((state.instance.id, state.train_trial_index), []).append(state)
    answers = []
    for (item_id, trial), group in groups.items():
        instance = group[0].instance
        common = _common(instance, [reference.output.text for reference in instance.references])
        values = _values(group)
        failed = len(values) < len(instance.references)
        chosen = predicted.get((item_id, trial), len(LETTERS))
        own = LETTERS[chosen] if chosen < len(instance.references) else None
        best = [own] if own else [letter for letter, value in values.items() if value == max(values.values())]
        answers.append(
            ForeignAnswer(
                sample=trial,
                given="letter" if own else "logprobs",
                letter=own,
                logprobs=None if own else values,
                score=None if failed or common["gold"] is None else (common["gold"] in best) / len(best),
                taken=best[0] if best else "",
                failure="not every option was asked, or a request failed" if failed else None,
                generated_tokens=0,
                **common,
            )
        )
    return answers


def _predicted(path: Path) -> dict[tuple[str, int], int]:
    """By instance and trial, the option that HELM itself took, where its statistics lie beside."""
    rows = beside(path.with_name("per_instance_stats.json"))
    found: dict[tuple[str, int], int] = {}
    for row in map(mapping, rows if isinstance(rows, list) else ()):
        stats, trial = row.get("stats"), row.get("train_trial_index")
        if not isinstance(stats, list) or not isinstance(trial, int) or row.get("perturbation"):
            continue
        for stat in map(mapping, stats):
            place = stat.get("mean")
            named = mapping(stat.get("name")).get("name") == "predicted_index"
            if named and isinstance(place, int | float) and place in range(len(LETTERS)):
                found[str(row.get("instance_id")), trial] = int(place)
    return found


def _values(group: Sequence[_State]) -> dict[str, float]:
    """By letter, what the options are compared by."""
    found = {
        (state.reference_index, state.request_mode): logprobs
        for state in group
        if state.reference_index is not None and state.reference_index < len(state.instance.references)
        if state.result.success and (logprobs := state.logprobs)
    }
    calibrated = any(mode == "calibration" for _, mode in found)
    values = {}
    for (place, mode), logprobs in found.items():
        alone = found.get((place, "calibration"))
        if mode != "calibration" and place is not None and not (calibrated and alone is None):
            values[LETTERS[place]] = sum(logprobs) - sum(alone) if alone else sum(logprobs) / len(logprobs)
    return dict(sorted(values.items()))


def _notes(answers: Sequence[ForeignAnswer], perturbed: int, apart: bool) -> list[str]:
    notes = []
    lower = [a.item_id for a in answers if a.given == "text" and a.text.strip() in _LOWER]
    if lower:
        notes.append(f"a lower-case letter is no answer to HELM, and is one here: {len(lower)} ({listed(lower, 5)})")
    if perturbed:
        notes.append(f"requests of perturbed instances, which were left out: {perturbed}")
    if apart:
        stated = (
            "the option that HELM states"
            if all(a.letter for a in answers)
            else "the option whose own tokens are best"
        )
        notes.append(f"the answer is {stated}")
    return notes


def _printed(path: Path, answers: Sequence[ForeignAnswer], splits: Mapping[str, str | None]) -> list[str]:
    """Notes where the `stats.json` beside it states another mean, of a split or of all instances."""
    stats = beside(path.with_name("stats.json"))
    scores = [(answer.item_id, answer.score) for answer in answers if answer.score is not None]
    notes = []
    for stat in map(mapping, stats if isinstance(stats, list) else ()):
        name = mapping(stat.get("name"))
        if name.get("name") == _SCORE and not (name.get("perturbation") or name.get("sub_split")):
            split = name.get("split")
            own = figures_of((_SCORE, i, score) for i, score in scores if split in (None, splits.get(i)))
            metric = f"{_SCORE} of split {split}" if split else _SCORE
            notes += unlike("stats.json", metric, stat.get("mean"), own.get(_SCORE))
    return notes
