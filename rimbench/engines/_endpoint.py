"""An endpoint that speaks JSON over HTTP: many requests in flight, each asked again while that may help.

The key is read from the environment, sent in one header, and masked in whatever comes back: no reply and no error
that leaves this module has it. Redirects are not followed, so that it goes nowhere else.
"""

import asyncio
import email.utils
import json
import math
import os
import random
import time
import urllib.request
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from rimbench.engines._contract import SERVER_URL
from rimbench.errors import EngineError, UsageError, on_one_line

if TYPE_CHECKING:
    import httpx2

API_KEY, TIMEOUT = "RIMBENCH_API_KEY", "RIMBENCH_TIMEOUT_S"
IN_FLIGHT = 32
TRIES = 4
BACKOFF_S = 0.5
"""The wait before the second try, doubled for each further one, and spread by chance over its second half."""
LONGEST_WAIT_S = 60.0
"""A server that asks for a longer wait is not waited for: the item fails, and the next start asks it."""
AGAIN = {408, 409, 425, 429}
"""The refusals that a later try may not meet, beside 500 and above."""
ANSWERS = {"answers", "choices", "data"}
"""What a reply may have beside an `error` that is none."""
SHORTEST_KEY = 6
"""A shorter one, such as EMPTY, is a placeholder: masking it would cut words out of answers."""

K = TypeVar("K", bound=Hashable)
Reply = dict[str, Any]


class WireError(Exception):
    """What became of one request after its tries; `status` is the server's, where it answered."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Endpoint(AbstractContextManager["Endpoint"]):
    """The endpoint that the environment names; leaving its context closes its connections."""

    def __init__(self, in_flight: int = IN_FLIGHT) -> None:
        import httpx2
        from anyio.from_thread import start_blocking_portal  # comes with httpx2

        self.url, key = base_url(), _key()
        self._secret = key if key is not None and len(key) >= SHORTEST_KEY else None
        self._timeout_s = _timeout_s()
        self._library = httpx2
        limits = httpx2.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            self._client = httpx2.AsyncClient(headers=headers, limits=limits, timeout=None)
        except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
            raise _unusable(self.url) from error
        self._stack = ExitStack()
        self._portal = self._stack.enter_context(start_blocking_portal())
        self._free = self._portal.call(asyncio.Semaphore, in_flight)
        self._stack.callback(self._portal.call, self._client.aclose)

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def get(self, path: str) -> Reply:
        """What is found at a path; WireError where nothing is."""
        return self._portal.call(self._ask, "GET", path, None)

    def post(self, path: str, body: Reply) -> Reply:
        """The reply to one request; WireError where there is none."""
        return self._portal.call(self._ask, "POST", path, body)

    def post_all(self, path: str, bodies: Sequence[tuple[K, Reply]]) -> Iterator[tuple[K, Reply | WireError]]:
        """The replies to many, as they come; EngineError where none can come. Leaving off cancels the rest."""
        asked: dict[Future[Reply], K] = {}
        try:
            for key, body in bodies:
                asked[self._portal.start_task_soon(self._ask, "POST", path, body)] = key
            for future in as_completed(asked):
                try:
                    yield asked[future], future.result()
                except WireError as error:
                    yield asked[future], error
        finally:
            for future in asked:
                future.cancel()

    def masked(self, text: str) -> str:
        """A text without the key."""
        return text if self._secret is None else text.replace(self._secret, "***")

    def _parse(self, body: str) -> tuple[Any, str]:
        """What a body says as JSON, None for none, and its text; neither has the key, however it was escaped."""
        twice: list[str] = []  # keys of which any reader would drop one

        def object_of(pairs: list[tuple[str, Any]]) -> Reply:
            made = dict(pairs)
            if len(made) < len(pairs):
                twice.append(Counter(key for key, _ in pairs).most_common(1)[0][0])
            return made

        try:
            reply = json.loads(body, object_pairs_hook=object_of)
            if self._secret is not None:
                whole = json.dumps(reply)
                body = whole.replace(json.dumps(self._secret)[1:-1], "***")
                reply = reply if body == whole else json.loads(body)
        except (ValueError, RecursionError):
            reply = None
        if twice:
            reply, body = None, f"{twice[0]!r} stands twice in {body}"
        return reply, self.masked(body)

    async def _ask(self, method: str, path: str, body: Reply | None) -> Reply:
        async with self._free:
            for failed in range(1, TRIES + 1):
                try:
                    return await self._try(method, path, body)
                except _AgainError as error:
                    if failed == TRIES or (error.wait_s or 0) > LONGEST_WAIT_S:
                        raise WireError(
                            f"{error} ({failed} {'try' if failed == 1 else 'tries'})", error.status
                        ) from None
                    spread = BACKOFF_S * 2 ** (failed - 1) * random.uniform(0.5, 1)
                    await asyncio.sleep(spread if error.wait_s is None else error.wait_s)
        raise AssertionError("unreachable")

    async def _try(self, method: str, path: str, body: Reply | None) -> Reply:
        try:
            async with asyncio.timeout(self._timeout_s):  # of the whole reply: a server may trickle
                response = await self._client.request(method, self.url + path, json=body)
        except TimeoutError:
            raise _AgainError(f"{path}: no whole reply within {self._timeout_s:g} s") from None
        except self._library.InvalidURL as error:
            raise UsageError(f"base URL {self.url}: {self.masked(on_one_line(error, 200))}") from None
        except self._library.RequestError as error:
            said = self.masked(on_one_line(error, 200))
            if "CERTIFICATE" in said.upper():
                raise EngineError(
                    f"the certificate of {self.url} does not fit ({said}): expected one that this machine trusts, "
                    "for that name; SSL_CERT_FILE names a file of further authorities"
                ) from None
            proxy = _proxy_of(self.url)
            raise _AgainError(f"{path}: {said}{f', by way of {proxy}' if proxy else ''}") from None
        return self._read(path, response)

    def _read(self, path: str, response: "httpx2.Response") -> Reply:
        """The reply of a response; the errors say what the server said."""
        status = response.status_code
        reply, text = self._parse(response.text.removeprefix("\ufeff"))
        if status == 200:
            if not isinstance(reply, dict):
                raise _AgainError(f"{path}: the reply is no JSON object: {_begin(text)}", status)
            if not reply.get("error") or ANSWERS & reply.keys():
                return reply
        said = f"{path}: {status} {_begin(text)}".rstrip()
        if status in (401, 403):
            raise EngineError(f"{self.url} refuses the key ({said}): expected a valid one in {API_KEY}")
        if 300 <= status < 400:
            elsewhere = self.masked(response.headers.get("location", "nowhere"))
            raise WireError(
                f"{path}: {status}, it leads to {_begin(elsewhere)}: expected the server itself as base URL", status
            )
        if status in AGAIN or status >= 500 or status == 200:  # an error that is called a success
            raise _AgainError(said, status, _retry_after(response.headers.get("retry-after")))
        raise WireError(said, status)


class _AgainError(Exception):
    """A try that failed as a later one may not; `wait_s` is what the server asks for."""

    def __init__(self, message: str, status: int | None = None, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.status, self.wait_s = status, wait_s


def named_here() -> bool:
    """Whether the environment names an endpoint."""
    return bool(os.environ.get(SERVER_URL, "").strip())


def base_url() -> str:
    """The endpoint's URL without the slash at its end, nor the `/v1` that paths begin with; UsageError for no URL.

    What is secret has no place in it: a URL is kept and shown.
    """
    given = os.environ.get(SERVER_URL, "").strip()
    try:
        parts = urlsplit(given)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fits = False
    if fits and ("@" in parts.netloc or parts.query or parts.fragment):
        raise UsageError(f"the base URL holds a user, a password or a query: expected none, a key is in {API_KEY}")
    if not fits:
        raise UsageError(
            f"base URL {given!r}: expected http://HOST:PORT or https://HOST, with --base-url or {SERVER_URL}"
        )
    return given.rstrip("/").removesuffix("/v1")


def _key() -> str | None:
    """The key, None without one; UsageError, which does not show it, for one that no header can hold."""
    key = os.environ.get(API_KEY, "").strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(f"{API_KEY} holds characters that no key has: expected printable ASCII without spaces")
    return key or None


def _proxy_of(url: str) -> str | None:
    """The variable of the environment that names the proxy by which a URL is reached, if one does."""
    parts, given = urlsplit(url), urllib.request.getproxies()
    kind = next((kind for kind in (parts.scheme, "all") if given.get(kind)), None)
    return None if kind is None or urllib.request.proxy_bypass(parts.hostname or "") else f"{kind.upper()}_PROXY"


def _unusable(url: str) -> UsageError:
    """The error for an environment with which nothing is reached; what it holds is not shown, it may be secret."""
    given = {f"{kind.upper()}_PROXY" for kind, value in urllib.request.getproxies().items() if value and kind != "no"}
    named = sorted(given) + [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
    return UsageError(
        f"{url} cannot be asked with {', '.join(named) or 'the certificates of this machine'}: expected a proxy as "
        "http://HOST:PORT, and certificates that can be read"
    )


def _timeout_s() -> float:
    given = os.environ.get(TIMEOUT, "300")
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError(f"{TIMEOUT} {given!r}: expected seconds above 0")
    return seconds


def _retry_after(header: str | None) -> float | None:
    """The seconds of a Retry-After, which may be a date; None without one, or for another text."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(header).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return None if math.isnan(seconds) else max(0.0, seconds)


def _begin(text: str) -> str:
    return " ".join(text.split())[:200]
