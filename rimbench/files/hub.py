"""Where the hub's client keeps what it has fetched; by hand, since the client itself takes long to import."""

from pathlib import Path
from typing import Literal


def snapshots(kind: Literal["models", "datasets"], repo: str) -> Path:
    """The folder that has a folder for each fetched commit of a repository."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE) / f"{kind}--{repo.replace('/', '--')}" / "snapshots"
