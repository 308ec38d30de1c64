"""Answers written by SmolLM2-135M to real MedQA items: rimbench against an earlier version of itself, and others.

    python benchmarks/writing.py [--data questions.jsonl] [--against CHECKOUT] [--vllm PYTHON] [--hf PYTHON]

The questions come from --data, or the file that RIMBENCH_MEDQA names, in the words of the system `smollm2`.
--against is a checkout of an earlier rimbench, which this Python runs; --vllm is the Python of an environment with
vLLM, --hf of one with lm_eval (or RIMBENCH_AGAINST, RIMBENCH_LM_EVAL_VLLM and RIMBENCH_LM_EVAL). A side that is not
named is left out, and said.

All sides write from the same token ids at most 128 tokens an answer, in fp32 with as many threads, each in a
process of its own, in turn, round by round, loading left out. Told are medians over rounds of how many times more the
other side took, in seconds of the processor and of the wall: on a machine with other work the first are what to
compare, and those with one thread, which waits for no other. Beside them stands how many of the greedy texts are the
other side's own; that of bf16 is told last, by itself.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from other_side import OtherSide

from rimbench import suites, systems
from rimbench.errors import RimbenchError
from rimbench.running.plans import RunSettings, plan_runs

THREADS, ROUNDS = 2, 3
HERE = Path(__file__).resolve().parents[1]
WORK = {"greedy": (32, 0), "greedy and 8 draws": (16, 8)}
AT_LEAST = {
    "greedy": {"earlier rimbench": 2.5, "vllm": 1.2, "lm-eval": 2.5},
    "greedy and 8 draws": {"earlier rimbench": 5.0, "vllm": 2.0, "lm-eval": 5.0},
}


def side_of(python: str, threads: int, checkout: Path | None, *asked: object) -> OtherSide:
    """One side in its process; `checkout` is the rimbench that it imports."""
    environment = {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_CPU_OMP_THREADS_BIND": "nobind",
                   "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}  # fmt: skip
    if checkout is not None:
        environment["PYTHONPATH"] = str(checkout)
    return OtherSide(python, "writing_side.py", *asked, threads=threads, environment=environment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("RIMBENCH_MEDQA"))
    parser.add_argument("--against", type=Path, default=os.environ.get("RIMBENCH_AGAINST"))
    parser.add_argument("--vllm", default=os.environ.get("RIMBENCH_LM_EVAL_VLLM"))
    parser.add_argument("--hf", default=os.environ.get("RIMBENCH_LM_EVAL"))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--threads", type=int, default=THREADS, help="One, where other work keeps the rest from it.")
    parser.add_argument("--work", choices=WORK, action="append", help="Only this piece; repeat.")
    parser.add_argument("--items", type=int, default=1000, help="At most so many of each piece of work.")
    arguments = parser.parse_args()
    wanted = {name: WORK[name] for name in arguments.work or WORK}
    work = {name: (min(count, arguments.items), draws) for name, (count, draws) in wanted.items()}
    threads = arguments.threads
    if arguments.data is None:
        print("writing answers to MedQA: not measured, no --data and no RIMBENCH_MEDQA names a file of its questions")
        return
    with tempfile.TemporaryDirectory() as scratch:
        try:
            folder, prompts = make_prompts(Path(scratch), arguments.data)
        except RimbenchError as error:
            print(f"writing answers to MedQA: not measured, {error}")
            return
        sides = {"rimbench": side_of(sys.executable, threads, HERE, "rimbench", folder, prompts, "float32")}
        for name, kind, python, checkout in (
            ("earlier rimbench", "rimbench", arguments.against and sys.executable, arguments.against),
            ("vllm", "vllm", arguments.vllm, None),
            ("lm-eval", "lm-eval", arguments.hf, None),
        ):
            if python:
                sides[name] = side_of(python, threads, checkout, kind, folder, prompts, "float32")
            else:
                print(f"{name}: left out, not named")
        texts = compare(sides, work, arguments.rounds)
        for side in sides.values():
            side.close()
        bf16 = side_of(sys.executable, threads, HERE, "rimbench", folder, prompts, "bfloat16")
        found = bf16.ask(len(texts), 0)
        bf16.close()
        differ = sum(one != other for one, other in zip(texts, found["texts"], strict=True))
        print(f"bf16: {differ} of {len(texts)} greedy texts differ from fp32's, {found['cpu_s']:.1f} s of CPU")


def make_prompts(scratch: Path, data: Path) -> tuple[Path, Path]:
    """The folder of the weights, and a file of the prompts' token ids."""
    most = max(count for count, _ in WORK.values())
    suite = suites.load("medqa", data=data, limit=most)
    [run] = plan_runs([systems.load("smollm2")], [suite], RunSettings(scratch, engine="transformers"))
    file = scratch / "prompts.json"
    file.write_text(json.dumps([prompt.token_ids for prompt in run.cell.prompts]))
    return run.checkpoint.folder, file


def compare(sides: dict[str, OtherSide], work: dict[str, tuple[int, int]], rounds: int) -> list[str]:
    """Time each piece of work on all sides in turn, and tell; rimbench's texts of the first."""
    own_texts: list[str] = []
    for side in sides.values():
        side.ask(2, 0)  # warms it up
    for label, (greedy, draws) in work.items():
        said: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
        for number in range(rounds):
            print(f"{label}, round {number + 1} of {rounds}", file=sys.stderr)
            for name, side in sides.items():
                said[name].append(side.ask(greedy, draws))
        own = said["rimbench"]
        own_texts = own_texts or own[0]["texts"]
        for name, found in said.items():
            cpu, wall = (statistics.median(one[unit] for one in found) for unit in ("cpu_s", "wall_s"))
            told = f"{label}, {greedy} items: {name} {cpu:.1f} s of CPU, {wall:.1f} s"
            if name != "rimbench":
                times = [
                    statistics.median(other[unit] / one[unit] for one, other in zip(own, found, strict=True))
                    for unit in ("cpu_s", "wall_s")
                ]
                same = sum(a == b for a, b in zip(own[0]["texts"], found[0]["texts"], strict=True))
                told += (
                    f": {times[0]:.2f} times rimbench's CPU, {times[1]:.2f} times its wall (target "
                    f"{AT_LEAST[label][name]:g}), {same} of {greedy} greedy texts equal"
                )
            print(told, flush=True)
    return own_texts


if __name__ == "__main__":
    main()
