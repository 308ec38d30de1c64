"""A name -> the one file or module of that name, with the nearest names where there is none.

Suites, systems and recipes are TOML files, engines are modules: dropping one into its folder registers it. Other
packages register theirs with entry points, which never stand in for what is shipped; one that cannot be used is said
in a line on stderr and left out.
"""

import contextlib
import difflib
import importlib
import logging
import pkgutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Generic, TypeVar

from rimbench.errors import RimbenchError, UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints

T = TypeVar("T")
_log = logging.getLogger(__name__)


def find_files(folder: Path) -> dict[str, Path]:
    """Every TOML file in the folder, by its stem, in alphabetical order."""
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


SHIPPED = "shipped"
"""Said of a file that came with rimbench, where another is said by its own name."""


def whose(path: Path, folder: Path) -> str:
    """`shipped` for a file of the folder that came with rimbench; the name of a user's own, which may be the same."""
    return SHIPPED if path.resolve().parent == folder.resolve() else path.name


def find_modules(package: ModuleType) -> list[str]:
    """The names of the modules in a package, without importing them."""
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_"))


def load_module(package: ModuleType, name: str, kind: str) -> ModuleType:
    """Import the module of that name from the package; UsageError, naming its neighbours, if there is none."""
    if name not in find_modules(package):
        raise unknown(kind, name, find_modules(package))
    return importlib.import_module(f"{package.__name__}.{name}")


def unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that is not registered: what was asked, the nearest names, all names."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return UsageError(f"unknown {kind} '{name}': {hint}known: {', '.join(names) or 'none'}")


@dataclass(frozen=True, slots=True)
class Offered(Generic[T]):
    """What another package registers, and the package's name and version."""

    owner: str
    value: T


def entry_points(group: str) -> "EntryPoints":
    """What other packages register in a group."""
    from importlib import metadata  # slow to import

    return metadata.entry_points(group=group)


def offered(group: str, kind: str, taken: Iterable[str]) -> dict[str, Offered[object]]:
    """What the entry points of a group load to, by their names; those that rimbench itself has are refused."""
    points = [(point.name, Offered(_owner(point), point)) for point in entry_points(group)]
    loaded = {}
    for name, point in _free(kind, points, taken).items():
        value = _load(kind, point.value)
        if value is not None:
            loaded[name] = Offered(point.owner, value)
    return loaded


def offered_files(
    group: str, kind: str, taken: Iterable[str], read: Callable[[Path, Mapping[str, Path]], object]
) -> dict[str, Path]:
    """The TOML files in the packages that the entry points of a group name, by their stems.

    `read` is given each file and all of them, which one may name, and raises a RimbenchError for a faulty one. The
    entry points' own names mean nothing.
    """
    found = []
    for point in entry_points(group):
        package, owner = _load(kind, point), _owner(point)
        folders = getattr(package, "__path__", None)
        files = [path for folder in folders or () for path in find_files(Path(folder)).values()]
        if package is not None and not files:
            say(f"{kind}s", point.name, owner, f"expected {point.value} to be a package that holds *.toml files")
        found += [(path.stem, Offered(owner, path)) for path in files]
    usable, free = {}, _free(kind, found, taken)
    every = {name: file.value for name, file in free.items()}
    for name, file in free.items():
        try:
            read(file.value, every)
        except RimbenchError as error:
            say(kind, name, file.owner, str(error))
        else:
            usable[name] = file.value
    return usable


def say(kind: str, name: str, owner: str, why: str) -> None:
    """Say in one line on stderr that something of another package is left out."""
    _log.warning("rimbench: %s '%s' of package %s is left out: %s", kind, name, owner, " ".join(why.split())[:400])


def _owner(point: "EntryPoint") -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _load(kind: str, point: "EntryPoint") -> object:
    """What an entry point names; None, and a word, where it cannot be imported."""
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for results
            loaded: object = point.load()
    except (Exception, SystemExit) as error:  # whatever a stranger's module does when it is imported
        say(kind, point.name, _owner(point), f"{point.value} cannot be imported ({type(error).__name__}: {error})")
        return None
    return loaded


def _free(kind: str, found: Iterable[tuple[str, Offered[T]]], taken: Iterable[str]) -> dict[str, Offered[T]]:
    """Those whose name nobody else has: of two packages with one name, neither is taken for the other."""
    by_name: dict[str, list[Offered[T]]] = {}
    for name, one in found:
        by_name.setdefault(name, []).append(one)
    free, shipped = {}, set(taken)
    for name, (first, *more) in by_name.items():
        if name in shipped or more:
            others = ", ".join(other.owner for other in more)
            for one in (first, *more):
                also = "rimbench itself has" if name in shipped else f"{others if one is first else first.owner} has"
                say(kind, name, one.owner, f"{also} one of that name")
        else:
            free[name] = first
    return free
