"""What an HTTP answer means. Every status becomes an error in one function, `error_for`.

    429, 408, 5xx, a 403 that is a rate limit   Retry, with the wait that was asked for
    401                                         NeedsHuman, and signing in again is the cure
    403 and every other 4xx, a redirect         NeedsHuman

Whether a 400, 404 or 410 means that a cursor has expired only a provider can know: it lets those
through (`allow=`) and decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from headrace.errors import HeadraceError, NeedsHuman, Retry
from headrace.http import waits
from headrace.text import one_line

SECONDARY_WAIT = 60.0
"""Seconds to leave an API alone that refuses for its rate but names no time (H5)."""

TROUBLE = 60.0
"""Seconds to leave a source alone whose answers make no sense (A2.36)."""

_UNTYPED = frozenset({"", "text/plain", "application/octet-stream", "binary/octet-stream"})
_RATE_WORDS = re.compile(
    rb"rateLimitExceeded|userRateLimitExceeded|quotaExceeded|dailyLimitExceeded"
    rb"|RESOURCE_EXHAUSTED|RATE_LIMIT|[Rr]ate limit"
)
_MESSAGE_KEYS = (
    "message",
    "error_description",
    "detail",
    "title",
    "error",
    "errors",
    "reason",
    "code",
)


class Nonsense(Retry):
    """The source answers, and its answers make no sense: it is left alone for a minute, and after
    five of those a person is told (A2.36)."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, after=TROUBLE, failure=True, hint=hint)


class Answer(msgspec.Struct):
    """One whole answer. `headers` ignores case; `url` is what was asked, without credentials."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    host: str
    links: tuple[str, ...] = ()
    """The `Link` headers, one entry each."""


Explain = Callable[[Answer], HeadraceError | None]
"""What a refusal means at an API that says so in its body; None: what its status says."""


def is_rate_limit(answer: Answer) -> bool:
    """Whether the answer refuses for the rate of requests: some APIs say 403 for that (G10, H5)."""
    if answer.status == 429:
        return True
    if answer.status != 403:
        return False
    return (
        "Retry-After" in answer.headers
        or waits.exhausted(answer.headers)
        or _RATE_WORDS.search(answer.body, 0, 4096) is not None
    )


def error_for(answer: Answer, now: float, secrets: tuple[str, ...] = ()) -> HeadraceError:
    """The error that an answer with a status other than 2xx stands for.

    `now` is seconds since 1970; `secrets` are blotted out of what the other side says.
    """
    status, host = answer.status, answer.host
    said = explanation(answer.body, secrets)
    if is_rate_limit(answer):
        wait = waits.advised(answer.headers, now, answer.body)
        message = f"{host} allows no more requests for now ({status}){said}."
        if _names_no_time(answer, wait):
            # Whoever goes on regardless may be shut out for good: longer each time, then give up.
            return Retry(message, after=SECONDARY_WAIT, failure=True, doubles=True)
        return Retry(message, after=SECONDARY_WAIT if wait is None and status == 403 else wait)
    if status == 408 or status >= 500:
        wait = waits.advised(answer.headers, now)
        return Retry(f"{host} is in trouble: it answered {status}{said}.", after=wait or None)
    if status == 401:
        return NeedsHuman(
            f"The key was refused by {host} (401){said}.",
            hint="Sign in again, or give the connection a valid key.",
            reauth=True,
        )
    if status == 403:
        return NeedsHuman(
            f"The key was refused by {host} for {path_of(answer.url)} (403){said}.",
            hint="Check what the key is allowed to read.",
        )
    if status == 304:
        return Retry(f"{host} answered 304, unchanged, to a request that asked for no such thing.")
    if status < 400:
        return NeedsHuman(
            f"{host} redirects {path_of(answer.url)} ({status}), and redirects are not followed.",
            hint="Put the final address into base_url.",
        )
    if status in {404, 410}:
        return NeedsHuman(
            f"{host} has nothing at {path_of(answer.url)} ({status}){said}.",
            hint="Check base_url and the path.",
        )
    return NeedsHuman(
        f"{host} refused the request for {path_of(answer.url)} ({status}){said}.",
        hint="Check the parameters that the API expects.",
    )


def _names_no_time(answer: Answer, wait: float | None) -> bool:
    """Whether it is GitHub's secondary limit without a time to wait: the reset that may stand
    beside it is that of the primary one."""
    if b"secondary" not in answer.body[:4096] or "Retry-After" in answer.headers:
        return False
    return wait is None or not waits.exhausted(answer.headers)


def require_json(answer: Answer) -> None:
    """Raise Retry for a 200 that cannot hold JSON, such as a login page (R9).

    A web page may be a proxy's, there for a moment: it is asked again at once. Another type will
    not change so soon. Many servers name JSON plain text or nothing: that is for the decoder.
    """
    type_ = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    start = answer.body[:64].lstrip()
    if not start:
        raise Retry(f"{answer.host} answered {answer.status} with an empty body.")
    if "html" in type_ or start[:1] == b"<":
        raise Retry(
            f"{answer.host} sent a web page instead of JSON for {path_of(answer.url)}.",
            hint="It may be a login or maintenance page: check base_url, the path and the key.",
        )
    if "json" not in type_ and "javascript" not in type_ and type_ not in _UNTYPED:
        raise Nonsense(
            f"{answer.host} sent {one_line(type_, 60)} instead of JSON for {path_of(answer.url)}.",
            hint="Check the path, and whether the API needs a parameter to answer in JSON.",
        )


def path_of(url: str) -> str:
    """The path of a URL, for a message: its query may hold what must not be shown."""
    rest = url.partition("://")[2]
    return ("/" + rest.partition("/")[2]).partition("?")[0].partition("#")[0]


def explanation(body: bytes, secrets: tuple[str, ...] = ()) -> str:
    """`: what they said`, short, on one line and without secrets; or nothing."""
    if len(body) > 65_536 or body.lstrip()[:1] not in {b"{", b"["}:
        return ""
    try:
        words = in_words(msgspec.json.decode(body), secrets)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""
    return f": {words}" if words else ""


def in_words(error: Any, secrets: tuple[str, ...] = ()) -> str:
    """The message inside a decoded error of whatever shape, fit to be shown."""
    words = _message(error, 0)
    for secret in secrets:
        words = words.replace(secret, "***")
    return one_line(words.rstrip(". \n"))


def _message(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and depth < 4:
        return _message(value[0], depth + 1)
    if isinstance(value, dict) and depth < 4:
        for key in _MESSAGE_KEYS:
            if words := _message(value.get(key), depth + 1):
                return words
    return ""
