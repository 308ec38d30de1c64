"""Does a model's letter come from what it writes? `python experiments/written.py [CHECKPOINT]`

Without a checkpoint it asks the shipped base.

Fresh items of demo-in-dist's kind, with 4 options. Each is answered three times: in one pass, after its right chain
of values, and after that chain with another option's value written last. A model that reads what it wrote follows
the changed value; one that has worked the answer out on its own keeps the right letter.
"""

import sys
from pathlib import Path
from typing import Any

import torch
from family import PACKED

from rimbench import checkpoints
from rimbench.engines._readout import LetterReadout
from rimbench.records import LETTERS
from rimbench.suites.titration import Titration, TitrationSettings, generate

ITEMS, SEED = 500, 98


def main() -> None:
    """Print the shares."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else PACKED / "base"
    tokenizer, model = checkpoints.read_tokenizer(folder), checkpoints.load_model(folder, "float32").eval()
    items = [generate(TitrationSettings((2, 4), (4, 4)), SEED, i) for i in range(ITEMS)]
    gold = [item.gold for item in items]
    others = [(item.gold + 1) % 4 for item in items]
    written = [(*item.values[:-1], item.options[other]) for item, other in zip(items, others, strict=True)]
    readout = LetterReadout(model, "cpu")
    ids = tuple(tokenizer.convert_tokens_to_ids(letter) for letter in LETTERS[:4])

    def letters(values: list[tuple[int, ...]]) -> list[int]:
        prompts = [prompt(tokenizer, *pair) for pair in zip(items, values, strict=True)]
        with torch.inference_mode():
            return [logits.index(max(logits)) for logits in readout.logits(prompts, ids)]

    at_once, right, changed = letters([()] * ITEMS), letters([item.values for item in items]), letters(written)
    print(f"one pass: {share(at_once, gold)} right; after the right chain: {share(right, gold)} right")
    print(f"another value written last: {share(changed, others)} follow it, {share(changed, gold)} keep the letter")


def prompt(tokenizer: Any, item: Titration, values: tuple[int, ...]) -> list[int]:
    """Token ids up to the answer's letter, the values written out before it."""
    lines = [item.question, *(f"{letter}: {value}" for letter, value in zip(LETTERS, item.options, strict=False))]
    asked = [{"role": "user", "content": "\n".join(lines)}]
    ids: list[int] = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_dict=False)
    reply = "".join(f"{value}\n" for value in values) + r"\boxed{"
    return ids + list(tokenizer.encode(reply, add_special_tokens=False))


def share(found: list[int], wanted: list[int]) -> str:
    """How many agree, in percent."""
    return f"{100 * sum(a == b for a, b in zip(found, wanted, strict=True)) / len(found):.1f}%"


if __name__ == "__main__":
    main()
