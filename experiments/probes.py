"""What can be read from memory linearly, and from the control at the same places? `nox -s probes` prints it.

Chains without options, half to fit and half to judge: none is in both, and nobody was tuned on one. (Their base, one
for both, wrote chains out before, and short ones may be among them.) A probe is a logistic regression from the states
after every layer at one place, side by side, to one of the doses: that after the first event, after the second, and
the last. Every layer, since what follows reads keys and values of each; no layer is chosen.

nano-rim-v2 is read at the last token of a block, nano-direct at the same place, behind as many neutral tokens as the
blocks have: what length alone gives. Behind the question itself both stand where they were trained. A probe says what
could be read there, not that it is: that takes an intervention.
"""

from collections.abc import Sequence
from typing import Any

import torch
from family import PACKED
from family import SEED as TUNED_SEED
from open_ended import BLOCKS, MEMORY_TOKENS, batches, fresh_items, load, prompts
from torch import Tensor

from rimbench.rim.blocks import Memory, memory_token_ids
from rimbench.statistics.estimate import accuracy
from rimbench.statistics.paired import paired_table, score_difference
from rimbench.suites.titration import LARGEST_MG, Titration

ITEMS, SEED = 4000, 96
PLACES = (0, 1, 2, 4, 8)
"""Blocks behind which the states are read."""
DOSES = {"first dose": 0, "second dose": 1, "last dose": -1}
FILLER = "\n"
PENALTY, STEPS = 1e-3, 100
"""Of a probe's squared weights, and of its fit."""


def main() -> None:
    """Print a row for every place and dose."""
    items = asked()
    rim, direct = states(PACKED / "rim-v2", items, memory=True), states(PACKED / "direct", items, memory=False)
    print(f"{'after':9} {'what':12} {'nano-rim-v2':>20} {'nano-direct':>20} {'difference, points':>22}")
    for place, block in enumerate(PLACES):
        for name, step in DOSES.items():
            doses = torch.tensor([item.values[step] - 1 for item in items])
            a, b = (probe(found[:, place], doses) for found in (rim, direct))
            gap = score_difference(paired_table(a, b))
            assert gap is not None
            where = f"block {block}" if block else "question"
            print(f"{where:9} {name:12} {shown(accuracy(a)):>20} {shown(accuracy(b)):>20} {shown(gap, '+'):>22}")


def asked() -> list[Titration]:
    """What the probes are fitted and judged on."""
    return fresh_items((TUNED_SEED,), ITEMS, SEED)


@torch.inference_mode()
def states(folder: Any, items: Sequence[Titration], *, memory: bool) -> Tensor:
    """The states after all layers, [items, places, layers x hidden], float32."""
    tokenizer, model = load(folder)
    length = MEMORY_TOKENS + 2
    if memory:
        behind = list(memory_token_ids(tokenizer, Memory(BLOCKS, MEMORY_TOKENS)))
    else:
        (token,) = tokenizer.encode(FILLER, add_special_tokens=False)
        behind = [token] * (length * BLOCKS)
    found = []
    for batch in batches(items):
        ids = [row + behind for row in prompts(tokenizer, batch)]
        width = max(map(len, ids))
        padded = torch.tensor([row + [0] * (width - len(row)) for row in ids])
        layers = model(padded, output_hidden_states=True, use_cache=False).hidden_states[1:]
        at = torch.tensor([[len(row) - len(behind) + length * block - 1 for block in PLACES] for row in ids])
        found.append(torch.cat([layer[torch.arange(len(ids))[:, None], at] for layer in layers], dim=-1).float())
    return torch.cat(found)


def probe(features: Tensor, classes: Tensor) -> list[bool]:
    """Whether a logistic regression that is fitted on the first half names the class of each of the second."""
    half = len(features) // 2
    mean, spread = features[:half].mean(0), features[:half].std(0) + 1e-6
    scaled = (features - mean) / spread
    weight = torch.zeros(scaled.shape[1], LARGEST_MG, requires_grad=True)
    bias = torch.zeros(LARGEST_MG, requires_grad=True)
    fit = torch.optim.LBFGS([weight, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        fit.zero_grad()
        logits = scaled[:half] @ weight + bias
        value = torch.nn.functional.cross_entropy(logits, classes[:half]) + PENALTY * weight.square().sum()
        value.backward()
        return value

    fit.step(loss)
    with torch.no_grad():
        named = (scaled[half:] @ weight + bias).argmax(-1)
    found: list[bool] = (named == classes[half:]).tolist()
    return found


def shown(estimate: Any, sign: str = "") -> str:
    """In percent, with its interval."""
    value, lo, hi = (f"{100 * each:{sign}.1f}" for each in (estimate.value, estimate.lo, estimate.hi))
    return f"{value} [{lo}, {hi}]"


if __name__ == "__main__":
    main()
