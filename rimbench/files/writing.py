"""Files that appear whole or not at all, and files that are only read where they are files.

Whatever a command writes goes through `replacing`: under a fresh name beside its place, on the disk before it takes
that place, in one step. What stood there stands until then, so a full disk or a kill leaves the older one. A symbolic
link is replaced, never followed.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from rimbench.errors import UsageError

SCRATCH = ".rimbench-"
"""How the name begins under which a file is written; a kill may leave one such file behind."""


def check_new(path: Path, suffix: str, *, force: bool) -> None:
    """UsageError for a file that is not called as its kind is, or is there already."""
    if path.suffix != suffix:
        raise UsageError(f"{path}: expected a name that ends in {suffix}")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already: choose another name, or replace it with --force")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a fresh file to write, which takes the place of `path` when the block ends without an error.

    A device or a pipe that stands there is written to as it is: there is nothing to keep. Raises OSError.
    """
    if _takes_a_stream(path):
        yield path
        return
    scratch = path.with_name(f"{SCRATCH}{secrets.token_hex(8)}.tmp")
    try:
        # Exclusive, so that no link laid there is followed; the mode is the user's own, or the older file's.
        os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        if path.is_file() and not path.is_symlink():
            scratch.chmod(stat.S_IMODE(path.stat().st_mode))
        yield scratch
        sync(scratch)
        scratch.replace(path)
        sync(path.parent)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader, a kill or a full disk meets the old one or the new one. Raises OSError."""
    write_pieces(path, [content.encode() if isinstance(content, str) else content])


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """The same of a content that comes piece by piece."""
    with replacing(path) as scratch, scratch.open("wb") as file:
        file.writelines(pieces)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk, where the file system can promise it."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def open_regular(path: Path) -> Iterator[BufferedReader]:
    """Open a file for reading; OSError for anything else, such as a pipe, which would be waited for for ever."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "no regular file")
    with os.fdopen(file, "rb") as opened:
        yield opened


def _takes_a_stream(path: Path) -> bool:
    """Whether a device, a pipe or a socket stands there, directly or behind a link, as /dev/stdout does."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
