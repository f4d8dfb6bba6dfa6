"""Lists and their pages. Next links are followed as they were written (rule H3); the HTTP client
keeps them within the origin (rule H4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Protocol

import msgspec

from headrace.errors import NeedsHuman
from headrace.github.records import facts_of
from headrace.http import Answer, next_link

Raws = list[msgspec.Raw]
Params = Mapping[str, str]

NONE: Params = {}
_READINGS = 4
LARGEST = "100"
"""Rows of a page: the most that GitHub gives."""


class Gone(NeedsHuman):
    """What was asked for is not there for this account: deleted, private or not permitted. The
    answer's `status` says which, as far as GitHub does."""

    def __init__(self, message: str, *, hint: str, status: int) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class Asking(Protocol):
    """Asks for a path or a link: the JSON in a shape, or None for an expected 304."""

    async def __call__(
        self, path: str, shape: Any, headers: Params, params: Params
    ) -> tuple[Any, Answer]: ...


class Tag(msgspec.Struct, frozen=True, omit_defaults=True):
    """An ETag and whose it is: of one address, and of one token (rule H6)."""

    value: str = ""
    of: str = ""


class Listed(msgspec.Struct):
    """A page. `rows` are the bytes as sent; `tag` asks for the same page again, for free; `found`
    is what they were in."""

    rows: Raws
    next: str | None
    tag: Tag
    found: Any
    poll: float
    """Seconds for which GitHub does not want to be asked this again."""


class Lists:
    """The lists of one account. `token` gives the access token of this moment.

    Where a list is inside an object, `shape` is a struct that has it as `rows`.
    """

    def __init__(self, ask: Asking, token: Callable[[], Awaitable[str]]) -> None:
        self._ask = ask
        self._token = token

    async def page(
        self, path: str, params: Params = NONE, *, tag: Tag | None = None, shape: Any = Raws
    ) -> Listed | None:
        """One page; None where it is as it was when it was given that tag. Raises Gone."""
        if "://" not in path:
            params = {"per_page": LARGEST, **params}
        of = await self._named(path, params)
        asked = {"If-None-Match": tag.value} if tag and tag.value and tag.of == of else NONE
        found, answer = await self._ask(path, shape, asked, params)
        if found is None:
            return None
        return Listed(
            found if shape is Raws else found.rows,
            next_link(answer.links),
            Tag(answer.headers.get("ETag", ""), of),
            found,
            _seconds(answer.headers.get("X-Poll-Interval", "")),
        )

    async def fresh(self, path: str, params: Params = NONE, *, shape: Any = Raws) -> Listed:
        """One page, whether it is as it was or not. Raises Gone."""
        page = await self.page(path, params, shape=shape)
        assert page is not None, "no tag was sent"
        return page

    async def whole(
        self,
        path: str,
        params: Params = NONE,
        *,
        shape: Any = Raws,
        until: Callable[[Raws], bool] | None = None,
    ) -> Raws:
        """All rows, or those to the page that `until` is true of.

        Numbered pages shift when a row leaves the list, and one is passed over (rules H1, R4): a
        list of several pages is read until two readings name the same rows.
        """
        rows: dict[str | bytes, msgspec.Raw] = {}
        before: set[str | bytes] = set()
        for _ in range(_READINGS):
            page = await self.fresh(path, params, shape=shape)
            named, pages = _by_id(page.rows), 1
            while page.next is not None and not (until and until(page.rows)):
                page = await self.fresh(page.next, shape=shape)
                named |= _by_id(page.rows)
                pages += 1
            rows |= named
            if pages == 1 or named.keys() == before:
                break
            before = set(named)
        return list(rows.values())

    async def _named(self, path: str, params: Params) -> str:
        """What an ETag is good for, without showing the token."""
        text = f"{await self._token()} {path} {sorted(params.items())}"
        return blake2b(text.encode(), digest_size=16).hexdigest()


def _by_id(rows: Raws) -> dict[str | bytes, msgspec.Raw]:
    return {facts_of(row).ident or bytes(row): row for row in rows}


def _seconds(text: str) -> float:
    return min(float(text), 3_600.0) if text.isdecimal() else 0.0


def last_change(rows: Sequence[msgspec.Raw]) -> str:
    """The time of the latest change among rows; "" of none."""
    return max((facts_of(row).updated_at or "" for row in rows), default="")
