"""Questions a second over real MedQA items, SmolLM2-135M: rimbench's readout against lm-evaluation-harness.

    python benchmarks/throughput.py [--data questions.jsonl] [--seconds 60] [--hf PYTHON] [--vllm PYTHON]

The questions come from --data, or the file that RIMBENCH_MEDQA names. --hf and --vllm (or RIMBENCH_LM_EVAL and
RIMBENCH_LM_EVAL_VLLM) are the Python of an environment that has lm_eval 0.4.13, the second with vLLM: the sides need
other versions than each other. A side that is not there is left out, and said.

All sides answer the same questions, put in the same words (the harness's own task, `medqa_4options`), with the same
fp32 weights and two threads, chunk by chunk in turn, loading left out, tokenising inside. Targets: at least 1.3 times
the questions a second of its `hf` model, which does one pass an item but computes all positions' logits, and 3 times
its `vllm` model, which sends each question once an option; and at least 70% of the fp32 matrix rate that this machine
reaches, measured between the chunks, by torch's own product and by the faster library's. Padding counts as nothing.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from other_side import OtherSide

from rimbench import checkpoints, engines, systems
from rimbench.engines import Decoding, EngineChoice, Limits, Request
from rimbench.errors import RimbenchError
from rimbench.latency.floor import prefill_work, shape_of
from rimbench.latency.probe import SIDE, least_s, probe
from rimbench.records import Prompt
from rimbench.running.prompts import hash_token_ids
from rimbench.systems import weights

CHUNK, THREADS = 32, 2
LETTERS = "ABCD"
# vLLM binds its threads itself; the same two as everybody's.
ENVIRONMENT = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": f"0-{THREADS - 1}"}
AT_LEAST = {"hf": 1.3, "vllm": 3.0}


class Ours:
    """The transformers engine on questions in the same words, tokenising inside."""

    def __init__(self, folder: Path, rows: list[dict[str, Any]]) -> None:
        facts = engines.find("transformers").describe(EngineChoice(CHUNK))
        self._engine = engines.open_engine(folder, facts, Limits(2048, 0))
        self._tokenizer: Any = checkpoints.read_tokenizer(folder)
        self._letters = {x: self._tokenizer.encode(f" {x}", add_special_tokens=False)[0] for x in LETTERS}
        self._rows = rows
        self._shape = shape_of(json.loads((folder / "config.json").read_text()), value_bytes=4)

    def answer(self, start: int, stop: int) -> tuple[float, int, float]:
        """Seconds, how many were right, and the FLOP of the passes, padding left out."""
        began = time.perf_counter()
        requests = [self._request(str(i), self._rows[i]) for i in range(start, stop)]
        [group] = self._engine.answer(requests, 0)
        right = sum(answers[0].text == self._rows[int(request.item_id)]["answer_idx"] for request, answers in group)
        seconds = time.perf_counter() - began
        flop = sum(prefill_work(self._shape, len(r.prompt.token_ids), head_rows=4).flop for r in requests)
        return seconds, right, flop

    def _request(self, key: str, row: dict[str, Any]) -> Request:
        options = "\n".join(f"{letter}. {row['options'][letter]}" for letter in LETTERS)
        text = f"Question: {row['question']}\n{options}\nAnswer:"
        ids = self._tokenizer.encode(text)
        prompt = Prompt(text, tuple(ids), hash_token_ids(ids), self._letters)
        return Request(key, prompt, (0,), Decoding(readout=True, max_new_tokens=1))


def chunks(total: int) -> Iterator[tuple[int, int]]:
    start = 0
    while True:
        stop = min(start + CHUNK, total)
        yield start, stop
        start = stop if stop < total else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("RIMBENCH_MEDQA"))
    parser.add_argument("--seconds", type=float, default=60.0, help="Of rimbench's own answering, at the least.")
    parser.add_argument("--hf", default=os.environ.get("RIMBENCH_LM_EVAL"))
    parser.add_argument("--vllm", default=os.environ.get("RIMBENCH_LM_EVAL_VLLM"))
    arguments = parser.parse_args()
    if arguments.data is None:
        print("throughput on MedQA: not measured, no --data and no RIMBENCH_MEDQA names a file of its questions")
        return
    try:
        folder = weights.resolve(systems.load("smollm2-direct")).folder
    except RimbenchError as error:
        print(f"throughput on MedQA: not measured, {error}")
        return
    torch.set_num_threads(THREADS)
    rows = [json.loads(line) for line in arguments.data.read_text().splitlines()]
    ours = Ours(folder, rows)
    others: dict[str, OtherSide] = {}
    for kind, python in (("hf", arguments.hf), ("vllm", arguments.vllm)):
        if python:
            others[kind] = OtherSide(
                python, "lm_eval_side.py", folder, arguments.data, kind, threads=THREADS, environment=ENVIRONMENT
            )
        else:
            print(f"lm_eval's {kind} model: left out, no environment named by --{kind}")
    compare(ours, others, len(rows), arguments.seconds)
    for other in others.values():
        other.close()


def compare(ours: Ours, others: dict[str, OtherSide], total: int, seconds: float) -> None:
    taken: dict[str, list[float]] = {"rimbench": [], **{kind: [] for kind in others}}
    right = dict.fromkeys(taken, 0)
    shares, asked = [], []
    for number, (start, stop) in enumerate(chunks(total)):
        own_s, own_right, flop = ours.answer(start, stop)
        rate, torchs = probe.__wrapped__("cpu", "float32", 1 << 20).flop_per_s, torchs_rate()
        said = {kind: other.ask(start, stop) for kind, other in others.items()}
        times = {kind: (found["seconds"], found["right"]) for kind, found in said.items()}
        if number == 0:
            continue  # warms all sides up
        asked.append(stop - start)
        for kind, (took, correct) in {"rimbench": (own_s, own_right), **times}.items():
            taken[kind].append(took)
            right[kind] += correct
        shares.append((flop / own_s, rate, torchs))
        print(f"{sum(asked)} questions", file=sys.stderr)
        if sum(taken["rimbench"]) >= seconds:
            break
    rates = {kind: [n / s for n, s in zip(asked, took, strict=True)] for kind, took in taken.items()}
    for kind, correct in right.items():
        print(
            f"{kind}: {sum(asked) / sum(taken[kind]):.2f} questions a second over {sum(asked)} questions "
            f"({sum(taken[kind]):.0f} s), {correct} right"
        )
    for kind in others:
        ratio = statistics.median(a / b for a, b in zip(rates["rimbench"], rates[kind], strict=True))
        print(f"rimbench over lm_eval's {kind}: {ratio:.2f} times (target {AT_LEAST[kind]:g} at least)")
    reached, *measured = (statistics.median(side) for side in zip(*shares, strict=True))
    for place, (rate, name) in enumerate(zip(measured, ("the faster library's", "torch's own"), strict=True), 1):
        share = statistics.median(one[0] / one[place] for one in shares)
        print(
            f"matrix rate: {reached / 1e9:.1f} of {rate / 1e9:.1f} GFLOP/s in fp32, {name} product: {share:.0%} "
            f"(target 70% at least)",
            flush=True,
        )


def torchs_rate() -> float:
    """FLOP/s of torch's own fp32 product, which the model's own modules run at, at best."""
    side = SIDE["cpu"]
    a = torch.randn(side, side)
    with torch.inference_mode():
        return 2 * side**3 / least_s(lambda: a @ a, lambda: None)


if __name__ == "__main__":
    main()
