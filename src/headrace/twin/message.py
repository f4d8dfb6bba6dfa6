"""One HTTP exchange as data: a request as read, an answer to send, a refusal to raise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import TypeVar

import msgspec

from headrace.twin.faults import Delivery

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"

# Where the original's own word for a status is not the standard phrase.
_CODES = {429: "RATE_LIMIT_EXCEEDED"}

T = TypeVar("T")


@dataclass(slots=True)
class Request:
    """A request as read. Header names are lower case; of a repeated name the last counts.

    `pairs` is the query once more, with every value of a name that is repeated.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    pairs: Sequence[tuple[str, str]] = ()

    def values(self, name: str) -> list[str]:
        """Every value of a query parameter that may be repeated, in the order they came."""
        pairs = self.pairs or self.query.items()
        return [value for one, value in pairs if one == name]

    @property
    def is_last(self) -> bool:
        """Whether the client wants the connection closed after this exchange."""
        return self.headers.get("connection", "").lower() == "close"

    def read(self, kind: type[T]) -> T:
        """The JSON body as `kind`. Raises Refused (400) that says where it is not one."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except msgspec.MsgspecError as error:
            raise Refused(400, f"The body cannot be used: {error}.") from None


@dataclass(slots=True)
class Answer:
    """What is sent back, and how: a `delivery` is a fault, None is the way it should be.

    The body is in parts because each copy of a page of megabytes costs as much as making it.
    """

    parts: Sequence[bytes]
    status: int = 200
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    delivery: Delivery | None = None

    @property
    def length(self) -> int:
        """Size of the body in bytes."""
        return sum(map(len, self.parts))

    def head(self, *framing: str) -> bytes:
        """Status line and headers, the `framing` ones last, up to the empty line."""
        lines = [
            f"HTTP/1.1 {self.status} {phrase(self.status)}",
            f"Content-Type: {self.content_type}",
            f"Date: {formatdate(usegmt=True)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
            *framing,
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def whole(self) -> bytes:
        """Everything, as it should go over the wire."""
        return b"".join([self.head(f"Content-Length: {self.length}"), *self.parts])


class Refused(Exception):
    """Ends an exchange with the answer `{"error": message, "code": code, ...more}`."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        headers: dict[str, str] | None = None,
        **more: object,
    ) -> None:
        super().__init__(message)
        code = code or _CODES.get(status, phrase(status).upper().replace(" ", "_"))
        body = {"error": message, "code": code, **more}
        self.answer = Answer([msgspec.json.encode(body)], status, headers=headers or {})


def answer_json(value: object, status: int = 200) -> Answer:
    """An answer of any JSON value."""
    return Answer([msgspec.json.encode(value)], status)


def phrase(status: int) -> str:
    """The words that belong to a status; a status nobody has defined has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
