"""Whether a model's logits are the plain product of its hidden states with its output head.

Some models scale them (Granite, Cohere), squash them (Gemma 2), or scale what the head is given (MiniCPM): there a
readout that multiplies only the options' rows of the head would print other probabilities than the model's.
"""

from typing import Any

import torch
from torch import Tensor

STEPS = 251
"""A ramp of so many steps of 8 about 0 is exact in every number type, and large enough for any squashing to show."""


def is_plain_head(model: Any) -> bool:
    """Whether the head is given what the body gives, and its product comes out unchanged: both exactly.

    The product is replaced by a ramp on its way out, so that no rounding can hide a scale.
    """
    body, head = model.base_model, model.get_output_embeddings()
    if body is model or not isinstance(head, torch.nn.Module) or not hasattr(head, "weight"):
        return False
    seen: dict[str, Tensor] = {}

    def keep_body(_: Any, __: Any, output: Any) -> None:
        seen["body"] = output.last_hidden_state

    def replace_product(_: Any, given: tuple[Tensor, ...], output: Tensor) -> Tensor:
        seen["given"] = given[0]
        ramp = torch.arange(output.shape[-1], device=output.device) % STEPS - STEPS // 2
        seen["product"] = (8 * ramp).to(output.dtype).expand_as(output)
        return seen["product"]

    hooks = [body.register_forward_hook(keep_body), head.register_forward_hook(replace_product)]
    try:
        with torch.inference_mode():
            logits = model(
                input_ids=torch.zeros((1, 2), dtype=torch.long, device=model.device), use_cache=False
            ).logits
    finally:
        for hook in hooks:
            hook.remove()
    if seen.keys() != {"body", "given", "product"}:
        return False
    return torch.equal(seen["given"], seen["body"]) and torch.equal(logits.float(), seen["product"].float())
