"""What disturbs a measurement, and the memory it takes: read from the system where it tells, else None."""

import contextlib
import ctypes
import functools
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# NVML's reasons for a lowered clock: power cap, hardware slowdown, thermal slowdown by software and hardware, brake.
LOWERED = 0x4 | 0x8 | 0x20 | 0x40 | 0x80
STEAL = 8
"""The place of stolen time on /proc/stat's first line, after the word cpu."""
POWERCAP = Path("/sys/class/powercap")
ENERGY_S = 1.0
"""Of calls whose energy is counted together: a GPU's counter moves every tenth of a second."""


@dataclass(frozen=True, slots=True)
class CounterReading:
    """The machine at one moment: load average, processor ticks stolen and in all, clocks lowered so far."""

    load: float | None
    stolen: int
    ticks: int
    throttled: int | None

    def stolen_since(self, before: "CounterReading") -> float | None:
        """The share of processor time that other machines took since then."""
        ticks = self.ticks - before.ticks
        return (self.stolen - before.stolen) / ticks if ticks > 0 else None

    def throttled_since(self, before: "CounterReading") -> int | None:
        """How often a clock was lowered since then."""
        if self.throttled is None or before.throttled is None:
            return None
        return self.throttled - before.throttled


@functools.cache
def first_load() -> float | None:
    """The load average when this process first asked, before it works: later ones hold what it did itself."""
    return read_machine().load


def read_machine() -> CounterReading:
    """The machine now."""
    stat = Path("/proc/stat")
    ticks = [int(part) for part in stat.read_text().splitlines()[0].split()[1:]] if stat.is_file() else []
    stolen = ticks[STEAL - 1] if len(ticks) >= STEAL else 0
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return CounterReading(load, stolen, sum(ticks), _throttled())


def _throttled() -> int | None:
    counters = list(Path("/sys/devices/system/cpu").glob("cpu*/thermal_throttle/*_throttle_count"))
    return sum(int(counter.read_text()) for counter in counters) if counters else None


def gpu_is_throttled() -> bool | None:
    """Whether a GPU runs at a lowered clock now; None where the driver does not say."""
    command = ["nvidia-smi", "--query-gpu=clocks_event_reasons.active", "--format=csv,noheader"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout
        return any(int(line, 16) & LOWERED for line in said.split())
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def extra_bytes(device: str, call: Callable[[], object]) -> int | None:
    """The memory of the GPU, or of the machine, that a call takes at its peak beyond what this process holds before.

    None where the system does not tell. The call is made in any case.
    """
    if device == "cuda":
        import torch

        held = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        call()
        return int(torch.cuda.max_memory_allocated() - held)
    _give_back_freed()
    try:
        Path("/proc/self/clear_refs").write_text("5")  # from here on VmHWM is the peak since now
    except OSError:
        call()
        return None
    before = _status("VmRSS")
    call()
    after = _status("VmHWM")
    return None if before is None or after is None else max(0, after - before)


def joules(device: str, call: Callable[[int], object]) -> float | None:
    """The energy of a call, on the mean over a second of them: all that the GPU, or the processors, take meanwhile.

    None where the machine does not tell, and where a counter began anew; nothing is called where there is none. A
    call gets its number.
    """
    before = _millijoules(device)
    if before is None:
        return None
    began, calls = time.perf_counter(), 0
    while time.perf_counter() - began < ENERGY_S:
        call(calls)
        calls += 1
    after = _millijoules(device)
    if after is None or any(later < earlier for earlier, later in zip(before, after, strict=True)):
        return None
    return (sum(after) - sum(before)) / 1000 / calls


def _millijoules(device: str) -> list[float] | None:
    """What each counter says: the GPU's by NVML, the processors' packages by RAPL; None where none can be read, and
    of what runs elsewhere.
    """
    if device == "cuda":
        try:
            import pynvml
            import torch

            pynvml.nvmlInit()
            handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(0).uuid}")
            return [float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle))]
        except ImportError:
            return None
        except pynvml.NVMLError:
            return None
    if device != "cpu":
        return None
    try:
        packages = [at for at in sorted(POWERCAP.glob("intel-rapl:?")) if "package" in (at / "name").read_text()]
        return [float((at / "energy_uj").read_text()) / 1000 for at in packages] or None
    except (OSError, ValueError):  # others than root may not read them
        return None


def _give_back_freed() -> None:
    """Let the C library give back what was freed: a call would take it again unseen."""
    with contextlib.suppress(OSError, AttributeError):  # another library than Linux's usual one
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _status(name: str) -> int | None:
    path = Path("/proc/self/status")
    if not path.is_file():
        return None
    lines = [line.split() for line in path.read_text().splitlines() if line.startswith(f"{name}:")]
    return int(lines[0][1]) * 1024 if lines else None
