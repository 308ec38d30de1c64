"""A checkpoint folder, whoever made it: which of its files are loaded, and loading them without running its code.

Weights are safetensors alone, since a pickle runs what it likes when it is opened. What a hash covers is what is
loaded: no file leads out of the folder, and what lies beside changes nothing. transformers is imported where it is
used.
"""

import hashlib
import json
from pathlib import Path, PurePath
from typing import Any

from rimbench.errors import ModelError, first_line

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
SETTINGS = (
    "config.json",
    "generation_config.json",
    "hf_quant_config.json",
    "tokenizer.json",
    "tokenizer.*.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.json",
    "chat_template.jinja",
    "additional_chat_templates/*.jinja",
    "vocab*",
    "merges*",
    "tekken.json",
    "*.model",
    "*.spm",
    "*.tiktoken",
)
"""What a model, its tokenizer and its chat template read beside the weights, wherever there is such a file."""
PATTERNS = ("*.safetensors", INDEX, *SETTINGS)
"""What is fetched of a repository."""
PICKLES = ("pytorch_model*", "model*.bin", "adapter_model*", "*.ckpt")
"""What else a library might take for the weights."""


def weight_files(folder: Path) -> list[Path]:
    """The files of weights that are loaded: one, or the shards that an index names; ModelError without any."""
    whole, index = folder / WEIGHTS, folder / INDEX
    if whole.is_file():
        return [whole]
    if not index.is_file():
        held = ", ".join(sorted(path.name for path in folder.glob("*.safetensors"))[:3])
        raise ModelError(
            f"{folder} holds no {WEIGHTS}{f' (but {held})' if held else ''}: expected a checkpoint folder with "
            f"weights in that file, or in shards that {INDEX} names"
        )
    try:
        shards = set(json.loads(index.read_bytes())["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{index}: is no index of weights ({type(error).__name__}): fetch the checkpoint again"
        ) from error
    for shard in sorted(map(str, shards)):
        if PurePath(shard).name != shard or not shard.endswith(".safetensors"):
            raise ModelError(f"{index} names the shard {shard!r}: expected a *.safetensors file in the same folder")
        if not (folder / shard).is_file():
            raise ModelError(f"{folder} holds no {shard}, which {INDEX} names: fetch the checkpoint again")
    return [folder / shard for shard in sorted(map(str, shards))]


def beside_weights(folder: Path) -> list[str]:
    """Names of safetensors that are not loaded here, and are by a reader such as vLLM, which takes all of a folder
    without an index.
    """
    if (folder / INDEX).is_file():
        return []
    loaded = weight_files(folder)
    return sorted(path.name for path in folder.glob("*.safetensors") if path not in loaded)


def check(folder: Path) -> None:
    """ModelError for a folder that is no checkpoint, or holds weights that are not loaded beside those that are."""
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} holds no config.json: expected a checkpoint folder")
    pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern) if path.suffix != ".json")
    if pickles:
        raise ModelError(
            f"{folder} holds {pickles[0]}, weights as a pickle or an adapter, which are not loaded: expected "
            f"{WEIGHTS} alone; convert it, or take it out of the folder"
        )
    weight_files(folder)


def loaded_files(folder: Path, *, whole: bool = True) -> list[Path]:
    """Every file that is read when the checkpoint is loaded, by their names; not `whole`: all but the weights.

    ModelError where one of them would have others read: an adapter its base, or a tokenizer's settings.
    """
    if (folder / "adapter_config.json").is_file():
        raise ModelError(
            f"{folder} holds an adapter to another model: expected whole weights; merge it into its base"
        )
    named = read_settings(folder / "tokenizer_config.json").get("fast_tokenizer_files") or ()
    outside = [str(name) for name in named if PurePath(str(name)).name != str(name)]
    if outside:
        raise ModelError(f"{folder}/tokenizer_config.json names {outside[0]!r}: expected a file in the same folder")
    settings = {path for pattern in SETTINGS for path in folder.glob(pattern) if path.is_file()}
    if not whole:
        return sorted(settings)
    index = {folder / INDEX} if not (folder / WEIGHTS).is_file() else set()
    return sorted({*settings, *index, *weight_files(folder)})


def hash_folder(folder: Path, *, whole: bool = True) -> str:
    """sha256 over the names and contents of the files that are loaded; not `whole`: of all but the weights."""
    total = hashlib.sha256()
    for path in loaded_files(folder, whole=whole):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}:{digest}\n".encode())
    return total.hexdigest()


def read_config(folder: Path) -> Any:
    """The model's configuration; ModelError as `cannot_load`."""
    import transformers as hf  # slow to import

    try:
        return hf.AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except LOADING_ERRORS as error:
        raise cannot_load(folder, error) from error


def read_context_tokens(folder: Path) -> int | None:
    """How many tokens the model is made for; None where its configuration does not say. ModelError as `cannot_load`.

    Of the known families the file itself is read: transformers' own reader imports torch, 200 MB and two seconds.
    """
    settings = read_settings(folder / "config.json")
    plain = settings.get("model_type") in _PLAIN_FAMILIES and "auto_map" not in settings
    found = settings.get(_CONTEXT) if plain else None
    if type(found) is not int:
        found = getattr(read_config(folder), _CONTEXT, None)
    return None if found is None else int(found)


_CONTEXT = "max_position_embeddings"
_PLAIN_FAMILIES = ("llama", "qwen2", "qwen3")
_WHOLE_TOKENIZERS = ("TokenizersBackend", "PreTrainedTokenizerFast")
"""One class of transformers, under its newer name and the one that every version knows."""


def read_tokenizer(folder: Path) -> Any:
    """The tokenizer; ModelError as `cannot_load`."""
    import transformers as hf  # slow to import

    settings = read_settings(folder / "tokenizer_config.json")
    whole = settings.get("tokenizer_class") in _WHOLE_TOKENIZERS and "auto_map" not in settings
    # One that is all in its tokenizer.json needs no class of its model's, and AutoTokenizer imports torch.
    loader: Any = hf.PreTrainedTokenizerFast if whole and (folder / "tokenizer.json").is_file() else hf.AutoTokenizer
    try:
        return loader.from_pretrained(folder, trust_remote_code=False)
    except LOADING_ERRORS as error:
        raise cannot_load(folder, error) from error


def end_token_ids(folder: Path) -> list[int]:
    """The tokens that end a text: those of the checkpoint's settings of generation, or of the model without any."""
    settings = folder / "generation_config.json"
    configured = read_settings(settings if settings.is_file() else folder / "config.json").get("eos_token_id")
    return [configured] if isinstance(configured, int) else list(configured or [])


def load_model(folder: Path, dtype: str, attention: str = "sdpa") -> Any:
    """The model on the CPU; `dtype` by torch's name. ModelError as `cannot_load`, and as `loaded_files`."""
    import torch
    import transformers as hf
    from safetensors import SafetensorError

    quiet: Any = hf.logging
    quiet.disable_progress_bar()
    loaded_files(folder)
    try:
        return hf.AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            attn_implementation=attention,
            use_safetensors=True,
            trust_remote_code=False,
        )
    except (*LOADING_ERRORS, SafetensorError) as error:
        raise cannot_load(folder, error) from error


LOADING_ERRORS = (OSError, ValueError, KeyError, RuntimeError, AttributeError, TypeError)
"""What transformers raises for files that are not what they should be."""


def cannot_load(folder: Path, error: Exception) -> ModelError:
    """The error for a checkpoint that cannot be loaded, in one line."""
    said = str(error).strip()
    if "trust_remote_code" in said:
        return ModelError(
            f"cannot load the model in {folder}: it needs code of its own, which is never run here: expected a model "
            "that transformers knows by itself"
        )
    return ModelError(f"cannot load the model in {folder}: {first_line(error)}")


def read_settings(path: Path) -> dict[str, Any]:
    """What one of the files of settings says; nothing where it cannot be read."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
