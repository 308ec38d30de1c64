"""Which suites there are: the TOML files of rimbench and of other packages, and any file given by its path."""

import shlex
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from rimbench.errors import ConfigError, UsageError, with_lines
from rimbench.plugins import find_files, offered_files, unknown
from rimbench.suites.suite import SuiteListing

if TYPE_CHECKING:
    from rimbench.suites.schema import SuiteSpec


def folder() -> Path:
    """Where the suites lie: inside the installed package, or at the top of a checkout."""
    shipped = Path(__file__).parent / "shipped"
    return shipped if shipped.is_dir() else Path(__file__).parents[2] / "suites"


def suite_files() -> dict[str, Path]:
    """Every suite's file by name: the shipped ones, and those of other packages."""
    return find_files(folder()) | _others()


@cache
def _others() -> dict[str, Path]:
    """The TOML files in the packages that entry points of the group `rimbench.suites` name."""
    from rimbench.suites.schema import read_suite

    return offered_files("rimbench.suites", "suite", find_files(folder()), lambda path, _: read_suite(path))


def find_suite(name_or_path: str) -> Path:
    """The TOML of a suite, by name, or by path where it ends in .toml; UsageError with the nearest names."""
    if name_or_path.endswith(".toml"):
        return Path(name_or_path)
    files = suite_files()
    if name_or_path not in files:
        raise _no_suite(name_or_path)
    return files[name_or_path]


def _no_suite(named: str) -> UsageError:
    """The error for what names no suite; of a file of rows it says how a suite has it."""
    from rimbench.suites.rows import SUFFIXES

    path = Path(named)
    if named and path.is_dir():
        return UsageError(
            f"'{named}' is a folder and no suite: a file of rows in it becomes one by 'rimbench init suite'"
        )
    if path.suffix.lower() not in SUFFIXES:
        error = unknown("suite", named, suite_files())
        data_set = "/" in named and "." not in path.suffix
        hint = "a data set of the hub is named by [source] repo, revision and file in a suite's TOML file"
        return with_lines(error, [hint] if data_set else [])
    return with_lines(
        UsageError(f"'{named}' holds rows and is no suite: a suite's TOML file says what its columns are"),
        [
            f"with the columns of a shipped suite: --suite medmcqa --data {shlex.quote(named)}",
            f"with others: rimbench init suite {shlex.quote(named)}, which writes {path.with_suffix('.toml')}",
        ],
    )


@dataclass(frozen=True, slots=True)
class Role:
    """What a suite is to a report: its data set's name, whether its questions are drawn as the training data were,
    whether they are generated, and what to cite for them.
    """

    title: str
    in_distribution: bool = False
    generated: bool = False
    bibtex: str | None = None


@lru_cache(maxsize=256)
def role(name: str) -> Role:
    """What the TOML of that name which comes with rimbench says; of another suite nothing is known."""
    path = find_files(folder()).get(name)
    if path is None:
        return Role(name)
    from rimbench.suites.schema import read_suite

    spec = read_suite(path)
    generated = spec.source is not None and spec.source.generator is not None
    return Role(spec.title or name, spec.in_distribution, generated, spec.bibtex)


def listing() -> tuple[SuiteListing, ...]:
    """Every registered suite, and whether it can be loaded here; asks no network."""
    return tuple(_summary(name, path) for name, path in suite_files().items())


def _summary(name: str, path: Path) -> SuiteListing:
    from rimbench.suites.schema import read_suite

    try:
        spec = read_suite(path)
    except ConfigError as error:
        return SuiteListing(name, "", "", None, loadable=False, why=str(error))
    why = missing(spec, path)
    return SuiteListing(name, spec.description, _source(spec), spec.n, loadable=why is None, why=why)


def _source(spec: "SuiteSpec") -> str:
    source = spec.source
    if source is None:
        return "--data FILE"
    if source.generator is not None:
        return f"generated ({source.generator})"
    if source.repo is None:
        return source.path or ""
    return f"{source.repo}@{(source.revision or '')[:12]}"


def lacks(name_or_path: str) -> str | None:
    """What a suite, by name or by its file's path, lacks to be loaded without a network and without --data."""
    from rimbench.suites.schema import read_suite

    path = find_suite(name_or_path)
    return missing(read_suite(path), path)


def missing(spec: "SuiteSpec", path: Path) -> str | None:
    """What a suite lacks to be loaded without a network and without --data."""
    from rimbench.suites.hub import Dataset, is_cached

    source = spec.source
    if source is None:
        return "names no source: give --data FILE"
    if source.generator is not None:
        return None
    if source.path is not None:
        return None if (path.parent / source.path).is_file() else f"{source.path} is missing: give --data FILE"
    if source.file is None:
        return "streamed: needs the network, or --data FILE"
    if is_cached(Dataset(source.repo or "", source.revision or ""), source.file):
        return None
    return "not in the hub cache: needs the network once, or --data FILE"
