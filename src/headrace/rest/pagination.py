"""From one page to the next: what each style reads from an answer, and when a walk has ended.

    auto         {"data": [], "pagination": {"hasMore": true, "nextCursor": "x"}}   nested
                 {"data": [], "hasMore": true, "nextCursor": "x"}                   flat
                 {"results": [], "next": "https://.../items?page=2"}                next URL
                 Link: </items?after=7>; rel="next"                                 Link header
    cursor, next_url, link_header, offset, page, none

A walk ends on the declared signal only: false, or a cursor that is null, absent or "" (R1). An
empty page is the end for offset and page alone, which know no better.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import msgspec

from headrace.errors import NeedsHuman, Retry
from headrace.http import Nonsense, next_link
from headrace.rest.cursor import At
from headrace.rest.paths import keys_of
from headrace.rest.stream_spec import Pagination
from headrace.text import clean_text

SHAPES: tuple[tuple[str, str | None, str], ...] = (
    ("nested", "pagination.hasMore", "pagination.nextCursor"),
    ("flat", "hasMore", "nextCursor"),
    ("nested, snake case", "pagination.has_more", "pagination.next_cursor"),
    ("flat, snake case", "has_more", "next_cursor"),
    ("meta", "meta.has_more", "meta.next_cursor"),
    ("next URL", None, "next"),
    ("next URL in links", None, "links.next"),
)
"""What auto looks for, in this order: name, path of has_more, path of the next one."""


class Seen(msgspec.Struct):
    """What a paginator may look at: the answer's fields by path, and how much there was."""

    values: Mapping[str, Any]
    url: str
    links: tuple[str, ...]
    count: int
    full: bool
    """Whether the page holds as many records as were asked for."""
    body: bytes
    """The answer itself, for messages."""


class Following(msgspec.Struct):
    """Where to go on (None: the walk has ended), the envelope seen, and the last cursor."""

    at: At | None
    shape: str
    last: At | None = None


def paths_of(spec: Pagination) -> list[str]:
    """The fields of an answer that `following` will want to see."""
    if spec.style == "auto":
        return [path for _, *pair in SHAPES for path in pair if path]
    return [path for path in (spec.source, spec.has_more, spec.total) if path]


def first(spec: Pagination) -> At | None:
    """Where a walk begins: only counting styles have to say so."""
    if spec.style == "offset":
        return At(offset=spec.start or 0)
    if spec.style == "page":
        return At(page=1 if spec.start is None else spec.start)
    return None


def following(spec: Pagination, seen: Seen, at: At | None) -> Following:
    """Where the page after this one is. Raises Retry for an answer that contradicts itself, and
    NeedsHuman where auto cannot tell whether there is more."""
    if spec.style == "auto":
        return _auto(seen)
    if spec.style == "offset":
        return _offset(spec, seen, at or At(offset=0))
    if spec.style == "page":
        return _page(spec, seen, at or At(page=1))
    if spec.style == "link_header":
        return _linked(next_link(seen.links), seen, _flag(seen, spec.has_more), "Link header")
    if spec.style == "none":
        return Following(None, "none")
    source = spec.source or ""
    value = seen.values.get(source, msgspec.UNSET)
    more = _flag(seen, spec.has_more)
    # A path that is not there is the end (R1) or a slip in the spec: the log shall tell.
    shape = source if value is not msgspec.UNSET else f"no {source}"
    if spec.style == "next_url":
        return _linked(value, seen, more, shape)
    return _cursor(value, more, shape)


def _auto(seen: Seen) -> Following:
    promised = None  # the shape that says there is more, but not where
    for shape, flag, source in SHAPES:
        value = seen.values.get(source, msgspec.UNSET)
        more = _flag(seen, flag)
        if value is msgspec.UNSET and more is None:
            continue
        if flag is not None and value is msgspec.UNSET and more:
            promised = promised or shape
        elif flag is not None:
            return _cursor(value, more, shape)
        elif value is None or value == "" or isinstance(value, dict) or _is_link(value):
            return _linked(value, seen, None, shape)
        else:
            raise NeedsHuman(
                f"The answer's {source} is no URL, so it is not clear how to ask for it.",
                hint="Declare `pagination` in the spec: style, param and from.",
            )
    if seen.links:
        return _linked(next_link(seen.links), seen, None, "Link header")
    if promised:
        raise _contradiction("cursor", promised)
    if seen.full:
        raise NeedsHuman(
            "The answer does not say whether there is more, in any of the known ways"
            f" (it is {keys_of(seen.body)}).",
            hint="Declare `pagination` in the spec; `style: none` if one page is everything.",
        )
    return Following(None, "none")


def _is_link(value: object) -> bool:
    return isinstance(value, str) and ("://" in value[:12] or value[0] in "/?")


def _flag(seen: Seen, path: str | None) -> bool | None:
    """Whether the answer says there is more; None when it says nothing."""
    value = seen.values.get(path, msgspec.UNSET) if path else msgspec.UNSET
    if value is msgspec.UNSET or value is None:
        return None
    if isinstance(value, bool):
        return value
    if value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise Nonsense(f"The answer's {path} is {str(value)[:40]!r}, neither true nor false.")


def _cursor(value: Any, more: bool | None, shape: str) -> Following:
    nothing = value in (msgspec.UNSET, None, "") or value is False
    given = None if nothing else At(cursor=value)
    if more is False:
        return Following(None, shape, given)
    if given is None and more:
        raise _contradiction("cursor", shape)
    return Following(given, shape, given)


def _contradiction(missing: str, shape: str) -> Retry:
    return Nonsense(f"The answer says that there is more but gives no {missing} for it ({shape}).")


def _linked(value: Any, seen: Seen, more: bool | None, shape: str) -> Following:
    if isinstance(value, dict):  # JSON:API and HAL: {"href": "..."}
        value = value.get("href")
    if more is False or value in (msgspec.UNSET, None, "", False):
        if more:
            raise _contradiction("link", shape)
        return Following(None, shape)
    if not isinstance(value, str):
        raise Nonsense(f"The answer's next link is not text ({shape}).")
    at = At(url=urljoin(seen.url, clean_text(value)))
    return Following(at, shape, at)


def _offset(spec: Pagination, seen: Seen, at: At) -> Following:
    offset, more = at.offset or 0, _flag(seen, spec.has_more)
    total = _count(seen, spec.total)
    if more is False or (total is not None and offset + seen.count >= total):
        return Following(None, "offset")
    if seen.count <= at.back:
        if more or total is not None:
            raise Nonsense("The answer says that there is more but holds no records.")
        return Following(None, "offset")
    # Deletions during the walk shift later records forward: each page looks back a little (R4).
    back = seen.count // 10
    return Following(At(offset=offset + seen.count - back, back=back), "offset")


def _page(spec: Pagination, seen: Seen, at: At) -> Following:
    page, more = at.page or 0, _flag(seen, spec.has_more)
    start = 1 if spec.start is None else spec.start
    total = _count(seen, spec.total)
    if total is not None:
        more = page - start + 1 < total
    if more is False or (more is None and seen.count == 0):
        return Following(None, "page")
    return Following(At(page=page + 1), "page")


def _count(seen: Seen, path: str | None) -> int | None:
    value = seen.values.get(path) if path else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
