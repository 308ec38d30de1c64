import subprocess
import sys

import pytest

from rimbench.errors import ModelError, UsageError
from rimbench.rim.blocks import Memory, block_token_ids, memory_token_ids

TOKENS = ["<rim_b>", "<rim_m>", "<rim_eb>"]


def test_a_block_is_begin_then_m_memory_tokens_then_end(tokenizer):
    tokenizer.add_tokens(TOKENS, special_tokens=True)
    assert block_token_ids(tokenizer, Memory(1)) == (256, 257, 257, 258)
    assert block_token_ids(tokenizer, Memory(1, memory_tokens=3)) == (256, 257, 257, 257, 258)
    assert Memory(1, memory_tokens=3).block_length == 5


@pytest.mark.parametrize("blocks", [0, 1, 8])
def test_the_memory_is_k_times_the_same_block(tokenizer, blocks):
    tokenizer.add_tokens(TOKENS, special_tokens=True)
    assert memory_token_ids(tokenizer, Memory(blocks)) == (256, 257, 257, 258) * blocks


def test_the_ids_are_those_of_the_tokens_written_out_as_text(tokenizer):
    tokenizer.add_tokens(TOKENS, special_tokens=True)
    text = "<rim_b><rim_m><rim_m><rim_eb>" * 2
    assert tuple(tokenizer(text).input_ids) == memory_token_ids(tokenizer, Memory(2))


def test_a_tokenizer_without_the_tokens_is_no_rim_checkpoint_and_the_error_names_what_is_missing(tokenizer):
    tokenizer.add_tokens(TOKENS[:1], special_tokens=True)
    with pytest.raises(ModelError, match=r"no token <rim_m>, <rim_eb>: not a RiM checkpoint") as raised:
        memory_token_ids(tokenizer, Memory(8))
    assert "\n" not in str(raised.value)


def test_the_unknown_token_is_not_taken_for_a_memory_token(tokenizer):
    tokenizer.add_special_tokens({"unk_token": "<unk>"})
    with pytest.raises(ModelError, match="<rim_b>, <rim_m>, <rim_eb>"):
        block_token_ids(tokenizer, Memory(1))


@pytest.mark.parametrize(
    "wrong", [{"blocks": -1}, {"blocks": 1, "memory_tokens": 0}, {"blocks": 1, "end": "<rim_b>"}]
)
def test_an_impossible_memory_is_refused(wrong):
    with pytest.raises(UsageError):
        Memory(**({"blocks": 1} | wrong))


def test_the_layout_needs_neither_torch_nor_transformers():
    script = "import sys, rimbench.rim.blocks; sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
