"""Runs that went on under a larger limit, or anew: the earlier one says nothing that the later does not."""

from collections.abc import Collection, Sequence

from rimbench.reporting.reading import RunData


def without_outgrown(runs: Sequence[RunData], but: Collection[str] = ()) -> tuple[list[RunData], list[str]]:
    """The runs that are no part of another, or are asked for by name, `but`, and a note on each that is left out.

    A run is part of a complete one that asks the same of the same weights, seed and engine, all of its items among
    more, with as many draws. One of an earlier build, whose records do not say from which tokens letters were read,
    is also part of the same run that says so.
    """
    alike: dict[tuple[str, ...], list[RunData]] = {}
    for run in runs:
        alike.setdefault(_asked(run), []).append(run)
    identities = [(run.manifest.identity, run) for run in runs if run.missing == 0]
    asked_again = {own.earlier_sha256: run for own, run in identities if own.prompts_sha256 and own.setup.prompt}
    kept, notes = [], []
    for run in runs:
        grown = next((other for other in alike[_asked(run)] if _is_part(run, other)), None)
        again = asked_again.get(run.manifest.identity.name_sha256)
        if run.manifest.run in but:
            kept.append(run)
        elif grown is not None:
            has = f"{grown.manifest.run} has its {len(run.items)} items among {len(grown.items)}"
            notes.append(f"{run.manifest.run} is left out: {has}")
        elif again is not None and again.manifest.samples >= run.manifest.samples:
            has = f"{again.manifest.run} asked the same again, and says from which tokens letters were read"
            notes.append(f"{run.manifest.run} is left out: {has}")
        else:
            kept.append(run)
    return kept, notes


def _asked(run: RunData) -> tuple[str, ...]:
    manifest = run.manifest
    return manifest.suite, manifest.system, manifest.identity.but_items_sha256


def _is_part(run: RunData, other: RunData) -> bool:
    return (
        other.missing == 0
        and len(other.items) > len(run.items)
        and other.manifest.samples >= run.manifest.samples
        and run.items.items() <= other.items.items()
    )
