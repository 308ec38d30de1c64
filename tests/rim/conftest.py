import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

SHAPE = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "max_position_embeddings": 256,
}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(params=["qwen3-tied", "qwen3", "llama"])
def model(request):
    torch.manual_seed(0)
    if request.param == "llama":
        tiny = LlamaForCausalLM(LlamaConfig(vocab_size=320, **SHAPE))
    else:
        tied = request.param == "qwen3-tied"
        tiny = Qwen3ForCausalLM(Qwen3Config(vocab_size=320, tie_word_embeddings=tied, **SHAPE))
    # Ten times the usual spread, so that what a token sees changes its logits by far more than the tolerance.
    with torch.no_grad():
        for parameter in tiny.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.2)
    return tiny.eval()


@pytest.fixture
def tokenizer():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({character: i for i, character in enumerate(alphabet)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=backend)
