"""Fault rules as data: which requests go wrong, and how. A script is a JSON list of rules:

    [{"on": {"request": 3},
      "do": {"kind": "answer", "status": 429, "headers": {"Retry-After": "1"}}},
     {"on": {"every": 7, "times": 5}, "do": {"kind": "truncate", "keep": 0.5}},
     {"on": {"probability": 0.1}, "do": {"kind": "reset"}},
     {"on": {"offset": 250}, "do": {"kind": "drift", "drop": ["id"], "every": 10}},
     {"on": {"call": "messages.get", "request": 2}, "do": {"kind": "hang"}}]

Rules bear on requests for data only, and apply in the order they are listed.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

AtLeastOne = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]
LONGEST_LOOP = 16
"""How many cursors back a loop may lead."""

Share = Annotated[float, Meta(ge=0, le=1)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Part of a rule: a misspelt key is refused, not ignored."""


class _Fault(_Part, frozen=True, tag_field="kind"):
    """What goes wrong."""


# --- in place of a page -----------------------------------------------------------------------


class AnswerWith(_Fault, frozen=True, tag="answer"):
    """Any answer: `json` as it stands, or `text` as HTML, or an error body that fits `status`.

    `late`: only the answer is another one, what the request asked for has been done.
    """

    status: Annotated[int, Meta(ge=200, le=599)] = 200
    headers: dict[str, str] = {}
    json: Any | UnsetType = UNSET
    text: str | UnsetType = UNSET
    late: bool = False


# --- on the way to the client -----------------------------------------------------------------


class Delay(_Fault, frozen=True, tag="delay"):
    """The answer comes `ms` milliseconds late."""

    ms: NotNegative


class Hang(_Fault, frozen=True, tag="hang"):
    """No byte ever comes; the connection stays open until the client closes it."""


class Reset(_Fault, frozen=True, tag="reset"):
    """The connection is reset (RST) after this share of the body, 0: before the status line."""

    keep: Share = 0.0


class Truncate(_Fault, frozen=True, tag="truncate"):
    """Only a share of the body comes.

    `close`: the length promises all of it; `short`: the length fits, so only the JSON is broken;
    `chunk`: a chunked body whose second chunk is malformed.
    """

    keep: Share = 0.5
    how: Literal["close", "short", "chunk"] = "close"


class Drip(_Fault, frozen=True, tag="drip"):
    """Headers at once, then the body `bytes` at a time, every `every_ms` milliseconds."""

    bytes: AtLeastOne = 1
    every_ms: AtLeastOne = 1_000


# --- in the page ------------------------------------------------------------------------------


class Empty(_Fault, frozen=True, tag="empty"):
    """No rows, but a cursor: to where this page would have begun."""


class Shuffle(_Fault, frozen=True, tag="shuffle"):
    """The page's rows in another order (the same one for the same page)."""


class Repeat(_Fault, frozen=True, tag="repeat"):
    """`rows`: every row of the page twice. `page`: the next cursor leads to this page again."""

    what: Literal["rows", "page"] = "rows"


class Drift(_Fault, frozen=True, tag="drift"):
    """Rows that no longer fit: fields set to anything, or dropped, on events i % every == 0."""

    set: dict[str, Any] = {}
    drop: tuple[str, ...] = ()
    every: AtLeastOne = 1


class Escape(_Fault, frozen=True, tag="escape"):
    """Strings PostgreSQL refuses, on events i % every == 0: at the start of a value, or in a key.

    `nul` is an escaped U+0000, `surrogate` half of a surrogate pair.
    """

    what: Literal["nul", "surrogate"] = "nul"
    where: Literal["value", "key"] = "value"
    every: AtLeastOne = 1


class Loop(_Fault, frozen=True, tag="loop"):
    """The next cursor is one the client has already used, `back` requests ago (1: just now)."""

    back: Annotated[int, Meta(ge=1, le=LONGEST_LOOP)] = 1


class EndCursor(_Fault, frozen=True, tag="end_cursor"):
    """The last page says `hasMore: false` beside this cursor instead of null, such as ""."""

    cursor: str = ""


Delivery = Hang | Reset | Truncate | Drip
InPage = Empty | Shuffle | Repeat | Drift | Escape | Loop | EndCursor
Fault = AnswerWith | Delay | Delivery | InPage


class On(_Part, frozen=True):
    """Which requests: those that meet every condition given. No condition: all of them.

    `request` counts from 1, from when the rules were set; `offset` is the index of an event, and
    means the request whose page holds it; `times` is how often the rule fires at most. `call` is a
    method of an API that has several: then `request` and `every` count requests for these alone.
    """

    request: int | tuple[int, ...] | None = None
    every: AtLeastOne | None = None
    probability: Share | None = None
    offset: NotNegative | None = None
    call: str | tuple[str, ...] | None = None
    times: AtLeastOne | None = None

    @property
    def calls(self) -> tuple[str, ...]:
        """The methods it names, none if it means any."""
        return (self.call,) if isinstance(self.call, str) else self.call or ()


class Rule(_Part, frozen=True):
    """One thing that goes wrong, and when."""

    do: Fault
    on: On = On()


def is_silent(delivery: Delivery | None) -> bool:
    """Whether not even a status line leaves."""
    return isinstance(delivery, Hang) or (isinstance(delivery, Reset) and delivery.keep == 0)


def kind(fault: Fault) -> str:
    """The word rules and statistics know this fault by."""
    return str(type(fault).__struct_config__.tag)
