"""How long a user waits for `rimbench --help` and `rimbench systems`, as wall time of the real command.

    python benchmarks/startup.py

Targets: --help under 0.3 s, systems under 1 s. A bare `python -c pass` stands beside them: the machine's own share.
"""

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "rimbench --help": [sys.executable, "-m", "rimbench", "--help"],
    "rimbench systems": [sys.executable, "-m", "rimbench", "systems"],
}
TARGET_S = {"rimbench --help": 0.3, "rimbench systems": 1.0}
ROUNDS = 15


def main() -> None:
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds[name].append(time.perf_counter() - start)
    for name, values in seconds.items():
        target = f", target under {TARGET_S[name]} s" if name in TARGET_S else ""
        print(f"{name}: median {statistics.median(values):.3f} s, worst of {ROUNDS} {max(values):.3f} s{target}")


if __name__ == "__main__":
    main()
