#!/bin/sh
# A checkpoint that transformers 5 saved is computed by 4.57.3 with another rotary base, without a word.
#
# Library   transformers 5.23.0 saves, 4.57.3 reads; torch 2.13.0, Qwen3ForCausalLM (random weights, 2 layers)
# Input     a model with rotary base 1,000,000, which is Qwen3's, saved by save_pretrained; 60 tokens
# Seen      config.json holds rope_parameters.rope_theta and no rope_theta. 4.57.3 knows the second name alone,
#           takes its default of 10,000 and keeps the unknown key as an attribute. It loads, answers and warns of
#           nothing. With rope_theta written beside it the logits are the same.
# Matters   such a checkpoint scores a little or much worse there, and its benchmark is that of another model.
#
# Printed
#   4.57.3 as saved:            rotary base 10000.0, largest logit difference 3.67, 29 of 60 next tokens differ
#   4.57.3 with the key beside: rotary base 1000000.0, largest logit difference 0.00, 0 of 60 next tokens differ
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet torch==2.13.0
"$folder/env/bin/pip" install --quiet --target "$folder/newer" transformers==5.23.0
"$folder/env/bin/pip" install --quiet --target "$folder/older" transformers==4.57.3
cd "$folder"
PYTHONPATH=newer env/bin/python - <<'END'
import json
import shutil
from pathlib import Path

import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

config = Qwen3Config(
    vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=1, head_dim=16, rope_parameters={"rope_type": "default", "rope_theta": 1e6},
)
torch.manual_seed(0)
model = Qwen3ForCausalLM(config).eval()
for parameter in model.parameters():
    if parameter.dim() > 1:
        torch.nn.init.normal_(parameter, 0, 0.2)
model.save_pretrained("saved")
with torch.inference_mode():
    torch.save(model(torch.arange(60)[None]).logits, "logits.pt")
shutil.copytree("saved", "beside")
settings = json.loads(Path("beside/config.json").read_text())
Path("beside/config.json").write_text(json.dumps(settings | {"rope_theta": settings["rope_parameters"]["rope_theta"]}))
END
PYTHONPATH=older env/bin/python - <<'END'
import torch
from transformers import AutoModelForCausalLM

logits = torch.load("logits.pt")
found = {}
for folder, called in (("saved", "as saved:"), ("beside", "with the key beside:")):
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.inference_mode():
        here = model(torch.arange(60)[None]).logits
    others = int((here.argmax(-1) != logits.argmax(-1)).sum())
    found[folder] = (model.config.rope_theta, float((here - logits).abs().max()), others)
    print("4.57.3 {:<20} rotary base {}, largest logit difference {:.2f}, {} of 60 next tokens differ".format(
        called, *found[folder]))
assert found["saved"][0] == 10_000 and found["saved"][1] > 0.5
assert found["beside"][0] == 1_000_000 and found["beside"][1] < 1e-4
END
