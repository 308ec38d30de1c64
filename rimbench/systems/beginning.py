"""A checkpoint folder -> the TOML of a system that reads it out: what is asked is told by its tokenizer."""

from collections.abc import Iterator
from pathlib import Path

from rimbench import checkpoints
from rimbench.errors import ModelError
from rimbench.files.toml import toml_text
from rimbench.rim.blocks import Memory, token_id
from rimbench.systems.weights import checkpoint_in


def system_toml(given: Path, named: str) -> str:
    """The TOML of a system whose weights are `named` beside it; ModelError for a folder that holds none."""
    folder = checkpoint_in(given)
    if folder is None:
        raise ModelError(f"{given} holds no checkpoint: expected a folder with config.json, weights and tokenizer")
    checkpoints.check(folder)
    return "\n".join(_lines(folder, named)) + "\n"


def _lines(folder: Path, named: str) -> Iterator[str]:
    tokenizer = checkpoints.read_tokenizer(folder)
    memory = Memory(8)
    remembers = all(token_id(tokenizer, token) is not None for token in memory.tokens)
    yield f"# How the model in {named} is asked. What its tokenizer does not show is assumed, and marked so."
    yield f"description = {toml_text(f'The model in {named}, read out in one pass')}"
    yield '# baseline = "base"  # the system that it is compared with'
    yield f"\n[weights]\npath = {toml_text(named)}  # beside this file"
    yield "\n[prompt]"
    if "enable_thinking" in str(tokenizer.chat_template):
        yield "chat_template = { enable_thinking = false }  # an argument of its chat template"
    if remembers:
        yield "prefix = 'The final answer is \\boxed{'  # assumed: what opened the answer in its training"
        yield "\n# Its tokenizer has these tokens. How many blocks and tokens it was trained with is assumed."
        yield f"[memory]\nblocks = {memory.blocks}\nmemory_tokens = {memory.memory_tokens}"
        yield f'begin = "{memory.begin}"\nmemory = "{memory.memory}"\nend = "{memory.end}"'
    else:
        yield 'instruction = "Answer with the letter of the right option alone."'
    yield '\n[answer]\nmode = "readout"  # the letters\' probabilities, from one pass'
    yield "# To have it write instead, and its letter found in the text: an instruction to reason, and"
    yield '# mode = "generate"\n# max_new_tokens = 2048'
