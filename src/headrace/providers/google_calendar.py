"""Google Calendar: every calendar of an account, kept in step by sync tokens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from pydantic import BaseModel

from headrace.errors import HeadraceError
from headrace.google.calendar_config import GoogleCalendarConfig
from headrace.google.calendar_place import At
from headrace.google.calendars import Calendars, Closed, entry
from headrace.google.events import read_events
from headrace.google.followed import LIST, followed, with_events
from headrace.google.refusals import explain
from headrace.google.series import Series
from headrace.http import GOOGLE, Answer, Policy
from headrace.in_step import InStep, Told
from headrace.provider import Owner, StreamPlan


class GoogleCalendar(InStep[At]):
    """One account. Calendars that come and go are no errors: see docs/how-to/calendars.md."""

    name: ClassVar[str] = "google_calendar"
    kind: ClassVar[str] = "google_calendar_sync"
    aliases: ClassVar[tuple[str, ...]] = ("calendar_sync", "calendar:fetch")
    issuer: ClassVar[str | None] = "google"
    scopes: ClassVar[tuple[str, ...]] = ("https://www.googleapis.com/auth/calendar.readonly",)
    policy: ClassVar[Policy] = GOOGLE
    Config: ClassVar[type[BaseModel]] = GoogleCalendarConfig
    config: GoogleCalendarConfig
    place = At

    def __init__(self, config: GoogleCalendarConfig, *, secret: str | None = None) -> None:
        super().__init__(config, secret=secret)
        self.items_per_run = config.items_per_run
        self.units_per_minute = config.requests_per_minute
        self._calendars = Calendars(self)
        self._series: dict[str, Series] = {}

    async def owner(self) -> Owner:
        """The account is known by the address of its own calendar."""
        address = await self._calendars.address()
        return Owner(address, (address,))

    async def streams(self) -> Sequence[StreamPlan]:
        """The calendar list, the calendars that are followed, and those that are no longer listed
        and still have events here. Raises BadInput where none is as the config says."""
        names = await followed(await self._calendars.listed(), self.config, self.known)
        plans = [StreamPlan(name, "application/vnd.google.calendar.event+json") for name in names]
        return [StreamPlan(LIST, "application/vnd.google.calendar-list+json"), *plans]

    async def listed(self, stream: str, at: At) -> Told[At]:
        """Everything of the list or of a calendar, by its pages."""
        if stream == LIST:
            return await self._list(at)
        if at.gone:
            if not await self._is_listed(stream):
                return Told([], at, more=False)
            at = At()
        return await self._events(stream, at)

    async def changed(self, stream: str, at: At) -> Told[At]:
        """What has changed since the sync token was given."""
        return await (self._list(at) if stream == LIST else self._events(stream, at))

    async def _list(self, at: At) -> Told[At]:
        page = await self._calendars.page_of_list(at)
        # What is listed no more is forgotten only once its events are: until then they are walked.
        also = () if page.next_page_token else await with_events(self.known)
        return at.told([entry(raw) for raw in page.items], page, also=also)

    async def _events(self, name: str, at: At) -> Told[At]:
        try:
            page = await self._calendars.page_of_events(name, at, self.config.page_size)
        except Closed as closed:
            return await self._closed(name, at, closed.status)
        # A small sleep for every 25 events, all in one between the starts of two pages (A1.9).
        self.put_off(self.config.pause_ms / 1000 * len(page.items) / 25)
        told, bad = read_events(page)
        if at.is_listing:
            records = [one.record for one in told]
        else:
            records = await self._series_of(name).settle(told, page)
        return at.told(records, page, bad=bad)

    async def _closed(self, name: str, at: At, status: int) -> Told[At]:
        """What it means that a calendar cannot be read: a state of it, and no error (rule C4)."""
        if not await self._is_listed(name):
            raise At(gone=True).begin_here(f"The calendar {name} is no longer there.")
        # A full walk that was broken off must begin again: what it listed was not everything.
        notes = {"calendar": f"it cannot be read now ({status}); what is here stays"}
        return Told([], At(since=at.since), more=False, notes=notes, broken=True)

    async def _is_listed(self, name: str) -> bool:
        return name in await self._calendars.listed()

    def _series_of(self, name: str) -> Series:
        if name not in self._series:
            lives = partial(self._calendars.lives, name)
            self._series[name] = Series(partial(self.known, name), lives)
        return self._series[name]

    def explain(self, answer: Answer) -> HeadraceError | None:
        """What Google's own reasons mean."""
        return explain(answer, "Google Calendar", "that lets it see your calendars")

    def refusal(self, path: str, answer: Answer) -> None:  # noqa: ARG002 - all paths alike
        """None, for what depends on what was asked. Raises for limits and what is not allowed."""
        self._calendars.refusal(answer)
