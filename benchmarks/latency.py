"""One question at a time: the readout against a bare forward pass, against the card's way, and the harness's share.

    python benchmarks/latency.py [nano] [135m] [--compile]

Prompts of 260 tokens, 8 memory blocks among them, on the embedded base and on SmolLM2-135M, both given memory tokens
here: what they answer does not matter for the time. All ways in turn, A B A B, in one process; printed are
medians of their ratios, and beside each ratio both sides. Targets: the engine's readout within 1.10 of a bare
`model.model` with the sliced head; `generate` with 8 new tokens, eager, at least 5 times as long at nano size and 2.5
times at 135M; everything of `rimbench run` that is not the model under 1 ms a question at nano size. Below that what
was tried: the lean pass with either product, all logits, a mask, bf16, one thread, and with --compile torch.compile.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as hf

from rimbench import checkpoints, engines, suites, systems
from rimbench.engines import Decoding, EngineChoice, Limits, Request
from rimbench.engines._lean import LeanDecoder
from rimbench.engines._products import OneDnnProducts, TorchProducts
from rimbench.errors import RimbenchError
from rimbench.latency.lengths import with_prompt_tokens
from rimbench.rim.blocks import Memory
from rimbench.rim.checkpoint import add_memory_tokens, save_checkpoint
from rimbench.running.loop import run_cell
from rimbench.running.plans import RunSettings, plan_runs
from rimbench.store import RunStore
from rimbench.systems import AnswerStyle, PromptStyle, System, Weights, weights

TOKENS, NEW, K = 260, 8, 8
BASES = {"nano": "nano-base", "135m": "smollm2"}
ROUNDS = {"nano": 60, "135m": 9}
AT_LEAST = {"nano": 5.0, "135m": 2.5}
HARNESS_ITEMS = 64


def checkpoint_with_memory(base: str, folder: Path) -> Path:
    source = weights.resolve(systems.load(base)).folder
    model, tokenizer = checkpoints.load_model(source, "float32"), checkpoints.read_tokenizer(source)
    add_memory_tokens(tokenizer, model, Memory(K), torch.Generator().manual_seed(0))
    save_checkpoint(model, tokenizer, folder)
    return folder


def in_turn(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each way in each round; the first two rounds warm up."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 2):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            if number >= 2:
                taken[name].append(time.perf_counter() - began)
    return taken


def ratio(a: list[float], b: list[float]) -> float:
    return statistics.median(x / y for x, y in zip(a, b, strict=True))


def ms(seconds: list[float]) -> str:
    return f"{1000 * statistics.median(seconds):.2f} ms (least {1000 * min(seconds):.2f})"


def measure(name: str, *, compiled: bool) -> None:
    with tempfile.TemporaryDirectory() as scratch, torch.inference_mode():
        folder = Path(scratch)
        try:
            checkpoint = checkpoint_with_memory(BASES[name], folder / "checkpoint")
        except RimbenchError as error:
            print(f"{name}: not measured, {error}")
            return
        style = AnswerStyle("readout", "first_letter", max_new_tokens=NEW)
        system = System("rim", "", Weights(path=str(checkpoint)), PromptStyle(prefix="\\boxed{"), style, Memory(K))
        suite = suites.load("demo-in-dist", limit=HARNESS_ITEMS)
        [run] = plan_runs([system], [suite], RunSettings(folder / "results", "transformers", 1))
        run = with_prompt_tokens(run, TOKENS)
        engine = engines.open_engine(checkpoint, run.facts, Limits(512, 0))
        model: Any = checkpoints.load_model(checkpoint, "float32").eval()
        # Every way answers the same question of a round; rounds walk round the questions.
        requests = [
            Request(shown.item.item_id, prompt, (0,), Decoding(readout=True, max_new_tokens=1))
            for shown, prompt in zip(run.cell.shown, run.cell.prompts, strict=True)
        ]
        letters = list((requests[0].prompt.option_token_ids or {}).values())
        compare(name, model, engine, requests, letters)
        harness(name, run, model, engine, letters, folder)
        tried(name, checkpoint, model, requests[0], compiled=compiled)


def compare(name: str, model: Any, engine: Any, requests: list[Request], letters: list[int]) -> None:
    """The engine's readout, a bare pass by the model's own modules, and eight generated tokens."""
    asked = [torch.tensor([request.prompt.token_ids]) for request in requests]
    ones = torch.ones_like(asked[0])
    head = model.get_output_embeddings().weight[letters]
    rounds = {way: iter(range(10**6)) for way in ("readout", "bare", "card")}

    def place(way: str) -> int:
        return next(rounds[way]) % len(requests)

    def readout_way() -> None:
        list(engine.answer([requests[place("readout")]], 0))

    def bare_way() -> None:
        hidden = model.model(input_ids=asked[place("bare")], use_cache=False).last_hidden_state[:, -1]
        (hidden @ head.T).tolist()

    def card_way() -> None:
        # At least as many tokens as at most: the card's models may stop sooner, this one must not.
        model.generate(
            input_ids=asked[place("card")], attention_mask=ones, max_new_tokens=NEW, min_new_tokens=NEW,
            do_sample=False,
        )  # fmt: skip

    taken = in_turn({"readout": readout_way, "bare": bare_way, "card": card_way}, ROUNDS[name])
    readout, bare, card = taken["readout"], taken["bare"], taken["card"]
    print(
        f"{name}: readout {ms(readout)}, bare forward {ms(bare)}: {ratio(readout, bare):.3f} times as long "
        f"(target 1.10 at most)"
    )
    print(
        f"{name}: {NEW} generated tokens {ms(card)}, readout {ms(readout)}: {ratio(card, readout):.2f} times as long "
        f"(target {AT_LEAST[name]:g} at least)",
        flush=True,
    )


def harness(  # noqa: PLR0913 - both sides and where they write
    name: str, run: Any, model: Any, engine: Any, letters: list[int], folder: Path
) -> None:
    """A run of one question a batch, records and all, less the same passes over the same questions alone."""
    asked = [torch.tensor([prompt.token_ids]) for prompt in run.cell.prompts]
    head = model.get_output_embeddings().weight[letters]
    lean, last = LeanDecoder(model), torch.tensor([TOKENS - 1])
    stores = iter(range(10**6))

    def rimbench() -> None:
        with RunStore(folder / "results" / f"run-{next(stores)}") as store:
            run_cell(run.cell, run.facts, engine, store, lambda records: None)

    def bare() -> None:
        for ids in asked:
            (lean.hidden_at(ids, last, ragged=False) @ head.T).tolist()

    taken = in_turn({"rimbench": rimbench, "bare": bare}, 7 if name == "nano" else 1)
    shares = [1000 * (r - b) / len(asked) for r, b in zip(taken["rimbench"], taken["bare"], strict=True)]
    each = {way: 1000 * statistics.median(seconds) / len(asked) for way, seconds in taken.items()}
    print(
        f"{name}: rimbench run {each['rimbench']:.2f} ms a question, its passes alone {each['bare']:.2f}: "
        f"the harness takes {statistics.median(shares):.2f} ms (target under 1 at nano size)",
        flush=True,
    )


def tried(name: str, checkpoint: Path, model: Any, request: Request, *, compiled: bool) -> None:
    ids = torch.tensor([request.prompt.token_ids])
    ones = torch.ones_like(ids)
    half: Any = checkpoints.load_model(checkpoint, "bfloat16").eval()
    threads = torch.get_num_threads()
    last = torch.tensor([TOKENS - 1])
    torchs, onednns = LeanDecoder(model, TorchProducts()), LeanDecoder(model, OneDnnProducts())
    halves = LeanDecoder(half)

    def one_thread() -> None:
        torch.set_num_threads(1)
        model.model(input_ids=ids, use_cache=False)
        torch.set_num_threads(threads)

    ways: dict[str, Callable[[], object]] = {
        "fp32, last position": lambda: model.model(input_ids=ids, use_cache=False),
        "the lean pass, torch's products": lambda: torchs.hidden_at(ids, last, ragged=False),
        "the lean pass, oneDNN's products": lambda: onednns.hidden_at(ids, last, ragged=False),
        "all logits": lambda: model(input_ids=ids, use_cache=False),
        "a mask of ones": lambda: model.model(input_ids=ids, attention_mask=ones, use_cache=False),
        "a filled cache": lambda: model.model(input_ids=ids, use_cache=True),
        "one thread": one_thread,  # the others on all
        "bf16": lambda: half.model(input_ids=ids, use_cache=False),
        "the lean pass, bf16": lambda: halves.hidden_at(ids, last, ragged=False),
        f"bf16, {NEW} generated tokens": lambda: half.generate(
            input_ids=ids, attention_mask=ones, max_new_tokens=NEW, min_new_tokens=NEW, do_sample=False
        ),
    }
    if compiled:
        began = time.perf_counter()
        fast: Any = torch.compile(model.model, dynamic=False)
        fast(input_ids=ids, use_cache=False)
        print(f"{name}: torch.compile took {time.perf_counter() - began:.0f} s")
        ways["compiled"] = lambda: fast(input_ids=ids, use_cache=False)
    taken = in_turn(ways, max(5, ROUNDS[name] // 3))
    plain = taken["fp32, last position"]
    for way, seconds in taken.items():
        print(f"{name}: {way}: {ms(seconds)}, {ratio(seconds, plain):.2f} times the first", flush=True)


if __name__ == "__main__":
    hf.logging.disable_progress_bar()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", metavar="SIZE", help=", ".join(BASES))
    parser.add_argument(
        "--compile", action="store_true", help="Also torch.compile, which takes a compiler and minutes."
    )
    arguments = parser.parse_args()
    print(f"{torch.get_num_threads()} threads, facts: {engines.find('transformers').describe(EngineChoice(1))}")
    for size in arguments.sizes or BASES:
        measure(size, compiled=arguments.compile)
