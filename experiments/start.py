"""A new model for the nano family: its tokenizer, and a deep and thin Qwen3 with random weights.

The tokenizer is byte-level, so that it reads any text, with a vocabulary for the generated questions: a number up to
99, an option letter, the head of an option's line and the words between two numbers are one token each, so that a
question costs few of them.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from rimbench.suites.titration import LARGEST_MG

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
ROLES = ["<|user|>", "<|assistant|>", "<|system|>", "<|end|>"]
BOX = r"\boxed{"
PIECES = r"\d{1,2}|\n[A-J]: |\n|[^\d\n]+"
"""What a token may not reach across: a number, the head of an option, a line end, and the words between them."""
PERIODS = (2.0, 4.0, 5.0, 8.0, 10.0, 16.0, 20.0, 32.0, 50.0, 100.0, 200.0)
SPARE_ROWS = 16
"""Embedding rows that no token has: memory tokens fit in without a new matrix, as in Qwen3."""


def make_tokenizer(texts: Iterable[str]) -> hf.PreTrainedTokenizerFast:
    """A tokenizer with a vocabulary learned from these texts."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    backend.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, min_frequency=2)
    )
    backend.add_tokens([AddedToken(BOX, normalized=False)])
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in ROLES])
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token="<|end|>",
        pad_token="<|end|>",
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def make_start(folder: Path, texts: Iterable[str], seed: int, **size: int) -> Path:
    """Write tokenizer and untrained model; `size` is what `Qwen3Config` takes, for models of other sizes."""
    tokenizer = make_tokenizer(texts)
    torch.manual_seed(seed)
    sizes: dict[str, Any] = {
        "hidden_size": 64,
        "intermediate_size": 192,
        "num_hidden_layers": 8,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 32,
    }
    config = hf.Qwen3Config(
        vocab_size=len(tokenizer) + SPARE_ROWS,
        max_position_embeddings=512,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=True,
        initializer_range=0.08,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        **(sizes | size),
    )
    model = hf.Qwen3ForCausalLM(config)
    _lay_out_numbers(model, tokenizer)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _lay_out_numbers(model: Any, tokenizer: Any) -> None:
    """Let the embeddings of numbers start on circles of several periods, as those of pretrained models lie.

    A tiny model would else spend most of its training on finding out which of its tokens are neighbours.
    Source of the observation: Kantamneni and Tegmark 2025, "Language Models Use Trigonometry to Do Addition".
    """
    weight = model.get_input_embeddings().weight
    numbers = torch.arange(1, LARGEST_MG + 1)
    angles = 2 * torch.pi * numbers[:, None] / torch.tensor(PERIODS)
    circles = torch.cat([angles.cos(), angles.sin()], dim=1)
    spread = weight.std() * (weight.shape[1] / circles.shape[1]) ** 0.5
    ids = tokenizer.convert_tokens_to_ids([str(number) for number in numbers.tolist()])
    with torch.no_grad():
        weight[ids] = weight[ids] / 2
        weight[ids, : circles.shape[1]] += spread * circles
