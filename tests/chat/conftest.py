import pytest
import tiny
from transformers import AutoTokenizer

from rimbench.chat.writing import ChatWriter

CHATML = tiny.CHAT_TEMPLATE


@pytest.fixture(scope="session")
def tokenizer(checkpoint):
    return AutoTokenizer.from_pretrained(checkpoint)


@pytest.fixture
def writer(tokenizer):
    """A writer of chats by another template."""

    def make(template=CHATML, date="2025-01-01", **arguments):
        own = AutoTokenizer.from_pretrained(tokenizer.name_or_path)
        own.chat_template = template
        return ChatWriter(own, "system 'mine'", arguments, date)

    return make


@pytest.fixture(scope="session")
def merging():
    """A byte-level BPE tokenizer that writes a space with the letter behind it, as those of large models do."""

    def make(merges=()):
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers
        from transformers import PreTrainedTokenizerFast

        merges = [*(("Ġ", letter) for letter in "ABCDEFGHIJ"), *merges]
        tokens = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *map("".join, merges)]
        raw = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
        raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        raw.decoder = decoders.ByteLevel()
        raw.add_special_tokens(["<|end|>"])
        return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|end|>", chat_template=CHATML)

    return make


@pytest.fixture(scope="session")
def sentencepiece():
    """A tokenizer with SentencePiece's word mark, which it also puts before the first word of a text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    pieces = [("<unk>", 0.0), *((f"▁{letter}", -2.0) for letter in "ABCDEFGHIJ"), ("▁Answer", -3.0)]
    pieces += [(chr(i), -8.0) for i in range(32, 127)] + [("▁", -7.0), ("\n", -8.0)]
    raw = Tokenizer(models.Unigram(pieces, unk_id=0))
    raw.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    raw.decoder = decoders.Metaspace(prepend_scheme="first", split=False)
    raw.add_special_tokens(["</s>", "[INST]", "[/INST]"])
    template = (
        "{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]{% else %}"
        " {{ m['content'] }}</s>{% endif %}{% endfor %}"
    )
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="</s>", unk_token="<unk>", chat_template=template)


@pytest.fixture(scope="session")
def smollm2():
    """The tokenizer of a published model, where its package is installed."""
    from rimbench import systems
    from rimbench.systems import weights

    if weights.obstacle(systems.load("smollm2").weights) is not None:
        pytest.skip("the weights of smollm2 cannot be had here")
    return AutoTokenizer.from_pretrained(weights.resolve(systems.load("smollm2")).folder)
