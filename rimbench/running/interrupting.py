"""Ctrl-C during a run: once ends it after what is being answered is kept, twice at once."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def keeping_what_comes(note: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """In this context the first Ctrl-C is put off until what is yielded is called, which raises KeyboardInterrupt.

    Left as it is where another handler than Python's own is set, and outside the main thread, which has none.
    """
    interrupted = False

    def put_off(_number: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        note("stopping when the batch that is being answered is kept; Ctrl-C again stops now")

    def check() -> None:
        if interrupted:
            raise KeyboardInterrupt

    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield check
        return
    signal.signal(signal.SIGINT, put_off)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
