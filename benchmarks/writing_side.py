"""One side of benchmarks/writing.py, in a process of its own.

    python benchmarks/writing_side.py rimbench|vllm|lm-eval MODEL_FOLDER PROMPTS.json DTYPE

PROMPTS.json is a list of prompts' token ids. After loading, each line `GREEDY DRAWS` on its input asks for the greedy
answers of the first so many prompts, and for so many draws of each; printed, as JSON, are the seconds of the wall and
of the processor that took, and the greedy texts. `rimbench` is that on the Python path, of this version or an earlier
one; the other two import nothing of it.
"""

import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOST_TOKENS, TEMPERATURE, BATCH = 128, 0.7, 16
Texts = list[str]


def rimbench(folder: Path, prompts: list[list[int]], dtype: str) -> Callable[[int, int], Texts]:
    """The transformers engine, asked as its own runner asks it: an earlier version in batches, by draws too."""
    from rimbench import engines
    from rimbench.engines import Decoding, EngineChoice, Request
    from rimbench.records import Prompt

    facts = engines.find("transformers").describe(EngineChoice(BATCH, dtype))
    limits = engines.Limits(max(map(len, prompts)) + MOST_TOKENS, 0)
    engine: Any = engines.open_engine(folder, facts, limits)
    greedy = Decoding(readout=False, max_new_tokens=MOST_TOKENS)
    drawn = Decoding(readout=False, max_new_tokens=MOST_TOKENS, temperature=TEMPERATURE)
    shares = getattr(engine, "shares_prompts", False)

    def answer(count: int, draws: int) -> Texts:
        asked = [Prompt("", tuple(ids), "", None) for ids in prompts[:count]]
        first = [Request(str(i), prompt, (0,), greedy) for i, prompt in enumerate(asked)]
        more = [Request(str(i), prompt, tuple(range(1, draws + 1)), drawn) for i, prompt in enumerate(asked) if draws]
        batches = [first + more] if shares else [*cut(first, BATCH), *cut(more, max(1, BATCH // max(1, draws)))]
        texts = {}
        for request, answers in itertools.chain.from_iterable(
            itertools.chain.from_iterable(engine.answer(batch, 0) for batch in batches)
        ):
            if request.decoding == greedy:
                texts[int(request.item_id)] = answers[0].text
        return [texts[i] for i in range(count)]

    return answer


def cut(requests: list[Any], size: int) -> list[list[Any]]:
    """The longest prompts first, so many at once."""
    ordered = sorted(requests, key=lambda request: -len(request.prompt.token_ids))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def vllm(folder: Path, prompts: list[list[int]], dtype: str) -> Callable[[int, int], Texts]:
    """vLLM with its own settings, prefix caching among them, emptied before each answer."""
    import vllm as library

    longest = max(map(len, prompts)) + MOST_TOKENS
    model: Any = library.LLM(
        model=str(folder), dtype=dtype, max_model_len=longest, enforce_eager=True, trust_remote_code=False
    )
    asked: Any = [{"prompt_token_ids": ids} for ids in prompts]

    def answer(count: int, draws: int) -> Texts:
        model.reset_prefix_cache()
        greedy = library.SamplingParams(temperature=0, max_tokens=MOST_TOKENS)
        settings, wanted = [greedy] * count, asked[:count]
        if draws:
            # Without a seed of its own: the CPU's generator lacks what vLLM asks of one.
            settings += [library.SamplingParams(n=draws, temperature=TEMPERATURE, max_tokens=MOST_TOKENS)] * count
            wanted = wanted + wanted
        found = model.generate(wanted, settings, use_tqdm=False)
        return [one.outputs[0].text for one in found[:count]]

    return answer


def lm_eval(folder: Path, prompts: list[list[int]], dtype: str) -> Callable[[int, int], Texts]:
    """lm-evaluation-harness's `hf` model by its `generate_until`: a draw is a question asked again."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    model: Any = HFLM(pretrained=str(folder), dtype=dtype, device="cpu", batch_size=BATCH, trust_remote_code=False)
    written = [model.tokenizer.decode(ids) for ids in prompts]

    def ask(texts: list[str], **how: Any) -> Texts:
        arguments = {"until": [], "max_gen_toks": MOST_TOKENS, **how}
        instances = [Instance("generate_until", {}, (text, arguments), i) for i, text in enumerate(texts)]
        found: Texts = model.generate_until(instances, disable_tqdm=True)
        return found

    def answer(count: int, draws: int) -> Texts:
        found = ask(written[:count], do_sample=False)
        if draws:
            ask([text for text in written[:count] for _ in range(draws)], do_sample=True, temperature=TEMPERATURE)
        return found

    return answer


def main() -> None:
    kind, folder, file, dtype = sys.argv[1:]
    prompts = json.loads(Path(file).read_text())
    answer = {"rimbench": rimbench, "vllm": vllm, "lm-eval": lm_eval}[kind](Path(folder), prompts, dtype)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        greedy, draws = map(int, line.split())
        began, cpu = time.perf_counter(), time.process_time()
        texts = answer(greedy, draws)
        spent = {"wall_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}
        print(json.dumps(spent | {"texts": texts}), flush=True)


if __name__ == "__main__":
    main()
