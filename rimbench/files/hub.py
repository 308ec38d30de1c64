"""Where the hub's client keeps what it has fetched; by hand, since a listing has no time to import the client."""

import os
from pathlib import Path
from typing import Literal


def snapshots(kind: Literal["models", "datasets"], repo: str) -> Path:
    """The folder that has a folder for each fetched commit of a repository, by the client's own settings."""
    asked = os.environ.get
    home = asked("HF_HOME") or f"{asked('XDG_CACHE_HOME') or '~/.cache'}/huggingface"
    cache = asked("HF_HUB_CACHE") or asked("HUGGINGFACE_HUB_CACHE") or f"{home}/hub"
    return Path(os.path.expandvars(cache)).expanduser() / f"{kind}--{repo.replace('/', '--')}" / "snapshots"
