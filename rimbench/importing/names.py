"""The name under which answers from elsewhere are kept: never one that an own run, or a system of rimbench, has.

Two runs of one name on one suite are taken for one system's, and only one of them is compared: an import would hide
the own run, or pass for it.
"""

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from rimbench.errors import DataError, UsageError
from rimbench.store import find_runs, read_manifest

_WORDS = ("all",)
"""What stands for something else where a system is named."""


def refuse_taken(system: str, shipped: Iterable[str], results: Path) -> None:
    """UsageError for a name that means something else, and for one that cannot be printed."""
    if not system.strip() or not system.isprintable():
        raise UsageError(f"--system {system!r}: expected a name that can be printed, such as gpt-4o-mini")
    asked = _folded(system)
    other = f"give the imported answers a name of their own, such as --system '{system.strip()} (imported)'"
    if asked in _WORDS:
        raise UsageError(f"--system {system}: the word stands for every system; {other}")
    if asked in map(_folded, shipped):
        raise UsageError(f"--system {system}: a system of rimbench has that name; {other}")
    for folder in find_runs(results) if results.is_dir() else ():
        try:
            manifest = read_manifest(folder)
        except DataError:  # a damaged run is for the report to tell
            continue
        if manifest.identity.imported is None and _folded(manifest.system) == asked:
            raise UsageError(f"--system {system}: {manifest.run} in {results} is a run of a system so named; {other}")


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).split()).casefold()
