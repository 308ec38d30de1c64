"""A checkpoint in a repository of the hub: what is loaded of it, its card and its results, in one commit.

The token is the client's own affair, from HF_TOKEN or its login, and is never read here but to keep it out of what is
said. `huggingface_hub` is imported where it is used.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from rimbench import checkpoints, portability
from rimbench.errors import DataError, ModelError, UnreachableError, UsageError, first_line
from rimbench.publishing import card as cards
from rimbench.reporting.document import CellResult
from rimbench.reporting.summary import summarise
from rimbench.store import find_runs

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+$")
LICENCES = ("LICENSE*", "LICENCE*", "NOTICE*")
OUTCOMES = {"computes otherwise": "computes otherwise with", "does not open": "does not open"}
OF_THE_HUB = {".gitattributes"}
"""What a new repository holds by itself."""
HUB_TIMEOUT_S = 10.0
REMEDIES = {
    401: "log in with 'hf auth login', or set HF_TOKEN to a token that may write",
    403: "the token may not write there: use one that may, or a name of your own",
    404: "check the name, and that the token may see it",
}

Upload = Mapping[str, Path | bytes]
"""By its path in the repository: a file here, or its content."""


def prepare(
    folder: Path, repo: str, results: Path, say: Callable[[str], None], *, needed: bool = False
) -> dict[str, Path | bytes]:
    """What `push` is to upload: the files that are loaded, the licence, the card and the results of these weights.

    Says who reads the checkpoint otherwise, and what is left out. UsageError where `repo` is no name, ModelError for
    a folder that is no checkpoint, DataError where no run of `results` has its weights, and one is `needed`.
    """
    if not HUB_NAME.match(repo):
        raise UsageError(f"--push {repo}: expected a name such as org/name")
    files = _what_is_loaded(folder, say)
    for reading in portability.read_by_each(folder, whole=False):
        if reading.outcome != "the same":
            say(f"{reading.reader} {OUTCOMES[reading.outcome]} this checkpoint: it {reading.why}")
    sha256 = checkpoints.hash_folder(folder)
    cells = _measured_with(sha256, results, say)
    if not cells:
        line = f"no run in {results} was made with the weights of {folder} (sha256 {sha256[:10]})"
        if needed:
            raise DataError(f"{line}: run them first, or leave out --results to upload without any")
        say(f"{line}: the card states no results")
    card = cards.make_card(folder, repo, cells, sha256)
    if not cards.states_licence(card):
        say(f"it states no licence: write 'license: ...' between two lines of --- atop {folder / cards.CARD}")
    return {**files, cards.CARD: card.encode(), **cards.result_files(cells)}


def _what_is_loaded(folder: Path, say: Callable[[str], None]) -> dict[str, Path | bytes]:
    checkpoints.check(folder)
    chosen = {*checkpoints.loaded_files(folder), *(file for each in LICENCES for file in folder.glob(each))}
    beside = sorted(path.name for path in folder.iterdir() if path not in chosen and path.name != cards.CARD)
    beside = [name for name in beside if not any(path.is_relative_to(folder / name) for path in chosen)]
    if beside:
        say(f"not uploaded, since no reader loads it: {', '.join(beside)}")
    return {path.relative_to(folder).as_posix(): path for path in sorted(chosen)}


def _measured_with(sha256: str, results: Path, say: Callable[[str], None]) -> list[CellResult]:
    if not find_runs(results):
        return []
    cells, left_out = cards.cells_of(summarise(results), sha256)
    for line in left_out:
        say(line)
    return cells


def size_of(content: Path | bytes) -> int:
    """Its bytes."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def push(upload: Upload, repo: str, *, private: bool = False, force: bool = False) -> str:
    """Commit the files to the repository, which is made where there is none, and return the commit's address.

    Nothing is there until all of it is. UsageError where the repository holds files already, without `force`, or is
    public and was wanted `private`; ModelError where the hub refuses, UnreachableError where it does not answer.
    """
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub import errors as hub

    with _failures(repo):
        api = HfApi()
        try:
            info = api.model_info(repo, timeout=HUB_TIMEOUT_S)
        except hub.RepositoryNotFoundError:
            api.create_repo(repo, private=private or None)
        else:
            held = sorted({file.rfilename for file in info.siblings or ()} - OF_THE_HUB)
            if held and not force:
                raise UsageError(
                    f"{repo} holds {held[0]} and {len(held) - 1} other files already: choose another name, or commit "
                    "on top of them with --force"
                )
            if private and info.private is False:
                raise UsageError(f"{repo} is there already, and public: make it private in its settings first")
        operations = [
            CommitOperationAdd(path, content if isinstance(content, bytes) else str(content))
            for path, content in upload.items()
        ]
        done = api.create_commit(repo, operations, commit_message="Upload by rimbench export-model")
    return str(done.commit_url)


@contextmanager
def _failures(repo: str) -> Iterator[None]:
    """Turn what the hub's client raises into one line without the token, in which what to do stands."""
    from huggingface_hub import constants
    from huggingface_hub import errors as hub

    # httpx's root error, which the client lets through when it cannot connect; its package name changes.
    connection_error: type[Exception] = hub.HTTPError  # type: ignore[attr-defined]
    where = f"the hub at {urlsplit(constants.ENDPOINT).hostname}"
    try:
        yield
    except hub.HFValidationError as error:
        raise UsageError(f"--push {_without_token(first_line(error))}") from error
    except hub.OfflineModeIsEnabled as error:
        raise UnreachableError("HF_HUB_OFFLINE keeps from the hub: unset it to upload") from error
    except hub.HfHubHTTPError as error:
        status = error.response.status_code
        said = f" ({_without_token(error.server_message[:200])})" if error.server_message else ""
        what_to_do = REMEDIES.get(status, "try again later; nothing there was changed")
        raise ModelError(f"{where} answered {status} to an upload to {repo}{said}: {what_to_do}") from error
    except (connection_error, OSError, ValueError, RuntimeError) as error:
        said = _without_token(first_line(error))
        raise UnreachableError(
            f"{where} cannot be reached, or breaks off ({type(error).__name__}: {said}): check the network and "
            "HF_ENDPOINT; nothing there was changed"
        ) from error


def _without_token(said: str) -> str:
    from huggingface_hub import get_token

    token = get_token()
    return " ".join((said.replace(token, "[token]") if token else said).split())
