#!/bin/sh
# Under inference_mode transformers' continuous batching gives every prompt an empty answer, and raises nothing.
#
# Library   transformers 5.23.0, torch 2.13.0, LlamaForCausalLM (random weights, 2 layers), on the CPU
# Input     generate_batch of two prompts, 5 new tokens, greedy; plainly, under no_grad, and under inference_mode
# Seen      the first two write 5 tokens a prompt. Under inference_mode the tensors that the caller's thread makes may
#           not be written to by the thread that generates: that thread logs the error and ends, and generate_batch
#           returns each prompt with no tokens and the message in its `error`. TRL met the same in May 2026
#           (huggingface/trl, pull request 5818, which takes its own inference_mode away).
# Matters   `generate` is at home under inference_mode. An evaluation that puts generate_batch in its place, and reads
#           `generated_tokens`, scores a model that has answered nothing: 0% with no error. rimbench writes with a
#           loop of its own.
#
# Printed: the tokens of each prompt's answer, and whether it carries an error
#   plain:          [5, 5] errors: [False, False]
#   no_grad:        [5, 5] errors: [False, False]
#   inference_mode: [0, 0] errors: [True, True]
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet transformers==5.23.0 torch==2.13.0
"$folder/env/bin/python" - 2>"$folder/log" <<'END' || { cat "$folder/log" >&2; exit 1; }
from contextlib import nullcontext

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

config = LlamaConfig(
    vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=256, eos_token_id=None,
)
torch.manual_seed(0)
model = LlamaForCausalLM(config).eval()
greedy = GenerationConfig(max_new_tokens=5, do_sample=False, eos_token_id=63, pad_token_id=0)
seen = {}
for name, mode in (("plain", nullcontext), ("no_grad", torch.no_grad), ("inference_mode", torch.inference_mode)):
    with mode():
        answers = model.generate_batch([[5, 6, 7, 8], [9, 10, 11]], generation_config=greedy, progress_bar=False)
    seen[name] = [(len(each.generated_tokens), each.error is not None) for _, each in sorted(answers.items())]
    lengths, errors = map(list, zip(*seen[name]))
    print(f"{name + ':':<15} {lengths} errors: {errors}")
assert seen["plain"] == seen["no_grad"] == [(5, False)] * 2
assert seen["inference_mode"] == [(0, True)] * 2
END
