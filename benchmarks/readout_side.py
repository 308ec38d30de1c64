"""llama.cpp or OpenVINO as the other side of benchmarks/throughput.py, in an environment of its own.

    python benchmarks/readout_side.py MODEL QUESTIONS.jsonl llama.cpp|openvino

MODEL is an f32 GGUF file for llama.cpp, a checkpoint's folder for OpenVINO. Loads the model once, then for each line
`START STOP` on its input answers these questions from the logits of the four letters after the prompt and prints, as
JSON, the seconds that took, how many were right, and the letters. Imports nothing of ours.
"""

import concurrent.futures
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BATCH, THREADS, LONGEST, AMONG = 16, 2, 1024, 1000
LETTERS = "ABCD"


def text_of(row: dict[str, Any]) -> str:
    options = "\n".join(f"{letter}. {row['options'][letter]}" for letter in LETTERS)
    return f"Question: {row['question']}\n{options}\nAnswer:"


def llama_cpp(model: str) -> Callable[[list[str]], str]:
    """llama.cpp's server in this process: 16 requests in flight, each one token with the likeliest 1,000.

    Weights and caches in fp32, flash attention and kept prompts off. A letter that is not among these is none.
    """
    import httpx2
    import xllamacpp

    given = xllamacpp.CommonParams()
    given.model.path, given.n_ctx, given.n_parallel, given.verbosity = model, BATCH * LONGEST, BATCH, 0
    given.cpuparams.n_threads = given.cpuparams_batch.n_threads = THREADS
    given.cache_type_k = given.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    given.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server = xllamacpp.Server(given)
    client = httpx2.Client(timeout=600)
    asked = {"n_predict": 1, "n_probs": AMONG, "temperature": 0, "cache_prompt": False}

    def letter_of(text: str) -> str:
        answer = (
            client.post(f"{server.listening_address}/completion", json={"prompt": text, **asked})
            .raise_for_status()
            .json()
        )
        likeliest = answer["completion_probabilities"][0]["top_logprobs"]
        return next((each["token"].strip() for each in likeliest if each["token"] in {f" {x}" for x in LETTERS}), "-")

    def answer(texts: list[str]) -> str:
        with concurrent.futures.ThreadPoolExecutor(BATCH) as pool:
            return "".join(pool.map(letter_of, texts))

    return answer


def openvino(folder: str) -> Callable[[list[str]], str]:
    """The library's model, converted, in batches of 16 of like lengths; the head at the last position alone."""
    import openvino as library
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    heads = torch.tensor([tokenizer.encode(f" {x}", add_special_tokens=False)[0] for x in LETTERS])

    class Readout(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=False).eval()

        def forward(self, ids: torch.Tensor, seen: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
            """The letters' logits after each row: ids (rows, length), seen (rows, 1, length, length), last (rows)."""
            hidden = self.model.model(input_ids=ids, attention_mask=seen, use_cache=False).last_hidden_state
            logits: torch.Tensor = self.model.lm_head(hidden[torch.arange(ids.shape[0]), last])
            return logits[:, heads]

    def batch_of(rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        length = max(map(len, rows))
        ids = torch.tensor([[*row, *[0] * (length - len(row))] for row in rows])
        causal = torch.ones(length, length, dtype=torch.bool).tril()
        seen = torch.zeros(len(rows), 1, length, length).masked_fill(~causal, float("-inf"))
        return ids, seen, torch.tensor([len(row) - 1 for row in rows])

    with torch.inference_mode():
        converted = library.convert_model(Readout(), example_input=batch_of([[1, 2, 3], [4, 5]]))
    settings = {"INFERENCE_NUM_THREADS": THREADS, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "THROUGHPUT"}
    compiled = library.Core().compile_model(converted, "CPU", {**settings, "NUM_STREAMS": 1})

    def answer(texts: list[str]) -> str:
        rows: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
        letters = [""] * len(rows)
        ordered = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        for batch in (ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)):
            found = compiled([part.numpy() for part in batch_of([rows[i] for i in batch])])[0]
            for i, best in zip(batch, found.argmax(-1), strict=True):
                letters[i] = LETTERS[best]
        return "".join(letters)

    return answer


def main() -> None:
    model, questions, kind = sys.argv[1:]
    rows = [json.loads(line) for line in Path(questions).read_text().splitlines()]
    answer = {"llama.cpp": llama_cpp, "openvino": openvino}[kind](model)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        start, stop = map(int, line.split())
        began = time.perf_counter()
        letters = answer([text_of(row) for row in rows[start:stop]])
        seconds = time.perf_counter() - began
        right = sum(letter == row["answer_idx"] for letter, row in zip(letters, rows[start:stop], strict=True))
        print(json.dumps({"seconds": seconds, "right": right, "letters": letters}), flush=True)


if __name__ == "__main__":
    main()
