"""A tiny real checkpoint for tests: a random Qwen3 with head dimension 32 (which vLLM's CPU kernels take), a
byte-level tokenizer with a chat template, and the three memory tokens in rows of its own vocabulary.

As a program: `python tests/tiny.py FOLDER` writes it.
"""

import sys
from pathlib import Path

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
SPECIAL = ["<|im_start|>", "<|im_end|>", "<rim_b>", "<rim_m>", "<rim_eb>"]


def build_prompt(system, item, question, tokenizer):
    """The prompt of one item, `question` being its text in the suite's wording."""
    from rimbench.running.prompts import PromptBuilder

    (prompt,) = PromptBuilder(system, tokenizer).build([(item, question)])
    return prompt


class Watching:
    """Notes what is said and counts what is kept; interrupts as Ctrl-C would once so much is kept."""

    def __init__(self, stop_after=None):
        self.notes, self.kept, self.stop_after = [], 0, stop_after

    def note(self, message):
        self.notes.append(message)

    def start(self, run, store):
        pass

    def advance(self, answers):
        self.kept += answers
        if self.stop_after is not None and self.kept >= self.stop_after:
            raise KeyboardInterrupt

    def finish(self, run, store):
        pass

    def says(self, part):
        return any(part in note for note in self.notes)


def make_tokenizer(special=SPECIAL):
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({character: i for i, character in enumerate(alphabet)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|im_end|>", pad_token="<|im_end|>", chat_template=CHAT_TEMPLATE
    )


def make_checkpoint(folder: Path, *, special=SPECIAL, seed=0, context=1024) -> Path:
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tokenizer = make_tokenizer(special)
    torch.manual_seed(seed)
    model = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=272,
            hidden_size=64,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=32,
            max_position_embeddings=context,
            tie_word_embeddings=True,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    # Wider than the usual start, so that greedy choices are far apart and no engine's rounding turns them over.
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def beside(checkpoint: Path, folder: Path) -> str:
    """A checkpoint copied into the folder of a system's file, which may name what lies below it."""
    import shutil

    return str(shutil.copytree(checkpoint, folder / "checkpoint", dirs_exist_ok=True))


def write_suite(folder: Path, rows: int = 60) -> Path:
    """A suite TOML with a file of `rows` questions of several lengths beside it."""
    import json

    lines = []
    for i in range(rows):
        options = {letter: f"{letter.lower()}{i} value {'x' * (i % 7)}" for letter in "ABCD"}
        row = {"question": f"Question {i}: " + "which of these? " * (1 + i % 5), "options": options}
        lines.append(json.dumps(row | {"answer_idx": "ABCD"[i % 4]}))
    (folder / "tiny.jsonl").write_text("\n".join(lines) + "\n")
    toml = folder / "tiny.toml"
    toml.write_text(
        'description = "made for tests"\n'
        f"n = {rows}\nseed = 1\n"
        '[source]\npath = "tiny.jsonl"\n'
        '[[layout]]\nname = "test"\nquestion = "question"\noptions = "options"\n'
        'gold = { letter = "answer_idx" }\n'
    )
    return toml


if __name__ == "__main__":
    make_checkpoint(Path(sys.argv[1]))
