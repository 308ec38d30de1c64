"""Runs that went on under a larger limit: the smaller one says nothing that the larger one does not."""

from collections.abc import Collection, Sequence

from rimbench.reporting.reading import RunData


def without_outgrown(runs: Sequence[RunData], but: Collection[str] = ()) -> tuple[list[RunData], list[str]]:
    """The runs that are no part of another, or are asked for by name, `but`, and a note on each that is left out.

    A run is part of a complete one that asks the same of the same weights, seed and engine, all of its items among
    more, with as many draws.
    """
    alike: dict[tuple[str, ...], list[RunData]] = {}
    for run in runs:
        alike.setdefault(_asked(run), []).append(run)
    kept, notes = [], []
    for run in runs:
        grown = next((other for other in alike[_asked(run)] if _is_part(run, other)), None)
        if grown is None or run.manifest.run in but:
            kept.append(run)
        else:
            has = f"{grown.manifest.run} has its {len(run.items)} items among {len(grown.items)}"
            notes.append(f"{run.manifest.run} is left out: {has}")
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
