"""A name -> the one file or module of that name, with the nearest names where there is none.

Suites, systems and recipes are TOML files, engines are modules: dropping one into its folder registers it.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from rimbench.errors import UsageError


def find_files(folder: Path, suffix: str = ".toml") -> dict[str, Path]:
    """Every file of that suffix in the folder, by its stem, in alphabetical order."""
    return {path.stem: path for path in sorted(folder.glob(f"*{suffix}"))}


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
