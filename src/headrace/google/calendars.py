"""What is asked of Google Calendar: the list of calendars, their events, and one event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from headrace.account import Account
from headrace.errors import Retry
from headrace.google.calendar_place import At
from headrace.google.calendar_tokens import about_tokens
from headrace.google.events import Events, Listed
from headrace.google.refusals import is_gone, reasons
from headrace.http import Answer
from headrace.provider import Record

_API = "/calendar/v3"
_REFUSED = (400, 403, 404, 410)
_OF_ONE_CALENDAR = frozenset({"forbidden", "requiredAccessLevel"})

Shape = TypeVar("Shape", bound=Listed)


class Closed(Exception):
    """One calendar cannot be read: a state of it, and no error (rule C4)."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class Calendars:
    """The calendars of one account, which pays for what is asked: each request is one unit. All
    raise like `Provider.fetch`."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def address(self) -> str:
        """The id of the account's own calendar, which is its address."""
        body = await self._account.ask(f"{_API}/calendars/primary", units=1)
        return str(body["id"]).lower()

    async def listed(self) -> dict[str, dict[str, Any]]:
        """The calendars that the account has now, by their ids."""
        at: At | None = At()
        found: dict[str, dict[str, Any]] = {}
        while at is not None:
            page = await self.page_of_list(at)
            entries = [msgspec.json.decode(raw) for raw in page.items]
            found |= {str(one["id"]): one for one in entries if not one.get("deleted")}
            at = At(page=page.next_page_token) if page.next_page_token else None
        return found

    async def page_of_list(self, at: At) -> Listed:
        """A page of the list of calendars. One that is deleted is told as one."""
        asked = {"maxResults": "250", "showDeleted": "true", "showHidden": "true"}
        page, answer = await self._page("users/me/calendarList", at, asked, Listed)
        if page is None:
            raise self._refused(answer, at)
        return page

    async def page_of_events(self, calendar: str, at: At, size: int) -> Events:
        """A page of a calendar's events. Raises Closed for one that cannot be read."""
        # The same in every request of every walk: sync tokens are bound to them (rule C2).
        asked = {"singleEvents": "false", "maxResults": str(size)}
        page, answer = await self._page(_events_of(calendar), at, asked, Events)
        if page is not None:
            return page
        if answer.status == 403 or is_gone(answer):
            raise Closed(answer.status)
        raise self._refused(answer, at)

    async def lives(self, calendar: str, event: str) -> bool:
        """Whether an event is there."""
        path = self._url(f"{_events_of(calendar)}/{quote(event, safe='')}")
        body = await self._account.ask(path, units=1, allow=(403, 404, 410))
        return body is not None and body.get("status") != "cancelled"

    def refusal(self, answer: Answer) -> None:
        """Raises for limits and what is not allowed; all else depends on what was asked."""
        if answer.status == 403 and not reasons(answer) & _OF_ONE_CALENDAR:
            raise self._account.api().error(answer)

    async def _page(
        self, path: str, at: At, asked: Mapping[str, str], shape: type[Shape]
    ) -> tuple[Shape | None, Answer]:
        """A page of a list, and the answer it was in; None if the answer is a refusal."""
        body, answer = await self._account.answer(
            self._url(path), units=1, allow=_REFUSED, params={**asked, **at.tokens()}
        )
        if body is None:
            return None, answer
        if not isinstance(body, dict) or not isinstance(body.get("items"), list):
            raise Retry(f"{answer.host} sent something else than a list.")
        return msgspec.json.decode(answer.body, type=shape), answer

    def _refused(self, answer: Answer, at: At) -> Exception:
        return about_tokens(answer, at) or self._account.api().error(answer)

    def _url(self, path: str) -> str:
        # Whole, because ids are quoted in it.
        return f"{self._account.base_url.rstrip('/')}{_API}/{path}"


def _events_of(calendar: str) -> str:
    return f"calendars/{quote(calendar, safe='')}/events"


def entry(raw: msgspec.Raw) -> Record:
    """A calendar of the list as a record, which stays when it says that it is deleted."""
    return Record(str(msgspec.json.decode(raw)["id"]), bytes(raw), mark="listed")
