"""The least time that a GPU's memory bandwidth and arithmetic allow: shapes and token counts in, seconds out.

Counted as a roofline (Williams, Waterman and Patterson 2009, Communications of the ACM 52:65), so that no
software can be faster:

- A forward pass reads every weight once, whatever the batch: 2 bytes each in bf16. Tied embeddings are one matrix,
  read whole by the head; the input embeddings' few rows and the norms are left out.
- It multiplies every token with every body matrix (2 FLOP a weight), attends causally (4 FLOP a query-key pair
  and head dimension) and applies the head at the last position alone.
- A decode step is a pass over one token that also reads the keys and values of its context.
- What moves and what is computed overlap perfectly: a pass takes the longer of the two, never their sum.
- Generating n tokens takes n passes: the prefill gives the first one.

For Qwen3-1.7B this gives 3.44 GB, 0.857 TFLOP for 300 tokens (0.846 body, 0.010 attention, 0.001 head), and 520
tokens in 1.02 s on an RTX PRO 6000, of which the keys and values take 19 ms. A head at every position would make it
1.04 TFLOP; attention without the causal half, 0.867.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rimbench.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A decoder with gated MLP and grouped-query attention. `value_bytes` is the size of a weight: 2 in bf16."""

    layers: int
    hidden: int
    intermediate: int
    query_heads: int
    key_value_heads: int
    head_size: int
    vocabulary: int
    value_bytes: int = 2

    @property
    def body_weights(self) -> int:
        """Weights that every token is multiplied with: four attention and three MLP matrices a layer."""
        queries, keys = self.query_heads * self.head_size, self.key_value_heads * self.head_size
        return self.layers * self.hidden * (2 * queries + 2 * keys + 3 * self.intermediate)

    @property
    def key_value_bytes(self) -> int:
        """What one token of context adds to the key-value cache."""
        return 2 * self.layers * self.key_value_heads * self.head_size * self.value_bytes

    def weight_bytes(self, head_rows: int | None = None) -> int:
        """What one pass reads; `head_rows` rows of the head where it is sliced to the option letters, else all."""
        rows = self.vocabulary if head_rows is None else head_rows
        return self.value_bytes * (self.body_weights + rows * self.hidden)

    def attention_flop(self, pairs: int) -> int:
        """Scores and weighted values for that many query-key pairs, all layers and heads."""
        return 4 * self.layers * self.query_heads * self.head_size * pairs


UNGATED = ("gpt_neox", "gptj", "gpt_bigcode", "starcoder2", "opt", "phi", "bloom", "falcon", "mpt", "nemotron")
"""Model types whose MLP has two matrices, not three."""


def shape_of(config: Mapping[str, Any], value_bytes: int = 2) -> ModelShape:
    """The shape that a Hugging Face `config.json` states.

    ConfigError naming what it lacks, or why it is no dense decoder with a gated MLP.
    """
    experts = sorted(key for key in config if "experts" in key and config[key])
    if experts or config.get("model_type") in UNGATED:
        raise ConfigError(
            f"the model's config states {experts[0] if experts else config['model_type']}: expected a dense decoder "
            "with a gated MLP, whose weights a pass reads whole"
        )
    needed = ("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads", "vocab_size")
    missing = [key for key in needed if not isinstance(config.get(key), int)]
    if missing:
        raise ConfigError(f"the model's config lacks {', '.join(missing)}: expected a decoder's config.json")
    layers, hidden, intermediate, heads, vocabulary = (int(config[key]) for key in needed)
    return ModelShape(
        layers=layers,
        hidden=hidden,
        intermediate=intermediate,
        query_heads=heads,
        key_value_heads=int(config.get("num_key_value_heads") or heads),
        head_size=int(config.get("head_dim") or hidden // heads),
        vocabulary=vocabulary,
        value_bytes=value_bytes,
    )


@dataclass(frozen=True, slots=True)
class Device:
    """What a device can do at best: bytes from memory and dense bf16 FLOP, both a second."""

    name: str
    bytes_per_s: float
    flop_per_s: float
    source: str


_DATASHEET = "NVIDIA datasheet; tensor rates without sparsity"
GPUS: Mapping[str, Device] = {
    device.name: device
    for device in (
        Device(
            "RTX PRO 6000", 1.792e12, 503.8e12, "NVIDIA RTX Blackwell PRO GPU architecture whitepaper, dense bf16"
        ),
        Device("RTX 4090", 1.008e12, 165.2e12, "NVIDIA Ada GPU architecture whitepaper, bf16 accumulated in fp32"),
        Device("H100 SXM", 3.35e12, 989.4e12, f"{_DATASHEET} (H100)"),
        Device("H100 PCIe", 2.0e12, 756e12, f"{_DATASHEET} (H100)"),
        Device("H200 SXM", 4.8e12, 989.4e12, f"{_DATASHEET} (H200)"),
        Device("A100 SXM 80GB", 2.039e12, 312e12, f"{_DATASHEET} (A100)"),
        Device("L40S", 0.864e12, 362e12, f"{_DATASHEET} (L40S)"),
        Device("L4", 0.3e12, 121e12, f"{_DATASHEET} (L4)"),
    )
}


@dataclass(frozen=True, slots=True)
class Work:
    """What has to be done: bytes read and FLOP computed."""

    bytes_read: float
    flop: float

    def least_s(self, device: Device) -> float:
        """The longer of reading and computing, in seconds."""
        return max(self.bytes_read / device.bytes_per_s, self.flop / device.flop_per_s)


def prefill_work(shape: ModelShape, tokens: int, batch: int = 1, head_rows: int | None = None) -> Work:
    """One forward pass over `batch` sequences of `tokens` each, read out at the last position."""
    rows = shape.vocabulary if head_rows is None else head_rows
    pairs = tokens * (tokens + 1) // 2
    flop = 2 * tokens * shape.body_weights + shape.attention_flop(pairs) + 2 * rows * shape.hidden
    return Work(shape.weight_bytes(head_rows), batch * flop)


def decode_work(shape: ModelShape, context: int, batch: int = 1) -> Work:
    """One decode step of `batch` sequences, the new token being the last of `context`."""
    flop = 2 * shape.body_weights + 2 * shape.vocabulary * shape.hidden + shape.attention_flop(context)
    return Work(shape.weight_bytes() + batch * context * shape.key_value_bytes, batch * flop)


def least_prefill_s(shape: ModelShape, device: Device, tokens: int, batch: int = 1) -> float:
    """The least seconds of one forward pass with the whole head: a readout, or the time to the first token."""
    return prefill_work(shape, tokens, batch).least_s(device)


def least_generation_s(shape: ModelShape, device: Device, prompt: int, generated: int, batch: int = 1) -> float:
    """The least seconds from `prompt` tokens to the last of `generated` tokens, for the whole batch.

    `generated` = 1 is one forward pass; ValueError for fewer.
    """
    if generated < 1 or prompt < 1:
        raise ValueError(f"a pass has a token at least: {prompt} given, {generated} generated")
    steps = (decode_work(shape, prompt + step, batch).least_s(device) for step in range(1, generated))
    return least_prefill_s(shape, device, prompt, batch) + sum(steps)


@dataclass(frozen=True, slots=True)
class SaturatedFloor:
    """The least seconds a sample as the batch grows without bound, so that nobody pays for the weights.

    `overlapped_s` takes the longer of reading and computing in every pass, `added_s` their sum: real kernels
    lie between, as attention reads its keys while nothing else runs.
    """

    overlapped_s: float
    added_s: float


def saturated_floor(shape: ModelShape, device: Device, prompt: int, generated: int) -> SaturatedFloor:
    """The floor of one sample in a saturated batch; `generated` = 1 is a readout."""
    first = prefill_work(shape, prompt).flop / device.flop_per_s
    overlapped = added = first
    for step in range(1, generated):
        work = decode_work(shape, prompt + step)
        reading = (work.bytes_read - shape.weight_bytes()) / device.bytes_per_s
        computing = work.flop / device.flop_per_s
        overlapped += max(reading, computing)
        added += reading + computing
    return SaturatedFloor(overlapped, added)
