"""Saves a Qwen3 of random weights with memory tokens as training does, with what every reader must give for it.

    python tests/portable/make.py FOLDER TOKENIZER

Tokenizer and number of rows are Qwen3's own: llama.cpp knows tokenizers by name, and the rows beyond the tokens are
left over as they are there.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

from rimbench.rim.blocks import Memory, memory_token_ids
from rimbench.rim.checkpoint import add_memory_tokens, save_checkpoint

folder, memory = Path(sys.argv[1]), Memory(8)
torch.manual_seed(0)
tokenizer = AutoTokenizer.from_pretrained(sys.argv[2])
rotary = {"rope_type": "default", "rope_theta": 1e6}
shape = {"vocab_size": 151_936, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2}
heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32, "max_position_embeddings": 512}
model = Qwen3ForCausalLM(Qwen3Config(**shape, **heads, tie_word_embeddings=True, rope_parameters=rotary)).eval()
for parameter in model.parameters():
    if parameter.dim() > 1:
        torch.nn.init.normal_(parameter, 0, 0.2)
add_memory_tokens(tokenizer, model, memory, torch.Generator().manual_seed(0))
save_checkpoint(model, tokenizer, folder)
asked = [{"role": "user", "content": "Which vitamin is lacking in scurvy?"}]
text = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True, enable_thinking=False)
block = memory.begin + memory.memory * memory.memory_tokens + memory.end
ids = tokenizer.encode(text, add_special_tokens=False) + list(memory_token_ids(tokenizer, memory))
with torch.inference_mode():
    logprobs = model(torch.tensor([ids])).logits[0, -1].log_softmax(-1).tolist()
expected = {"text": text + block * memory.blocks, "ids": ids, "logprobs": logprobs}
(folder / "expected.json").write_text(json.dumps(expected))
