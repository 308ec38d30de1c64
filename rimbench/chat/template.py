"""A checkpoint's chat template -> texts, rendered in a process of its own, where nothing that it does can reach us.

A template that does not parse, raises, writes without end or takes more than `LIMIT_S` of its own time for one
conversation is a `TemplateFault`.
"""

import json
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

LIMIT_S = 1.0
"""Processor time for one conversation: ordinary templates take some hundred microseconds."""
AT_ONCE = 1000
"""Conversations that are handed over together."""

Conversation = Sequence[Mapping[str, Any]]


class TemplateFault(Exception):  # noqa: N818 (not shown to a user: who renders says whose template it is)
    """The template gave no text; the argument says why, in a few words."""


class ChatTemplate:
    """One template with the variables that it sees beside the messages, and the day that it takes for today."""

    def __init__(self, source: str, variables: Mapping[str, Any], date: str) -> None:
        self._start = {"template": source, "now": f"{date}T00:00:00", "limit_s": LIMIT_S}
        self._variables = {**variables, "tools": None, "documents": None}
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def render(self, chats: Sequence[Conversation], *, add_generation_prompt: bool = True) -> list[str]:
        """The text of each conversation; TemplateFault for the first that gives none."""
        texts = []
        with self._lock:
            for start in range(0, len(chats), AT_ONCE):
                asked = [
                    {**self._variables, "messages": chat, "add_generation_prompt": add_generation_prompt}
                    for chat in chats[start : start + AT_ONCE]
                ]
                texts += [_text(found) for found in self._ask(asked)]
        return texts

    def _ask(self, asked: list[dict[str, Any]]) -> list[dict[str, str]]:
        if self._process is None or self._process.poll() is not None:
            self._process = _start()
            weakref.finalize(self, _stop, self._process)
            (compiled,) = self._exchange(self._start)
            if "raised" in compiled:
                raise TemplateFault(f"does not parse ({compiled['raised']})")
        return self._exchange(asked)

    def _exchange(self, value: object) -> list[dict[str, str]]:
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(value) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise TemplateFault(_why_ended(self._process.wait()))
        found: list[dict[str, str]] = json.loads(answer)
        return found


@lru_cache(maxsize=8)
def chat_template(source: str, variables: str, date: str) -> ChatTemplate:
    """The template with these variables, as JSON: one process for each, however often it is asked for."""
    return ChatTemplate(source, json.loads(variables), date)


def _start() -> "subprocess.Popen[str]":
    # -P: the folder that a command is started in is no place to import from.
    command = [sys.executable, "-P", str(Path(__file__).with_name("process.py"))]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    )


def _stop(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def _text(found: Mapping[str, str]) -> str:
    if "raised" in found:
        raise TemplateFault(f"failed ({found['raised']})")
    return found["gave"]


def _why_ended(status: int) -> str:
    if status == -signal.SIGPROF:
        return f"was stopped: it took more than {LIMIT_S:g} s of processor time for one conversation"
    return f"could not be rendered: its process ended with status {status}"
