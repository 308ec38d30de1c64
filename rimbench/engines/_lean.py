"""The forward pass of a plain decoder (Llama, Qwen2, Qwen3) down to what an answer needs: the state at one position.

A readout is one pass over prompts; a written answer starts from the same pass, which then keeps its keys and values,
and goes on by a token of every row at a time.

The same arithmetic as the model's own modules in fewer and larger operators, with no Python that can be done once:
queries, keys and values are one product, so are gate and up; cosines and sines are kept; queries and keys turn
together; residuals are added inside the products; and the last layer, whose other positions nobody asks for, runs its
queries and its MLP at the answer's position alone. A large model's weights stay as they are on a CPU: its calls are
few for their arithmetic, and joined weights would stand beside the pages of the file that they were read from.

A small model's pass is made of operator calls more than of arithmetic: `benchmarks/latency.py` times this against the
model's own modules, at nano size and at 135M.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rimbench.engines._attention import attention, attention_in_blocks
from rimbench.engines._cache import Attend, Geometry
from rimbench.engines._products import LAID_OUT_AT_MOST, OneDnnProducts, Products, fastest

if TYPE_CHECKING:
    from torch import Tensor

PLAIN = ("llama", "qwen2", "qwen3")
"""Model types whose decoder is the one written here."""


TOKENS_AT_ONCE = {"cpu": 1024, "cuda": 65536}
"""Prompt tokens of a pass: on a CPU few enough that activations fit the cache, on a GPU many enough to fill it."""
TURNS_BY_LENGTH = ("dynamic", "longrope")
"""Rotary embeddings whose turn at a position depends on how long the sequence has become: not written here."""


def turns_by_length(model: Any) -> bool:
    """Whether what a row gives depends on the longest one beside it: such rows are computed one at a time."""
    rope = getattr(model.config, "rope_parameters", None) or {}
    kinds = [rope, *(kind for kind in rope.values() if isinstance(kind, dict))]  # one, or one a kind of layer
    return any(kind.get("rope_type") in TURNS_BY_LENGTH for kind in kinds)


def is_plain(model: Any) -> bool:
    """Whether the model is of a type that is written here, with full attention, SiLU and no dropout of its own."""
    config = model.config
    return (
        config.model_type in PLAIN
        and not turns_by_length(model)
        and config.hidden_act == "silu"
        and set(getattr(config, "layer_types", None) or ["full_attention"]) == {"full_attention"}
    )


@dataclass(frozen=True, slots=True)
class _Layer:
    """One layer's weights, products that share an input side by side."""

    norm: "Tensor"
    qkv: tuple["Tensor", ...]
    qkv_biases: tuple["Tensor | None", ...]
    qk_norm: "Tensor | None"
    out: "Tensor"
    mlp_norm: "Tensor"
    gate_up: tuple["Tensor", ...]
    down: "Tensor"


class LeanDecoder:
    """Hidden states at one position of each row; the weights are the model's own, laid side by side in place.

    `products` are the fastest ones if not given.
    """

    def __init__(self, model: Any, products: Products | None = None) -> None:
        import torch

        config = model.config
        self._torch, self._functional = torch, torch.nn.functional
        self._body: Any = model.base_model
        weight = self._body.embed_tokens.weight
        self._head: Any = model.get_output_embeddings()
        held = sum(parameter.nbytes for parameter in [*self._body.layers.parameters(), self._head.weight])
        self._products = products or fastest(weight.device.type, weight.dtype, weight.shape[1], held)
        self._attends_in_blocks = isinstance(self._products, OneDnnProducts)
        self._joins = weight.device.type != "cpu" or held <= LAID_OUT_AT_MOST
        self._heads = int(config.num_attention_heads)
        self._key_heads = int(config.num_key_value_heads)
        self._size = int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)
        self._eps = float(config.rms_norm_eps)
        self._eps_there = torch.tensor(self._eps, dtype=weight.dtype, device=weight.device)
        self._norms_are_composed = weight.device.type == "cpu" and weight.dtype == torch.float32
        self._layers = [self._lay(layer) for layer in self._body.layers]
        self._head_rows = self._products.laid(self._head.weight)
        self._turns: dict[int, tuple[Tensor, Tensor]] = {}

    def logits(self, hidden: "Tensor") -> "Tensor":
        """The head's logits [rows, vocabulary] in fp32 of final hidden states [rows, hidden]."""
        return self._products.linear(hidden, self._head_rows, self._head.bias).float()

    def hidden_at(
        self,
        ids: "Tensor",
        last: "Tensor",
        *,
        ragged: bool,
        padded: bool = False,
        made: "list[tuple[Tensor, Tensor]] | None" = None,
    ) -> "Tensor":
        """The final hidden state [rows, hidden] at position `last` [rows] of token ids [rows, width].

        Rows are padded on the right; `ragged` says that some are. On a CPU their padding is then left out, and each
        row attends by itself; on a GPU, where every call is a launch, and in a pass that is `padded` to one shape, it
        is computed and never looked at. `made` takes each layer's keys and values of all tokens that were computed.
        """
        rows, width = ids.shape
        cosines, sines = self._turn(width, self._body.embed_tokens.weight)
        positions = self._torch.arange(width, device=ids.device)
        inside = positions <= last[:, None]
        ids, groups, seen = ids.flatten(), [(rows, width)], None
        places = self._torch.arange(rows, device=ids.device) * width + last
        positions = positions.repeat(rows)
        if ragged and not padded and ids.device.type == "cpu":
            kept = inside.flatten()
            ids, positions = ids[kept], positions[kept]
            groups = [(1, length) for length in (last + 1).tolist()]
            places = (last + 1).cumsum(0) - 1
        elif ragged:
            seen = inside[:, None, None]
        if rows > 1 or ragged:
            cosines, sines = cosines[positions], sines[positions]
        flat = self._body.embed_tokens(ids)
        for layer in self._layers[:-1]:
            queries, keys, values = self._attend_with(layer, flat, cosines, sines)
            if made is not None:
                made.append((keys, values))
            mixed = self._attention(queries, keys, values, groups)
            flat = self._mlp(layer, self._products.added(mixed, layer.out, flat))
        layer = self._layers[-1]
        queries, keys, values = self._attend_with(layer, flat, cosines, sines)
        if made is not None:
            made.append((keys, values))
        mixed = self._attention(queries[places], keys, values, groups, seen)
        flat = self._mlp(layer, self._products.added(mixed, layer.out, flat[places]))
        return self._norm(flat, self._body.norm.weight)

    def new_made(self, tokens: int) -> "list[tuple[Tensor, Tensor]]":
        """Room for each layer's keys and values of so many tokens, as `hidden_at` makes them."""
        shape = (tokens, self._key_heads, self._size)
        weight = self._body.embed_tokens.weight
        return [(weight.new_empty(shape), weight.new_empty(shape)) for _ in self._layers]

    @property
    def geometry(self) -> Geometry:
        """What a cache keeps of a token."""
        weight = self._body.embed_tokens.weight
        return Geometry(len(self._layers), self._heads, self._key_heads, self._size, weight)

    def cache_bytes(self, tokens: int) -> int:
        """What one row of so many tokens takes in a cache."""
        item = self._body.embed_tokens.weight.element_size()
        return int(len(self._layers) * 2 * self._key_heads * tokens * self._size * item)

    def step(self, tokens: "Tensor", places: "Tensor", longest: int, attend: Attend) -> "Tensor":
        """The final hidden state [rows, hidden] of one further token of each row that a cache holds.

        `places` [rows] are the tokens' positions, all below `longest`; `attend` reads the cache, and adds to it.
        """
        cosines, sines = (table[places] for table in self._turn(longest, self._body.embed_tokens.weight))
        flat = self._body.embed_tokens(tokens)
        for number, layer in enumerate(self._layers):
            mixed = attend(number, *self._attend_with(layer, flat, cosines, sines))
            flat = self._mlp(layer, self._products.added(mixed, layer.out, flat))
        return self._norm(flat, self._body.norm.weight)

    def _attend_with(
        self, layer: _Layer, flat: "Tensor", cosines: "Tensor", sines: "Tensor"
    ) -> tuple["Tensor", "Tensor", "Tensor"]:
        """Queries, keys and values [tokens, heads, size], queries and keys turned to their positions."""
        normed, heads, keys = self._norm(flat, layer.norm), self._heads, self._key_heads
        parts = [self._products.linear(normed, *part) for part in zip(layer.qkv, layer.qkv_biases, strict=True)]
        mixed = parts[0] if len(parts) == 1 else self._torch.cat(parts, -1)
        mixed = mixed.view(-1, heads + 2 * keys, self._size)
        turning, values = mixed[:, : heads + keys], mixed[:, heads + keys :]
        if layer.qk_norm is not None:
            turning = self._norm(turning, layer.qk_norm)
        turned = self._torch.addcmul(turning * cosines, turning.roll(self._size // 2, -1), sines)
        return turned[:, :heads], turned[:, heads:], values

    def _attention(
        self,
        queries: "Tensor",
        keys: "Tensor",
        values: "Tensor",
        groups: list[tuple[int, int]],
        seen: "Tensor | None" = None,
    ) -> "Tensor":
        """Each group of (rows, width) among its own keys and values: [queries, heads x size].

        Every token asks, or one of each row, of what it has `seen` if not of all.
        """
        mixed: list[Tensor] = []
        asked = start = 0
        for rows, width in groups:
            end = start + rows * width
            asking = rows * width if len(queries) == len(keys) else rows
            parts = (queries[asked : asked + asking], keys[start:end], values[start:end])
            q, k, v = (part.view(rows, -1, part.shape[1], self._size) for part in parts)
            if self._attends_in_blocks and q.shape[1] > 1:
                mixed.append(attention_in_blocks(self._torch, self._products, q, k, v))
            else:
                mixed.append(attention(self._torch, q, k, v, seen))
            asked, start = asked + asking, end
        return mixed[0] if len(mixed) == 1 else self._torch.cat(mixed)

    def _mlp(self, layer: _Layer, flat: "Tensor") -> "Tensor":
        gated = self._products.gated(self._norm(flat, layer.mlp_norm), layer.gate_up)
        return self._products.added(gated, layer.down, flat)

    def _norm(self, rows: "Tensor", weight: "Tensor") -> "Tensor":
        """Each row [..., size] by its root mean square, times a weight: one [size], or one a head [heads, size]."""
        size = rows.shape[-1]
        if self._norms_are_composed:  # torch's own is composed there too, of twice as many operators
            lengths = self._torch.linalg.vector_norm(rows, dim=-1, keepdim=True)
            scales = self._torch.addcmul(self._eps_there, lengths, lengths, value=1 / size).rsqrt_()
            return (rows * scales).mul_(weight)
        if weight.dim() == 1:
            return self._functional.rms_norm(rows, (size,), weight, self._eps)
        return self._functional.rms_norm(rows, (size,), eps=self._eps) * weight

    def _turn(self, width: int, like: "Tensor") -> tuple["Tensor", "Tensor"]:
        """Cosines and sines [width, 1, size], half of the sines negated: x turns to x cos + roll(x) sin."""
        room = 1 << (width - 1).bit_length()  # a table a width would be many, and graphs keep the one they read
        if room not in self._turns:
            positions = self._torch.arange(room, device=like.device)[None]
            cosines, sines = self._body.rotary_emb(like[None], positions)
            half = self._size // 2
            sines = self._torch.cat((-sines[..., :half], sines[..., half:]), -1)
            self._turns[room] = (cosines[0, :, None], sines[0, :, None])
        cosines, sines = self._turns[room]
        return cosines[:width], sines[:width]

    def _lay(self, layer: Any) -> _Layer:
        attention, mlp = layer.self_attn, layer.mlp
        qkv = [attention.q_proj, attention.k_proj, attention.v_proj]
        norms = None
        if hasattr(attention, "q_norm"):
            parts = ((attention.q_norm.weight, self._heads), (attention.k_norm.weight, self._key_heads))
            norms = self._torch.cat([weight.detach().expand(count, -1) for weight, count in parts])
        laid = self._products.laid
        return _Layer(
            norm=layer.input_layernorm.weight,
            qkv=tuple(map(laid, self._joined([product.weight for product in qkv]))),
            qkv_biases=self._joined([product.bias for product in qkv]),
            qk_norm=norms,
            out=laid(attention.o_proj.weight),
            mlp_norm=layer.post_attention_layernorm.weight,
            gate_up=self._products.laid_pair(self._joined([mlp.gate_proj.weight, mlp.up_proj.weight])),
            down=laid(mlp.down_proj.weight),
        )

    def _joined(self, parts: list[Any]) -> tuple[Any, ...]:
        """One tensor of several, whose rows they become, so that nothing is held twice; or themselves."""
        if not self._joins:
            return tuple(parts)
        if parts[0] is None:
            return (None,)
        joined = self._torch.cat([part.detach() for part in parts])
        start = 0
        for part in parts:
            end = start + len(part)
            part.data, start = joined[start:end], end
        return (joined,)
