"""Google Calendar: every calendar of an account, kept in step by sync tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec
from pydantic import BaseModel

from headrace.account import Account
from headrace.errors import BadInput, Expired, HeadraceError, Retry
from headrace.google.calendar_config import GoogleCalendarConfig
from headrace.google.calendar_place import At, page_at
from headrace.google.calendar_tokens import about_tokens
from headrace.google.events import Events, Listed, read_events
from headrace.google.refusals import explain, is_gone, reasons
from headrace.google.series import Series
from headrace.http import GOOGLE, Answer, Policy
from headrace.provider import JSON, Census, Owner, Page, Record, StreamPlan

LIST = "calendars"
"""The stream of the calendars themselves; every other stream is a calendar, named by its id."""

_API = "/calendar/v3"
_REFUSED = (400, 403, 404, 410)
_OF_ONE_CALENDAR = frozenset({"forbidden", "requiredAccessLevel"})
_AT_ONCE = 1_000


class GoogleCalendar(Account):
    """One account. Calendars that come and go are no errors: see docs/how-to/calendars.md."""

    name: ClassVar[str] = "google_calendar"
    kind: ClassVar[str] = "google_calendar_sync"
    aliases: ClassVar[tuple[str, ...]] = ("calendar_sync", "calendar:fetch")
    issuer: ClassVar[str | None] = "google"
    scopes: ClassVar[tuple[str, ...]] = ("https://www.googleapis.com/auth/calendar.readonly",)
    policy: ClassVar[Policy] = GOOGLE
    Config: ClassVar[type[BaseModel]] = GoogleCalendarConfig

    config: GoogleCalendarConfig

    def __init__(self, config: GoogleCalendarConfig, *, secret: str | None = None) -> None:
        super().__init__(config, secret=secret)
        self.items_per_run = config.items_per_run
        self.units_per_minute = config.requests_per_minute
        self._series: dict[str, Series] = {}

    async def owner(self) -> Owner:
        """The account is known by the id of its own calendar, which is its address."""
        body = await self.ask(f"{_API}/calendars/primary", units=1)
        address = str(body["id"]).lower()
        return Owner(address, (address,))

    async def streams(self) -> Sequence[StreamPlan]:
        """The calendar list, the calendars that are followed, and those that are no longer listed
        and still have events here. Raises BadInput where none is as the config says."""
        listed = {str(one["id"]): one for one in await self._listed()}
        followed = [name for name, one in listed.items() if await self._follows(one)]
        gone = [name for name in await self._with_events() if name not in listed]
        if self.config.calendars and not followed and not gone:
            names = ", ".join(str(one.get("summary", one["id"])) for one in listed.values())
            raise BadInput(
                f"The account has no calendar {self.config.calendars[0]!r}.",
                hint=f"It has: {names}.",
            )
        content = "application/vnd.google.calendar.event+json"
        plans = [StreamPlan(name, content) for name in [*followed, *gone]]
        return [StreamPlan(LIST, "application/vnd.google.calendar-list+json"), *plans]

    async def fetch(self, stream: str, slice_: str, cursor: JSON) -> Page:  # noqa: ARG002
        """One page. Raises Retry, NeedsHuman, and Expired for tokens that are refused."""
        at = msgspec.convert(cursor or {}, At)
        return await (self._calendars(at) if stream == LIST else self._events(stream, at))

    # --- the list of calendars ----------------------------------------------------------------

    async def _calendars(self, at: At) -> Page:
        page = (await self._list(at))[0]
        # A calendar that is deleted is told as one, and stays as a record that says so.
        records = [
            Record(str(msgspec.json.decode(raw)["id"]), bytes(raw), mark="listed")
            for raw in page.items
        ]
        # What is listed no more is forgotten only once its events are: until then they are walked.
        also = () if page.next_page_token else await self._with_events()
        return page_at(at, records, page.next_page_token, page.next_sync_token, also=also)

    async def _listed(self) -> list[dict[str, Any]]:
        """The calendars that the account has now."""
        at: At | None = At()
        found: list[dict[str, Any]] = []
        while at is not None:
            page, body = await self._list(at)
            found += [one for one in body["items"] if not one.get("deleted")]
            at = At(page=page.next_page_token) if page.next_page_token else None
        return found

    async def _list(self, at: At) -> tuple[Listed, dict[str, Any]]:
        asked = {"maxResults": "250", "showDeleted": "true", "showHidden": "true"}
        body, answer = await self._page("users/me/calendarList", at, asked)
        if body is None:
            raise about_tokens(answer, at) or self.api().error(answer)
        return msgspec.json.decode(answer.body, type=Listed), body

    async def _follows(self, entry: Mapping[str, Any]) -> bool:
        wanted = self.config.calendars
        if wanted:
            names = {entry["id"], entry.get("summary"), entry.get("summaryOverride")}
            return bool(names & {*wanted}) or (bool(entry.get("primary")) and "primary" in wanted)
        if entry.get("selected") or entry.get("accessRole") == "owner":
            return True
        # What somebody does not look at any more is not begun; what is here stays up to date.
        return await self._has_events(str(entry["id"]))

    async def _with_events(self) -> list[str]:
        """The calendars ever listed of which there are events here."""
        found: list[str] = []
        after = ""
        while names := [name for name, _ in await self.known(LIST, after, _AT_ONCE)]:
            found += [name for name in names if await self._has_events(name)]
            after = names[-1]
        return found

    async def _has_events(self, name: str) -> bool:
        return bool(await self.known(name, "", 1))

    # --- one calendar -------------------------------------------------------------------------

    async def _events(self, name: str, at: At) -> Page:
        if at.gone:
            if not await self._is_listed(name):
                return Page([], at.cursor(), more=False, census=Census(first=True, last=True))
            at = At()
        # The same in every request of every walk: sync tokens are bound to them (rule C2).
        asked = {"singleEvents": "false", "maxResults": str(self.config.page_size)}
        body, answer = await self._page(_events_of(name), at, asked)
        if body is None:
            return await self._closed(name, at, answer)
        page = msgspec.json.decode(answer.body, type=Events)
        # A small sleep for every 25 events, all in one between the starts of two pages (A1.9).
        self._free_at += self.config.pause_ms / 1000 * len(page.items) / 25
        told, bad = read_events(page)
        if at.sync is None:
            records = [one.record for one in told]
        else:
            records = await self._series_of(name).settle(told, page)
        return page_at(at, records, page.next_page_token, page.next_sync_token, bad=bad)

    async def _closed(self, name: str, at: At, answer: Answer) -> Page:
        """What it means that a calendar cannot be read: a state of it, and no error (rule C4)."""
        if answer.status != 403 and not is_gone(answer):
            raise about_tokens(answer, at) or self.api().error(answer)
        if not await self._is_listed(name):
            raise Expired(f"The calendar {name} is no longer there.", cursor=At(gone=True).cursor())
        # A full walk that was broken off must begin again: what it listed was not everything.
        reason = f"it cannot be read now ({answer.status}); what is here stays"
        return Page([], At(sync=at.sync).cursor(), more=False, notes={"calendar": reason})

    async def _is_listed(self, name: str) -> bool:
        return any(one["id"] == name for one in await self._listed())

    def _series_of(self, name: str) -> Series:
        if name not in self._series:
            known, lives = partial(self.known, name), partial(self._lives, name)
            self._series[name] = Series(known, lives)
        return self._series[name]

    async def _lives(self, calendar: str, name: str) -> bool:
        path = self._url(f"{_events_of(calendar)}/{quote(name, safe='')}")
        body = await self.ask(path, units=1, allow=(403, 404, 410))
        return body is not None and body.get("status") != "cancelled"

    # --- asking -------------------------------------------------------------------------------

    def _url(self, path: str) -> str:
        # Whole, because ids are quoted in it.
        return f"{self.base_url.rstrip('/')}{_API}/{path}"

    async def _page(
        self, path: str, at: At, asked: Mapping[str, str]
    ) -> tuple[dict[str, Any] | None, Answer]:
        """A page of a list, and the answer it was in; None if the answer is a refusal."""
        await self.pace(0)
        body, answer = await self.answer(
            self._url(path), units=1, allow=_REFUSED, params={**asked, **at.tokens()}
        )
        if body is not None and not (
            isinstance(body, dict) and isinstance(body.get("items"), list)
        ):
            raise Retry(f"{answer.host} sent something else than a list.")
        return body, answer

    def refusal(self, path: str, answer: Answer) -> None:  # noqa: ARG002
        """None, for what depends on what was asked. Raises for limits and what is not allowed."""
        if answer.status == 403 and not reasons(answer) & _OF_ONE_CALENDAR:
            raise self.api().error(answer)

    def explain(self, answer: Answer) -> HeadraceError | None:
        """What Google's own reasons mean."""
        return explain(answer, "Google Calendar", "that lets it see your calendars")


def _events_of(calendar: str) -> str:
    return f"calendars/{quote(calendar, safe='')}/events"
