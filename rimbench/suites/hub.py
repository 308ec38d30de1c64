"""The Hugging Face hub -> a file at a pinned revision, or a stream of rows; all that can fail, in one line.

huggingface_hub and datasets are imported where they are used.
"""

import importlib.util
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rimbench.errors import DataError
from rimbench.files.hub import snapshots
from rimbench.suites.rows import Row

_INSTEAD = "give the rows with --data FILE"
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Dataset:
    """A hub data set as a suite names it; `revision` may be a branch until `resolve` makes it a commit."""

    repo: str
    revision: str

    def __str__(self) -> str:
        return f"hub data set {self.repo} at {self.revision[:12]}"


def resolve_dataset(dataset: Dataset) -> Dataset:
    """The data set at the commit that its revision stands now; a commit is kept without asking the hub."""
    if re.fullmatch(r"[0-9a-f]{40}", dataset.revision):
        return dataset
    commit = _ask_commit(dataset)
    if commit is None:
        raise DataError(f"{dataset}: the hub names no commit: write a commit as revision in the suite's TOML")
    return Dataset(dataset.repo, commit)


def download(dataset: Dataset, file: str) -> Path:
    """The file in the hub's cache, fetched if it is not there; a cached file at a commit needs no network."""
    if is_cached(dataset, file):
        return _cached(dataset, file)
    from huggingface_hub import hf_hub_download

    # Without a network the download retries for 25 s and says so in 11 lines; one question before it fails at once.
    _ask_commit(dataset)
    with _failures(dataset, file):
        path = hf_hub_download(dataset.repo, file, repo_type="dataset", revision=dataset.revision)
    return Path(path)


def stream(dataset: Dataset, split: str) -> Iterator[Row]:
    """The rows of a split, in the order of its files, fetched as they are asked for."""
    if importlib.util.find_spec("datasets") is None:
        raise DataError(
            f"{dataset}, split {split}: is streamed by the package datasets, which is not installed: pip install "
            f"'rimbench[streams]', or {_INSTEAD}"
        )
    with _failures(dataset, f"split {split}"):
        from datasets import load_dataset

        yield from load_dataset(dataset.repo, split=split, revision=dataset.revision, streaming=True)


def is_cached(dataset: Dataset, file: str) -> bool:
    """Whether a file lies in the hub's cache, without asking the hub."""
    return os.path.isfile(_cached(dataset, file))  # noqa: PTH113 (a name that is too long is no file, and no error)


def _cached(dataset: Dataset, file: str) -> Path:
    return snapshots("datasets", dataset.repo) / dataset.revision / file


def _ask_commit(dataset: Dataset) -> str | None:
    from huggingface_hub import HfApi

    with _failures(dataset, None):
        return HfApi().dataset_info(dataset.repo, revision=dataset.revision, timeout=_TIMEOUT_S).sha


@contextmanager
def _failures(dataset: Dataset, part: str | None) -> Iterator[None]:
    """Turn what the hub's libraries raise into a DataError that says what to do."""
    from huggingface_hub import errors

    # httpx's root error, which the client lets through when it cannot connect; its package name changes.
    connection_error: type[Exception] = errors.HTTPError  # type: ignore[attr-defined]
    of_part = f", {part}" if part else ""
    try:
        yield
    except errors.GatedRepoError as error:
        raise DataError(
            f"{dataset}: is gated: accept its terms at the hub and log in (hf auth login, or HF_TOKEN), or {_INSTEAD}"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise DataError(
            f"{dataset}: no such data set, or it is private: check repo in the suite's TOML, log in, or {_INSTEAD}"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise DataError(f"{dataset}: no such revision: check revision in the suite's TOML, or {_INSTEAD}") from error
    except errors.RemoteEntryNotFoundError as error:
        raise DataError(f"{dataset}{of_part}: no such file: check file in the suite's TOML, or {_INSTEAD}") from error
    except errors.OfflineModeIsEnabled as error:
        raise DataError(
            f"{dataset}{of_part}: is not in the cache, and HF_HUB_OFFLINE keeps from fetching it: unset it, "
            f"or {_INSTEAD}"
        ) from error
    except (connection_error, OSError, ValueError, RuntimeError) as error:
        raise DataError(f"{dataset}{of_part}: cannot be fetched ({_root_cause(error)}): {_INSTEAD}") from error


def _root_cause(error: BaseException) -> str:
    """The innermost error in one short line: the outer ones repeat it at length."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
