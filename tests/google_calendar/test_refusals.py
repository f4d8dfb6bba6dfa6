"""What Google refuses, in words for the account's owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from tests.accounts import connect

from headrace.errors import NeedsHuman

if TYPE_CHECKING:
    from tests.google_calendar.desk import Desk

Open = Callable[..., Awaitable["Desk"]]


async def test_a_box_that_was_not_ticked(open_desk: Open) -> None:
    """Covers O7: the account was connected, and not for this."""
    desk = await open_desk(events=3)
    scopes = ["https://www.googleapis.com/auth/gmail.readonly"]
    desk.connection = connect(
        desk.database, desk.google, "google_calendar", called="unticked", scopes=scopes
    )
    with pytest.raises(NeedsHuman, match="was not allowed") as refused:
        await desk.sync()
    assert refused.value.reauth
    assert "tick the box" in refused.value.hint


async def test_a_domain_that_forbids_it(open_desk: Open) -> None:
    """Covers G10: nobody is asked to sign in again for that."""
    desk = await open_desk(events=3)
    desk.ask("/admin/suspend", {"how": "policy"})
    with pytest.raises(NeedsHuman, match="administrators") as refused:
        await desk.sync()
    assert not refused.value.reauth


async def test_more_requests_than_are_allowed(open_desk: Open) -> None:
    """Covers G10, A1.14, A1.30: 403 or 429, the time to wait is only in the text, and the job is
    parked until then; what was landed is kept."""
    desk = await open_desk({"page_size": 3}, events=30, user_requests=8)
    outcomes = await desk.sync()
    waits = [one.after for one in outcomes if one.state == "retry"]
    assert waits
    assert all(wait is not None and 30 < wait <= 60 for wait in waits)
    assert (await desk.live())[desk.own]
    desk.google.clock.advance(61)


async def test_an_account_is_known_by_its_own_calendar(open_desk: Open) -> None:
    desk = await open_desk(events=1)
    await desk.synced()
    [row] = await desk.rows(
        "SELECT account, addresses FROM headrace.connections WHERE account <> %s", ""
    )
    assert (row["account"], row["addresses"]) == ("ada@example.com", ["ada@example.com"])
