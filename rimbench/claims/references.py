"""What a claims file refers to, checked as a whole: every name it uses is in it, once, and of the right kind."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rimbench.latency.floor import GPUS
from rimbench.plugins import unknown

if TYPE_CHECKING:
    from rimbench.claims.schema import Claim, ClaimsSpec, Figure, RatioClaim

KINDS_WITH_ACCURACY = ("accuracy", "pass_at_k")


def reference_faults(spec: "ClaimsSpec") -> list[str]:
    """Every fault of that sort, each with the entry that has it."""
    figures = {figure.id: figure for figure in spec.figure}
    return [
        *_doubles(spec),
        *(fault for figure in spec.figure for fault in _figure_faults(figure, spec, figures)),
        *(fault for claim in spec.claim for fault in _claim_faults(claim, spec, figures)),
    ]


def _doubles(spec: "ClaimsSpec") -> Iterator[str]:
    ids = [entry.id for entry in (*spec.figure, *spec.claim)]
    yield from (f"id '{name}' is used {count} times" for name, count in Counter(ids).items() if count > 1)
    for kind, entries in (("system", spec.system), ("suite", spec.suite)):
        named = Counter(entry.name for entry in entries)
        yield from (f"{kind} '{name}' is described {count} times" for name, count in named.items() if count > 1)
    cells = [(f.system, f.suite, f.setting) for f in spec.figure if f.kind == "accuracy"]
    for (system, suite, _), count in Counter(cells).items():
        if count > 1:
            yield f"{count} accuracies of '{system}' on '{suite}': tell them apart by setting"


def _figure_faults(figure: "Figure", spec: "ClaimsSpec", figures: dict[str, "Figure"]) -> Iterator[str]:
    if figure.kind == "pass_at_k" and isinstance(figure.options, list) and figure.options[0] > figure.options[1]:
        yield f"{figure.id}.options: expected [least, most]"
    if figure.kind != "latency":
        return
    if figure.value.lowest <= 0:
        yield f"{figure.id}.value: {figure.value}: a time is above 0"
    devices = {*GPUS, *(device.name for device in spec.device)}
    if figure.device is not None and figure.device not in devices:
        yield f"{figure.id}: {unknown('device', figure.device, devices)}; or add it as [[device]]"
    models = {model.name for model in spec.model}
    if figure.model is not None and figure.model not in models:
        yield f"{figure.id}: {unknown('model', figure.model, models)}; or add it as [[model]]"
    if figure.one_pass is not None:
        yield from _wrong_references(figure.id, [figure.one_pass], figures, ("latency",))


def _claim_faults(claim: "Claim", spec: "ClaimsSpec", figures: dict[str, "Figure"]) -> Iterator[str]:
    match claim.kind:
        case "ratio":
            yield from _ratio_faults(claim, figures)
        case "passes":
            yield from _wrong_references(claim.id, [claim.figure, claim.one_pass], figures, ("latency",))
        case "times":
            yield from _wrong_references(claim.id, claim.figures, figures, ("latency",))
        case "restated" | "above chance":
            yield from _wrong_references(claim.id, [claim.figure], figures, KINDS_WITH_ACCURACY)
        case "stability":
            yield from _wrong_references(claim.id, claim.figures, figures, ("accuracy",))
            if claim.figures and len(claim.figures) != len(claim.settings):
                yield f"{claim.id}: {len(claim.figures)} figures for {len(claim.settings)} settings"
        case "comparison":
            pairs = [(a, b) for a in claim.systems for b in claim.against]
            yield from _absent_cells(claim.id, [*claim.systems, *claim.against], claim.suites, spec)
            yield from (f"{claim.id}: '{a}' is compared with itself" for a, b in pairs if a == b)
        case "noise":
            yield from _absent_cells(claim.id, [*claim.systems, *claim.against], [claim.suite], spec)
            if len({*claim.systems, *claim.against}) < 2:
                yield f"{claim.id}: a difference needs two systems"
        case "chance level":
            return


def _ratio_faults(claim: "RatioClaim", figures: dict[str, "Figure"]) -> Iterator[str]:
    names = [name for name in (claim.numerator, claim.denominator) if name is not None]
    if claim.value.lowest <= 0:
        yield f"{claim.id}.value: {claim.value}: a ratio is above 0"
    yield from _wrong_references(claim.id, names, figures)
    dimensions = {figures[name].value.dimension for name in names if name in figures}
    if len(dimensions) > 1:
        yield f"{claim.id}: a ratio of unlike units, {' and '.join(sorted(dimensions))}"
    if claim.denominator in figures and figures[claim.denominator].value.lowest == 0:
        yield f"{claim.id}: {claim.denominator} may be 0 as it was printed, and nothing divides by 0"


def _wrong_references(
    where: str, names: Iterable[str], figures: dict[str, "Figure"], kinds: tuple[str, ...] = ()
) -> Iterator[str]:
    for name in names:
        if name not in figures:
            yield f"{where}: {unknown('figure', name, figures)}"
        elif kinds and figures[name].kind not in kinds:
            yield f"{where}: figure '{name}' has kind '{figures[name].kind}', expected {' or '.join(kinds)}"


def _absent_cells(where: str, systems: list[str], suites: list[str], spec: "ClaimsSpec") -> Iterator[str]:
    cells = {(f.system, f.suite) for f in spec.figure if f.kind == "accuracy" and f.setting is None}
    for system in dict.fromkeys(systems):
        for suite in dict.fromkeys(suites):
            if (system, suite) not in cells:
                yield f"{where}: no accuracy of '{system}' on '{suite}' among the figures"
