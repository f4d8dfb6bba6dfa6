"""A web address: one document, asked for on condition that it has changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from headrace.errors import BadInput, NeedsHuman
from headrace.files.place import MOST_BYTES
from headrace.http import Answer, Client, Policy
from headrace.provider import JSON, BadRecord, Known, Page, Record
from headrace.text import one_line

_REDIRECTS = 5
_SECONDS = 300.0  # for a large file
_LONGEST_MARK = 500  # characters
_GONE = frozenset({404, 410})
_LOCKED = frozenset({401, 403})
_OPEN = "Open the address in a browser, and name the one that it ends at."


def is_web(named: str) -> bool:
    """Whether an input is a web address."""
    return named[:8].lower().startswith(("http://", "https://"))


class WebPage:
    """The walk of one address. Its record's mark is the ETag and the Last-Modified of the answer;
    where a server sends neither, the page is read each time."""

    def __init__(self, url: str, stream: str, known: Known, *, private_hosts: bool) -> None:
        """Raises BadInput for an address that may not be called."""
        self._url = url
        self._stream = stream
        self._known = known
        self._client = client(url, private_hosts=private_hosts)

    async def page(self, cursor: JSON) -> Page:  # noqa: ARG002 - there is one
        """The document, if it has changed; its end, if it is gone. Raises Retry."""
        known = dict(await self._known(self._stream, "", 1)).get(self._url)
        headers = {"Accept": "*/*", **_conditions(known)}
        try:
            answer = await self._client.request(
                "GET", str(self._client.base), headers=headers, allow={304, *_GONE, *_LOCKED}
            )
        except NeedsHuman as error:
            return self._bad(error.message, _OPEN)
        if answer.status == 304:
            if known is None:
                raise self._client.error(answer)
            return Page((), None, more=False, unchanged=1)
        if answer.status in _GONE:
            if known is not None:
                return Page([Record(self._url, b"", gone=True)], None, more=False)
            return self._bad(f"There is nothing at this address ({answer.status}).", "Check it.")
        if answer.status in _LOCKED:
            return self._bad(
                f"The address asks for a sign-in ({answer.status}).",
                "Only pages that anybody may read are read: save it, and give the file.",
            )
        return Page([Record(self._url, answer.body, _modified(answer), _mark(answer))], None, False)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    def _bad(self, reason: str, hint: str) -> Page:
        letter = BadRecord(b"", f"{one_line(self._url)}: {reason}", hint, self._url)
        return Page((), None, more=False, bad=[letter])


def client(url: str, *, private_hosts: bool) -> Client:
    """The client for an address. Raises BadInput for one that may not be called."""
    policy = Policy(
        timeout=_SECONDS,
        redirects=_REDIRECTS,
        max_body=MOST_BYTES,
        private_hosts=private_hosts,
        address="the address",
    )
    try:
        return Client(url.partition("#")[0], policy=policy)
    except NeedsHuman as error:
        raise BadInput(error.message.replace("base URL", "address"), hint=error.hint) from None


def _mark(answer: Answer) -> str:
    """Two lines; nothing of what could not be sent back as it is."""
    found = (answer.headers.get(name, "") for name in ("ETag", "Last-Modified"))
    return "\n".join(
        one if one.isascii() and one.isprintable() and len(one) < _LONGEST_MARK else ""
        for one in found
    )


def _conditions(mark: str | None) -> Mapping[str, str]:
    tag, _, time = (mark or "").partition("\n")
    found = {"If-None-Match": tag, "If-Modified-Since": time}
    return {name: value for name, value in found.items() if value}


def _modified(answer: Answer) -> datetime | None:
    try:
        time = parsedate_to_datetime(answer.headers.get("Last-Modified", ""))
    except (ValueError, IndexError, OverflowError):
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
