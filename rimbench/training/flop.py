"""What a step of training costs: FLOP of a packed row, counted from its layout and the model's matrices.

Forward, for a row of N tokens of which p predict something:

    2 x N x W               every token meets every weight of the body's matrices, W in all
    4 x N x N x L x d       scores and weighted values: L layers, d = query heads x head size; all pairs of a row are
                            multiplied, since the packed mask is applied to their scores
    2 x p x H x V           the head of H x V at the predicting positions alone

and backward twice that. Padding, norms, the embeddings' look-up and the optimizer are left out.
"""

from collections.abc import Sequence

from transformers import PreTrainedModel

from rimbench.training.packing import TrainingRow
from rimbench.training.vocabulary import vocabulary_names


def step_flop(rows: Sequence[TrainingRow], batch_size: int, model: PreTrainedModel) -> float:
    """FLOP of an optimizer step over `batch_size` of these rows, on average."""
    vocabulary, config = vocabulary_names(model), model.config
    body = sum(p.numel() for name, p in model.named_parameters() if p.dim() == 2 and name not in vocabulary)
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    pair = 4 * config.num_hidden_layers * config.num_attention_heads * size
    head = 2 * config.hidden_size * config.vocab_size
    forward: int = sum(row.tokens * (2 * body + row.tokens * pair) + _predicting(row) * head for row in rows)
    return 3 * forward * batch_size / len(rows)


def _predicting(row: TrainingRow) -> int:
    """The positions that predict: one for each learned token, but the first tokens of segments on one block share."""
    first = {row.layout.reach(segment.block) for segment in row.segments if not segment.learned_from}
    return len(first) + sum(len(segment.token_ids) - max(1, segment.learned_from) for segment in row.segments)
