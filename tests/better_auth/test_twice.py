"""One account that the application has and that its owner has connected as well."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.accounts import VAULT, fresh, run
from tests.better_auth.application import CALENDAR, GMAIL, Application
from tests.better_auth.conftest import OpenApplication

from headrace.engine.discover import Discovered
from headrace.errors import NeedsHuman
from headrace.oauth.connect import Wish, connect
from headrace.oauth.endpoint import Tokens
from headrace.store import connections

SCOPES = {"gmail": GMAIL, "google_calendar": CALENDAR}


async def by_hand(
    app: Application, *, user: str = "ann", name: str | None = None, provider: str = "gmail"
) -> dict[str, Any]:
    """What `headrace connect` makes of a consent."""
    given = app.google.grant("", [SCOPES[provider]])
    tokens = Tokens(str(given["access_token"]), str(given["refresh_token"]), 3600)
    [row], _ = await asyncio.to_thread(
        connect,
        app.database,
        VAULT,
        app.settings,
        tenant="default",
        user=user,
        tokens=tokens,
        wishes=[Wish(provider, name)],
        trusted=True,
    )
    return row


def of(app: Application, name: str) -> dict[str, Any]:
    [row] = [one for one in app.connections() if one["name"] == name]
    return row


async def sync(app: Application, name: str) -> int:
    """How many records a sync of the connection brings."""
    outcomes = await run(app.database, app.settings, of(app, name))
    assert {(one.state, one.error) for one in outcomes} == {("done", "")}
    return sum(one.inserted for one in outcomes)


async def test_what_is_connected_by_hand_is_not_fetched_again(
    open_application: OpenApplication,
) -> None:
    """Covers A0.23: the one that was found steps aside, says why, and has landed nothing."""
    app = await open_application("account.sql")
    await by_hand(app)
    assert await sync(app, "gmail:ada@example.com") > 0
    app.sign_in()
    assert app.discover() == Discovered(connected=1)
    with pytest.raises(NeedsHuman, match="connected already, as gmail:ada@"):
        await sync(app, "gmail:10ann")
    aside = of(app, "gmail:10ann")
    assert aside["health"] == "paused"
    assert "as gmail:ada@example.com" in aside["health_reason"]
    assert "resume this one" in aside["health_hint"]
    streams = app.run(
        "SELECT name FROM headrace.streams WHERE connection_id = %(id)s", id=aside["connection_id"]
    )
    assert streams == []
    assert app.discover() == Discovered()
    assert of(app, "gmail:10ann")["health"] == "paused"
    assert await sync(app, "gmail:ada@example.com") == 0


async def test_a_person_decides_which_of_the_two_goes_on(open_application: OpenApplication) -> None:
    app = await open_application("account.sql")
    await by_hand(app)
    app.sign_in()
    app.discover()
    with app.database.transaction() as session:
        connections.pause(session, of(app, "gmail:ada@example.com")["connection_id"])
    assert await sync(app, "gmail:10ann") > 0
    with app.database.transaction() as session:
        connections.resume(session, of(app, "gmail:ada@example.com")["connection_id"])
    with pytest.raises(NeedsHuman, match="connected already"):
        await sync(app, "gmail:10ann")
    assert of(app, "gmail:10ann")["health"] == "paused"


async def test_connecting_by_hand_adopts_what_was_found(open_application: OpenApplication) -> None:
    """What it has landed stays, under the name and the consent that it has now; the application
    has no say in it any more."""
    app = await open_application("account.sql")
    row = app.sign_in(scopes=[GMAIL, CALENDAR])
    app.discover()
    assert await sync(app, "gmail:10ann") > 0
    found = of(app, "gmail:10ann")
    adopted = await by_hand(app, name="work")
    assert adopted["connection_id"] == found["connection_id"]
    assert adopted["grant_id"] != found["grant_id"]
    assert await sync(app, "work") == 0
    assert app.discover() == Discovered()
    app.run("DELETE FROM account")
    assert app.discover() == Discovered(gone=1)
    assert {one["name"]: one["health"] for one in app.connections()} == {
        "work": "active",
        "google_calendar:10ann": "paused",
    }
    app.sign_in(row=row["id"], scopes=[GMAIL, CALENDAR])
    assert app.discover() == Discovered(back=1)


async def test_what_the_application_no_longer_had_goes_on_by_hand(
    open_application: OpenApplication,
) -> None:
    app = await open_application("account.sql")
    app.sign_in()
    app.discover()
    await sync(app, "gmail:10ann")
    app.run("DELETE FROM account")
    assert app.discover() == Discovered(gone=1)
    adopted = fresh(app.database, await by_hand(app))
    assert (adopted["name"], adopted["health"]) == ("gmail:ada@example.com", "active")
    assert adopted["health_reason"] is None
    assert len(app.connections()) == 1


async def test_what_a_person_has_paused_is_adopted_and_stays_paused(
    open_application: OpenApplication,
) -> None:
    app = await open_application("account.sql")
    app.sign_in()
    app.discover()
    await sync(app, "gmail:10ann")
    with app.database.transaction() as session:
        connections.pause(session, of(app, "gmail:10ann")["connection_id"])
    adopted = fresh(app.database, await by_hand(app))
    assert (adopted["health"], adopted["health_reason"]) == ("paused", "Somebody has paused it.")


async def test_a_second_connection_by_hand_adopts_no_double(
    open_application: OpenApplication,
) -> None:
    """Two connections of one account, of which a person reads two things, are that person's."""
    app = await open_application("account.sql")
    await by_hand(app)
    app.sign_in()
    app.discover()
    with pytest.raises(NeedsHuman):
        await sync(app, "gmail:10ann")
    second = await by_hand(app, name="second")
    assert second["connection_id"] != of(app, "gmail:10ann")["connection_id"]
    assert await sync(app, "second") > 0
    assert await sync(app, "gmail:ada@example.com") > 0


async def test_others_accounts_are_others(open_application: OpenApplication) -> None:
    """The same account of another user, or read by another provider, is not this one."""
    app = await open_application("account.sql")
    await by_hand(app, user="bob")
    await by_hand(app, provider="google_calendar")
    app.sign_in("ann")
    app.discover()
    assert await sync(app, "gmail:10ann") > 0
    await by_hand(app, user="eve")
    assert of(app, "gmail:10ann")["user_id"] == "ann"
    assert len(app.connections()) == 4
