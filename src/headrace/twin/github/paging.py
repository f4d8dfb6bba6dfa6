"""Pages and the Link header that leads from one to the others (RFC 8288).

Large sets, if the twin is told so, are refused by number beyond a page and go on by cursor: a place
in the order, so that nothing is skipped when rows before it go away.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from headrace.twin.github.call import Call, Reply
from headrace.twin.github.problem import Problem, unprocessable

DEFAULT_SIZE, LARGEST_SIZE = 30, 100

T = TypeVar("T")

Place = tuple[int, int]
"""Where a row stands in an order: what it is sorted by, and its number."""


def paged(
    call: Call,
    rows: Sequence[T],
    render: Callable[[T], Any],
    *,
    place: Callable[[T], Place] | None = None,
    descending: bool = False,
    default: int = DEFAULT_SIZE,
    largest: int = LARGEST_SIZE,
) -> Reply:
    """The page asked for. `place` is how the rows are sorted, where cursors are to be had."""
    size = read_size(call, default, largest)
    largest_by_number = call.options.page_limit * size
    if place is not None and 0 < largest_by_number < len(rows):
        return _by_cursor(call, rows, render, place, descending, size)
    number = read_number(call)
    last = max(1, -(-len(rows) // size))
    shown = rows[(number - 1) * size : number * size]
    links = {"prev": min(number - 1, last), "next": number + 1, "last": last, "first": 1}
    if number >= last:
        del links["next"], links["last"]
    if number == 1:
        del links["prev"], links["first"]
    return Reply([render(row) for row in shown], headers=_link(call, links))


def read_number(call: Call) -> int:
    """`page`, from 1. Raises Problem (422)."""
    return _whole(call, "page", 1)


def read_size(call: Call, default: int, largest: int) -> int:
    """`per_page`; too large a one is capped without a word. Raises Problem (422)."""
    return min(_whole(call, "per_page", default), largest)


def _by_cursor(
    call: Call,
    rows: Sequence[T],
    render: Callable[[T], Any],
    place: Callable[[T], Place],
    descending: bool,
    size: int,
) -> Reply:
    number, after = read_number(call), call.request.query.get("after")
    shown: Sequence[T]
    if after is not None:
        mark = _read_cursor(after)
        left = [row for row in rows if (place(row) < mark if descending else place(row) > mark)]
        shown, more = left[:size], len(left) > size
    elif number > call.options.page_limit:
        raise Problem(
            422,
            "Pagination with the page parameter is not supported for large datasets, "
            "please use cursor based pagination (after/before)",
        )
    else:
        shown = rows[(number - 1) * size : number * size]
        more = len(rows) > number * size
    links = {"next": number + 1} if more else {}
    cursor = _write_cursor(place(shown[-1])) if more else ""
    return Reply([render(row) for row in shown], headers=_link(call, links, after=cursor))


def _link(call: Call, pages: dict[str, int], **more: str) -> dict[str, str]:
    if not pages:
        return {}
    url = f"{call.site.base}{quote(call.path)}"
    query = call.request.query | more
    links = [
        f'<{url}?{urlencode(query | {"page": number})}>; rel="{name}"'
        for name, number in pages.items()
    ]
    return {"Link": ", ".join(links)}


def _whole(call: Call, name: str, default: int) -> int:
    text = call.request.query.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise unprocessable(name, "must be a whole number from 1")
    return int(text)


def _write_cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _read_cursor(text: str) -> Place:
    try:
        place: Place = msgspec.json.decode(base64.urlsafe_b64decode(text), type=Place)
    except (ValueError, msgspec.MsgspecError):
        raise unprocessable("after", "is not a cursor") from None
    return place
