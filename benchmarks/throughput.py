"""Questions a second over real MedQA items, SmolLM2-135M: rimbench's readout against other harnesses and engines.

    python benchmarks/throughput.py [--data questions.jsonl] [--seconds 60] [--hf PYTHON] [--vllm PYTHON] \
        [--llama-cpp PYTHON] [--openvino PYTHON]

The questions come from --data, or the file that RIMBENCH_MEDQA names. Each other option (or RIMBENCH_LM_EVAL,
RIMBENCH_LM_EVAL_VLLM, RIMBENCH_LLAMA_CPP and RIMBENCH_OPENVINO) is the Python of an environment that has that side:
lm_eval 0.4.13 without and with vLLM; xllamacpp with httpx2; openvino with torch and transformers. They need other
versions than each other. A side that is not there is left out, and said.

All sides answer the same questions, put in the same words (the task `medqa_4options` of lm-evaluation-harness), with
the same fp32 weights and two threads, chunk by chunk in turn, loading left out, tokenising inside. Targets: at least
3 times the questions a second of that harness's `hf` model, which does one pass an item but computes all positions'
logits, and 3 times its `vllm` model, which sends each question once an option; at least as many as llama.cpp and as
OpenVINO, letters equal; and at least 70% of the fp32 matrix rate that this machine reaches, measured between the
chunks, by torch's own product and by the faster library's. Padding counts as nothing.
"""

import argparse
import importlib.util
import json
import operator
import os
import statistics
import sys
import tempfile
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
AT_LEAST = {"hf": 3.0, "vllm": 3.0, "llama.cpp": 1.0, "openvino": 1.0}
VARIABLES = {
    "hf": "RIMBENCH_LM_EVAL",
    "vllm": "RIMBENCH_LM_EVAL_VLLM",
    "llama.cpp": "RIMBENCH_LLAMA_CPP",
    "openvino": "RIMBENCH_OPENVINO",
}


class Ours:
    """The transformers engine on questions in the same words, tokenising inside."""

    def __init__(self, folder: Path, rows: list[dict[str, Any]]) -> None:
        facts = engines.find("transformers").describe(EngineChoice(CHUNK))
        self._engine = engines.open_engine(folder, facts, Limits(2048, 0))
        self._tokenizer: Any = checkpoints.read_tokenizer(folder)
        self._letters = {x: self._tokenizer.encode(f" {x}", add_special_tokens=False)[0] for x in LETTERS}
        self._rows = rows
        self._shape = shape_of(json.loads((folder / "config.json").read_text()), value_bytes=4)

    def answer(self, start: int, stop: int) -> tuple[float, str, float]:
        """Seconds, the letters, and the FLOP of the passes, padding left out."""
        began = time.perf_counter()
        requests = [self._request(str(i), self._rows[i]) for i in range(start, stop)]
        [group] = self._engine.answer(requests, 0)
        letters = {int(request.item_id): answers[0].text for request, answers in group}
        seconds = time.perf_counter() - began
        flop = sum(prefill_work(self._shape, len(r.prompt.token_ids), head_rows=4).flop for r in requests)
        return seconds, "".join(letters[i] for i in range(start, stop)), flop

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
    for kind, variable in VARIABLES.items():
        parser.add_argument(f"--{kind.replace('.', '-')}", dest=kind, default=os.environ.get(variable))
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
    with tempfile.TemporaryDirectory() as scratch:
        for kind in VARIABLES:
            python = getattr(arguments, kind)
            if python is None:
                print(f"{kind}: left out, no environment named by --{kind.replace('.', '-')}")
                continue
            script = "readout_side.py" if kind in {"llama.cpp", "openvino"} else "lm_eval_side.py"
            model = in_fp32(Path(scratch) / "model.gguf") if kind == "llama.cpp" else folder
            others[kind] = OtherSide(
                python, script, model, arguments.data, kind, threads=THREADS, environment=ENVIRONMENT
            )
        compare(ours, others, rows, arguments.seconds)
        for other in others.values():
            other.close()


def in_fp32(place: Path) -> Path:
    """The package's GGUF file with its weights in fp32, the numbers that the other sides have."""
    from gguf import GGUFReader, GGUFValueType, GGUFWriter, quants

    packaged = systems.load("smollm2-direct").weights
    found = importlib.util.find_spec(str(packaged.package).replace("-", "_"))
    assert found is not None
    reader = GGUFReader(Path(str(found.origin)).parent / str(packaged.file))
    writer = GGUFWriter(place, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name not in {"general.architecture", "general.file_type"}:
            inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(name, field.contents(), field.types[0], inner)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, quants.dequantize(tensor.data, tensor.tensor_type))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return place


def compare(ours: Ours, others: dict[str, OtherSide], rows: list[dict[str, Any]], seconds: float) -> None:
    taken: dict[str, list[float]] = {"rimbench": [], **{kind: [] for kind in others}}
    right = dict.fromkeys(taken, 0)
    apart = dict.fromkeys(others, 0)
    shares, asked = [], []
    for number, (start, stop) in enumerate(chunks(len(rows))):
        own_s, letters, flop = ours.answer(start, stop)
        own_right = sum(map(operator.eq, letters, (row["answer_idx"] for row in rows[start:stop])))
        rate, torchs = probe.__wrapped__("cpu", "float32", 1 << 20).flop_per_s, torchs_rate()
        said = {kind: other.ask(start, stop) for kind, other in others.items()}
        times = {kind: (found["seconds"], found["right"]) for kind, found in said.items()}
        if number == 0:
            continue  # warms all sides up
        asked.append(stop - start)
        for kind, (took, correct) in {"rimbench": (own_s, own_right), **times}.items():
            taken[kind].append(took)
            right[kind] += correct
        for kind, found in said.items():
            apart[kind] += sum(map(operator.ne, letters, found.get("letters", letters)))
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
        name = f"lm_eval's {kind}" if kind in {"hf", "vllm"} else f"{kind}, {apart[kind]} other letters"
        print(f"rimbench over {name}: {ratio:.2f} times (target {AT_LEAST[kind]:g} at least)")
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
