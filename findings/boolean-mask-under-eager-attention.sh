#!/bin/sh
# A mask of booleans that holds under sdpa hides nothing under eager attention, without a word.
#
# Library   transformers 5.23.0, torch 2.13.0, Qwen3ForCausalLM (random weights, 2 layers)
# Input     8 tokens with the 4D causal mask [1, 1, 8, 8]: as booleans, and as 0 and the least float
# Seen      sdpa takes both masks for the causal one. Eager attention adds the mask to the scores, so that True is
#           1.0 and False is 0.0: the first token sees the last, whose replacement moves its logits. Nothing is
#           raised or logged.
# Matters   packed rows of memory need such a mask. One who switches to eager, to look at attention weights say,
#           measures a model that reads ahead. rimbench runs packed rows under sdpa alone.
#
# Printed: how far the first token's logits move when the last token is another
#   sdpa  bool  mask: 0.00
#   sdpa  float mask: 0.00
#   eager bool  mask: 0.65
#   eager float mask: 0.00
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet transformers==5.23.0 torch==2.13.0
"$folder/env/bin/python" - <<'END'
import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

config = Qwen3Config(
    vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
    num_attention_heads=2, num_key_value_heads=1, head_dim=16,
)
torch.manual_seed(0)
model = Qwen3ForCausalLM(config).eval()
for parameter in model.parameters():
    if parameter.dim() > 1:
        torch.nn.init.normal_(parameter, 0, 0.2)
ids = torch.arange(8)[None]
other = ids.clone()
other[0, -1] = 40
allowed = torch.ones(8, 8, dtype=torch.bool).tril()[None, None]
masks = {"bool ": allowed, "float": torch.zeros(1, 1, 8, 8).masked_fill(~allowed, torch.finfo(torch.float32).min)}
moved = {}
for attention in ("sdpa", "eager"):
    model.set_attn_implementation(attention)
    for name, mask in masks.items():
        with torch.inference_mode():
            change = model(ids, attention_mask=mask).logits[0, 0] - model(other, attention_mask=mask).logits[0, 0]
        moved[attention, name] = float(change.abs().max())
        print(f"{attention:<5} {name} mask: {moved[attention, name]:.2f}")
assert moved["sdpa", "bool "] == moved["sdpa", "float"] == moved["eager", "float"] == 0
assert moved["eager", "bool "] > 0.1
END
