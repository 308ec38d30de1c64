"""Which claims files there are: those that come with rimbench, and any file given by its path."""

import shlex
from collections.abc import Iterable
from pathlib import Path

from rimbench.errors import UsageError, with_lines
from rimbench.plugins import find_files, unknown
from rimbench.suites.rows import SUFFIXES


def claims_folder() -> Path:
    """Where they lie: inside the installed package, or in the results of a checkout."""
    shipped = Path(__file__).parent / "published"
    return shipped if shipped.is_dir() else Path(__file__).parents[2] / "results" / "published"


def find_claims(name_or_path: str) -> Path:
    """The claims file, by name, or by path where it ends in .toml; UsageError with the nearest names."""
    if name_or_path.endswith(".toml"):
        return Path(name_or_path)
    known = find_files(claims_folder())
    if name_or_path not in known:
        raise _no_claims(name_or_path, known)
    return known[name_or_path]


def _no_claims(named: str, known: Iterable[str]) -> UsageError:
    """The error for what names no claims file; of answers or runs it says what they are held against."""
    path, given = Path(named), shlex.quote(named)
    if path.suffix.lower() in SUFFIXES:
        lines = [f"answers are taken in by: rimbench import {given} --system NAME --suite NAME"]
    elif named and path.is_dir():
        lines = [f"runs are held against claims by: rimbench audit rim-card --results {given}"]
    else:
        return unknown("claims file", named, known)
    message = f"'{named}' is no claims file: expected a TOML file of published figures and claims, or a name"
    return with_lines(UsageError(f"{message}: {', '.join(sorted(known))}"), lines)
