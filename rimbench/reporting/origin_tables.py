"""Tables of where each number comes from: the run, its model and items, and what made its answers."""

from collections.abc import Sequence

from rimbench.display.tabular import Table
from rimbench.reporting.document import CellResult
from rimbench.reporting.variants import Origin

HASH = 10
"""The digits of a hash that are shown."""


def origin_table(cells: Sequence[CellResult]) -> Table:
    """Each run with its model and its items; what made it stands under the number of the next table."""
    makings = _makings(cells)
    rows = []
    for cell in cells:
        origin = cell.origin
        revision = origin.model.get("revision") or origin.weights_sha256 or "-"
        rows.append(
            (
                cell.run,
                cell.label,
                f"{origin.model['source']} {revision[:HASH]}",
                origin.content_sha256[:HASH],
                origin.started_at[: len("2026-01-01T00:00")].replace("T", " "),
                str(1 + makings.index(_making(origin))),
            )
        )
    return Table(
        "Where the answers come from",
        ("run", "shown as", "model", "items", "started, UTC", "made by"),
        tuple(rows),
        f"Model and items: the first {HASH} digits of their hashes.",
        ("started, UTC", "shown as"),
    )


def making_table(cells: Sequence[CellResult]) -> Table:
    """Engine, device, versions and commit, once for all runs that have them in common."""
    return Table(
        "What made them",
        ("made by", "engine", "device", "commit", "versions"),
        tuple((str(number), *making) for number, making in enumerate(_makings(cells), 1)),
    )


def _makings(cells: Sequence[CellResult]) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(_making(cell.origin) for cell in cells))


def _making(origin: Origin) -> tuple[str, ...]:
    engine = origin.engine
    return (
        f"{engine['name']}, {engine['dtype']}",
        machine_of(origin),
        (origin.commit or "-")[:HASH] + (" (changed)" if origin.dirty else ""),
        ", ".join(f"{name} {version}" for name, version in origin.versions.items()) or "-",
    )


def machine_of(origin: Origin) -> str:
    """What the answers were worked out on."""
    device = origin.device
    machine = (device.get("gpu"), device.get("kind"), device.get("machine"))
    return ", ".join(str(part) for part in machine if part) or str(origin.engine["device"])
