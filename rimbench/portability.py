"""What other readers make of a checkpoint, and settings that all of them read alike.

Flows in: a checkpoint folder, or the settings that transformers 5 writes. Flows out: a line for each reader, or the
settings with the names beside them that transformers 4 knows. What a reader does was seen with the version named
here (`nox -s portable`); no model is loaded.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rimbench import checkpoints
from rimbench.errors import ModelError

OLDER, NEWER, VLLM = "transformers 4.57.3", "transformers 5.23.0", "vLLM 0.32.0"

ROTARY_BASE = 10_000.0
"""What transformers 4 takes for these kinds of model where `rope_theta` is not stated; others have their own."""
WITH_THAT_BASE = {"llama", "mistral", "qwen2", "qwen3"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reader does with a checkpoint; `why` says what it stumbles over and what to change, and is empty where
    it does not.
    """

    reader: str
    outcome: Literal["the same", "computes otherwise", "does not open"]
    why: str = ""


def config_for_all(config: Mapping[str, Any]) -> dict[str, Any]:
    """A model's settings with the rotary base and scaling under the names of transformers 4 too."""
    found = dict(config)
    rope = config.get("rope_parameters")
    if isinstance(rope, dict) and "rope_theta" in rope:
        found["rope_theta"] = rope["rope_theta"]
        if rope.get("rope_type", "default") != "default":
            found["rope_scaling"] = {name: value for name, value in rope.items() if name != "rope_theta"}
    return found


def tokenizer_for_all(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A tokenizer's settings with a class that both versions know, and special tokens under the older name."""
    found = dict(settings)
    if found.get("tokenizer_class") == "TokenizersBackend":
        found["tokenizer_class"] = "PreTrainedTokenizerFast"
    if isinstance(found.get("extra_special_tokens"), list):
        found["additional_special_tokens"] = found.pop("extra_special_tokens")
    return found


def read_by_each(folder: Path, *, whole: bool = True) -> list[Reading]:
    """What each reader would do with a checkpoint folder, not `whole` with what is loaded of it alone; ModelError for
    one that is none, or cannot be read.
    """
    checkpoints.check(folder)
    config = _table(folder / "config.json")
    settings = folder / "tokenizer_config.json"
    tokenizer = _table(settings) if settings.is_file() else {}
    others = checkpoints.beside_weights(folder) if whole else []
    everywhere = _without_rows(folder, config)
    if everywhere:
        return [Reading(reader, "does not open", everywhere) for reader in (OLDER, NEWER, VLLM)]
    vllm = Reading(VLLM, "the same")
    if others:
        vllm = Reading(VLLM, "computes otherwise", f"loads {others[0]} beside the weights: take it out of the folder")
    return [_older(config, tokenizer), Reading(NEWER, "the same"), vllm]


def _older(config: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> Reading:
    if tokenizer.get("tokenizer_class") == "TokenizersBackend":
        why = "does not know the class TokenizersBackend: write PreTrainedTokenizerFast as tokenizer_class"
        return Reading(OLDER, "does not open", why)
    if isinstance(tokenizer.get("extra_special_tokens"), list):
        why = "takes extra_special_tokens for a table and asks for protobuf: name the list additional_special_tokens"
        return Reading(OLDER, "does not open", why)
    why = _other_rotation(config)
    return Reading(OLDER, "computes otherwise", why) if why else Reading(OLDER, "the same")


def _other_rotation(config: Mapping[str, Any]) -> str:
    """Why the older reader rotates positions otherwise than the newer one; empty where it does not.

    It keeps `rope_parameters` unread.
    """
    rope = config.get("rope_parameters")
    if not isinstance(rope, dict):
        return ""
    if "rope_theta" not in rope:
        return "reads no rope_parameters: state the rotary bases under its own names"
    usual = ROTARY_BASE if config.get("model_type") in WITH_THAT_BASE else "its own default"
    base = config.get("rope_theta", usual)
    if base != rope["rope_theta"]:
        taken, meant = (
            f"{each:,.0f}" if isinstance(each, int | float) else each for each in (base, rope["rope_theta"])
        )
        return f"takes {taken} for the rotary base {meant}: write rope_theta beside rope_parameters"
    kind = rope.get("rope_type", "default")
    if kind != "default" and not config.get("rope_scaling"):
        return f"leaves out the rotary scaling '{kind}': write rope_scaling beside rope_parameters"
    return ""


def _without_rows(folder: Path, config: Mapping[str, Any]) -> str | None:
    """Says which token the model has no row for, if there is one."""
    path, rows = folder / "tokenizer.json", config.get("vocab_size")
    if not path.is_file() or not isinstance(rows, int):
        return None
    try:
        added = [(int(token["id"]), str(token["content"])) for token in _table(path).get("added_tokens") or ()]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}, added_tokens: expected tokens with id and content; save it again") from error
    beyond = sorted((number, token) for number, token in added if number >= rows)
    if beyond:
        number, token = beyond[0]
        return f"the token {token!r} has the id {number}, and the model {rows} rows: resize it, and save it again"
    return None


def _table(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{path} cannot be read ({type(error).__name__}): fetch or save the checkpoint again"
        ) from error
    if not isinstance(found, dict):
        raise ModelError(f"{path} holds a {type(found).__name__}: expected a JSON object; save the checkpoint again")
    return found
