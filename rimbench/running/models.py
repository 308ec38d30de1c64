"""Loaded models: each is loaded when it is first asked for, and freed when its room is needed, or in the end.

A run, a sweep and a question hold one at a time, so that two never share the memory; what is timed in turn is held
together.
"""

import time
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

M = TypeVar("M", bound=AbstractContextManager[object])


@dataclass(frozen=True, slots=True)
class Loaded(Generic[M]):
    """A loaded model, and the seconds that loading took."""

    model: M
    load_s: float


class LoadedModels(AbstractContextManager["LoadedModels[M]"], Generic[M]):
    """Up to `most` models by what they were loaded from; the one that was loaded first gives way."""

    def __init__(self, most: int = 1) -> None:
        self._most = most
        self._held: dict[Hashable, Loaded[M]] = {}

    def open(self, key: Hashable, load: Callable[[], M]) -> Loaded[M]:
        """The model of that key, loaded if it is not held."""
        if key not in self._held:
            while len(self._held) >= self._most:
                self._free(next(iter(self._held)))
            began = time.perf_counter()
            model = load()
            self._held[key] = Loaded(model, time.perf_counter() - began)
        return self._held[key]

    def __exit__(self, *_: object) -> None:
        for key in reversed(list(self._held)):
            self._free(key)

    def _free(self, key: Hashable) -> None:
        self._held.pop(key).model.__exit__(None, None, None)
