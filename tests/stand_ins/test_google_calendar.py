"""Google Calendar at emulate: everything there, then what changes there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from tests.stand_ins import google
from tests.stand_ins.account import Account, consent
from tests.stand_ins.deviations import deviations
from tests.stand_ins.emulate import Emulate
from tests.stand_ins.google import ANN, ANYBODY, BACK, OWN, TEAM

from headrace.oauth.connect import Wish
from headrace.store.database import Database

EVENTS = 60
OF_OWN = f"/calendar/v3/calendars/{OWN}/events"


@asynccontextmanager
async def calendars(pool: Database, **config: Any) -> AsyncIterator[tuple[Emulate, Account]]:
    async with Emulate(google.fill).running("google", google.seed(events=EVENTS)) as emulate:
        settings = google.settings(emulate.url)
        wish = Wish("google_calendar", config={"pause_ms": 0, "page_size": 25, **config})
        [row] = await consent(pool, settings, emulate, [wish], owner=ANN, back=BACK)
        yield emulate, Account(pool, settings, row, "normalize_google_event")


def when(text: str) -> datetime:
    """A time of emulate's, or the beginning of a day."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


async def test_all_events_are_there_as_they_were_made(pool: Database) -> None:
    """Covers A0.1 and A1.7: two calendars, page by page, whole days and hours."""
    async with calendars(pool) as (emulate, account):
        assert account.connection["account"] == ANN
        await account.sync()
        rows = await account.of("calendar_events")
        assert len(rows) == EVENTS + 1
        for number in range(EVENTS + 1):
            row, made = rows[f"evt{number:04}"], google.event(number)
            is_day = "start_date" in made
            assert row["stream"] == (TEAM if number == EVENTS else OWN)
            assert row["title"] == made["summary"]
            assert row["all_day"] == is_day
            kind = "date" if is_day else "date_time"
            assert row["occurred_at"] == when(made[f"start_{kind}"])
            assert row["ends_at"] == when(made[f"end_{kind}"])
            assert row["location"] == made.get("location")
            guests = [one["email"] for one in made.get("attendees", [])]
            assert sorted(row["attendees"]) == sorted(guests)
        assert [one.path for one in emulate.said].count(OF_OWN) == 3


async def test_what_changes_there_changes_here(pool: Database) -> None:
    """An event is made and one is deleted. Where no sync token is given, the list says
    what there is; nothing that stayed as it was is landed again."""
    async with calendars(pool) as (emulate, account):
        await account.sync()
        landed = await account.landed()
        await account.sync()
        assert await account.landed() == landed
        made = {
            "summary": "Übergabe",
            "start": {"dateTime": "2026-12-01T09:00:00Z"},
            "end": {"dateTime": "2026-12-01T10:00:00Z"},
        }
        new = await emulate.ask("POST", OF_OWN, made, token=ANYBODY)
        await emulate.ask("DELETE", f"{OF_OWN}/evt0007", token=ANYBODY)
        await account.sync()
        rows = await account.of("calendar_events")
        assert "evt0007" not in rows
        assert rows[new["id"]]["title"] == "Übergabe"
        assert len(rows) == EVENTS + 1
        assert await account.landed() == landed + 2


async def test_where_emulate_is_not_google_calendar(pool: Database) -> None:
    """Its answers have nothing that Google's do not, and lack what makes a sync: its token."""
    async with calendars(pool) as (emulate, account):
        await account.sync()
        said = [one for one in emulate.said if one.path.startswith("/calendar/")]
        assert {one.path for one in said} >= {OF_OWN, "/calendar/v3/users/me/calendarList"}
        assert deviations(said) == set()
        assert not any("nextSyncToken" in one.body for one in said)
