"""The memory that is free: a GPU's, or what the machine has left and the process's control groups let it take."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

MACHINE, OWN_GROUPS = Path("/proc/meminfo"), Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")


def free_bytes(torch: Any, device: str) -> int | None:
    """The memory that is free on the device; None where the system does not tell."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    if not MACHINE.is_file():
        return None
    lines = (line.split() for line in MACHINE.read_text().splitlines())
    machine = (int(line[1]) * 1024 for line in lines if line[0] == "MemAvailable:")
    return min((*machine, *_free_in_groups()), default=None)


def _free_in_groups() -> Iterator[int]:
    """What a container or a batch system leaves this process, by groups of Linux' second version and its first."""
    for line in OWN_GROUPS.read_text().splitlines() if OWN_GROUPS.is_file() else []:
        _, kinds, name = line.split(":", 2)
        if not kinds:
            root, most, taken = GROUPS, "memory.max", "memory.current"
        elif "memory" in kinds.split(","):
            root, most, taken = GROUPS / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        group = root / name.lstrip("/")  # in a container it may not be there, and the root is the container's own
        for at in (group, *group.parents):
            limit = _first_word(at / most)
            if limit.isdigit():  # or "max"
                free = int(limit) - int(_first_word(at / taken) or 0)
                yield max(0, free + _unused_pages(at / "memory.stat"))
            if at == root:
                break


def _unused_pages(stat: Path) -> int:
    """Pages of files that are given up first, and counted as taken."""
    try:
        lines = [line.split() for line in stat.read_text().splitlines()]
    except OSError:
        return 0
    found = {line[0]: int(line[1]) for line in lines}
    return found.get("total_inactive_file", found.get("inactive_file", 0))


def _first_word(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
