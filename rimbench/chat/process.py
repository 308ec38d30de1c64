"""The process that chat templates run in: conversations come in and texts go out, a line of JSON each.

Started as a script by `rimbench.chat.template`, so that nothing but Jinja is imported here. The sandbox is the one
that transformers renders chat templates in. The kernel ends the process where one conversation takes more than
`limit_s` of its own time, also within one call that Python could not break off, and refuses it more memory than
`MEMORY_BYTES`. Nothing here tells one start from another: the clock stands still and chance is seeded.
"""

import json
import random
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NoReturn

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

MEMORY_BYTES = 2**30
LONGEST_TEXT = 10_000_000
"""Characters of a rendered conversation: a template that writes more does something else than write a chat."""


class Generation(jinja2.ext.Extension):
    """The tag around what an assistant says, which marks it for training and says nothing here."""

    tags = {"generation"}  # noqa: RUF012 (Jinja reads it from the class)

    def parse(self, parser: jinja2.parser.Parser) -> list[jinja2.nodes.Node]:
        """The tag's body alone."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class Namespace(jinja2.utils.Namespace):
    """Jinja's own, without underscored names, which lead out of a sandbox."""

    def __init__(*args: Any, **values: Any) -> None:
        self, *given = args
        values = dict(*given, **values)
        for name in values:
            Namespace._check(name)
        jinja2.utils.Namespace.__init__(self, values)

    def __setitem__(self, name: str, value: object) -> None:
        Namespace._check(name)
        super().__setitem__(name, value)

    @staticmethod
    def _check(name: object) -> None:
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(f"a namespace cannot hold {name!r}")


def make_environment(now: datetime) -> ImmutableSandboxedEnvironment:
    """The sandbox, with the clock at `now`."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )

    def strftime_now(form: str) -> str:
        return now.strftime(form)

    environment.filters["tojson"] = _to_json
    environment.globals |= {"raise_exception": _raise, "strftime_now": strftime_now, "namespace": Namespace}
    return environment


def _to_json(value: object, ensure_ascii: bool = False, indent: int | None = None, **how: Any) -> str:
    """Without Jinja's escapes for HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, **how)


def _raise(message: str) -> NoReturn:
    raise jinja2.exceptions.TemplateError(message)


def _within_limits(work: Callable[[], Any], limit_s: float) -> dict[str, Any]:
    """What the work gave, or what it raised; the signal that ends the process is the kernel's own."""
    random.seed(0)  # Jinja's filter `random` draws from it
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    try:
        return {"gave": work()}
    except Exception as error:  # whatever a template raises is for its user to read
        first = next(iter(str(error).strip().splitlines()), "")
        return {"raised": f"{type(error).__name__}: {first[:300]}".removesuffix(": ")}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _rendered(template: jinja2.Template, chat: Mapping[str, Any]) -> str:
    text = template.render(**chat)
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"{len(text)} characters for one conversation")
    return text


def serve() -> None:
    """Answer line by line: the first holds the template, each of the others a list of what it is rendered with."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's interrupt is the parent's to answer
    first = json.loads(sys.stdin.readline())
    environment, limit_s = make_environment(datetime.fromisoformat(first["now"])), float(first["limit_s"])
    compiled = _within_limits(lambda: environment.from_string(first["template"]), limit_s)
    template = compiled.pop("gave", None)
    _say([compiled])
    if template is not None:
        for line in sys.stdin:
            _say([_within_limits(partial(_rendered, template, chat), limit_s) for chat in json.loads(line)])


def _say(found: list[dict[str, Any]]) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    serve()
