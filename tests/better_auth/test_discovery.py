"""Finding the accounts of an application's users in Better Auth's table."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from tests.accounts import run
from tests.better_auth.application import CALENDAR, GMAIL, Application
from tests.better_auth.conftest import OpenApplication

from headrace.engine import discover, dispatch
from headrace.engine.discover import Discovered
from headrace.engine.runtime import engine
from headrace.errors import NeedsHuman
from headrace.store import connections
from headrace.store.found import GONE, MOVED

GOOGLE = "https://www.googleapis.com/auth"


def names(app: Application) -> list[str]:
    return [row["name"] for row in app.connections()]


def states(app: Application) -> dict[str, str]:
    return {row["name"]: row["health"] for row in app.connections()}


async def test_every_google_account_is_connected_once(
    open_application: OpenApplication, columns: list[str]
) -> None:
    """Covers A0.3, A0.22 and A0.23: by user, with what their consent allows, every 15 minutes."""
    app = await open_application("account.sql")
    row = app.sign_in("ann", scopes=[GMAIL, CALENDAR])
    app.sign_in("bob", scopes=[GMAIL])
    app.sign_in("eve", scopes=[])
    app.migrate(*columns[1:])
    assert app.discover() == Discovered(connected=3)
    assert names(app) == ["gmail:10ann", "gmail:10bob", "google_calendar:10ann"]
    for one in app.connections():
        assert (one["tenant_id"], one["user_id"]) == ("default", one["name"][-3:])
        assert (one["every_seconds"], one["health"], one["trusted"]) == (900, "active", False)
    [first, other] = app.run("SELECT * FROM headrace.grants ORDER BY user_id")
    assert (first["external_id"], first["account"], first["tokens"]) == (row["id"], "10ann", None)
    assert other["scopes"] == ["openid", GMAIL]
    assert app.discover() == Discovered()
    assert len(names(app)) == 3


@pytest.mark.parametrize(
    ("issuer", "scope", "connected"),
    [
        ("google", f"openid,{GOOGLE}/gmail.modify", ["gmail:x"]),
        ("google", f"openid {GOOGLE}/calendar", ["google_calendar:x"]),
        ("google", "https://mail.google.com/", ["gmail:x"]),
        ("google", f"{GOOGLE}/gmail.send,{GOOGLE}/gmail.metadata", []),
        ("google", None, []),
        ("github", f"{GOOGLE}/gmail.readonly", []),
        ("credential", f"{GOOGLE}/gmail.readonly", []),
    ],
)
async def test_what_a_consent_allows_decides(
    open_application: OpenApplication, issuer: str, scope: str | None, connected: list[str]
) -> None:
    """Covers O7: a scope that allows more will do; one that allows less will not."""
    app = await open_application("account.sql")
    row = app.sign_in()
    app.run(
        'UPDATE account SET "scope" = %(scope)s, "providerId" = %(issuer)s, "accountId" = \'x\'',
        scope=scope,
        issuer=issuer,
    )
    app.discover()
    assert names(app) == connected
    assert app.row(row["id"])["accessToken"] == row["accessToken"]


async def test_an_account_that_is_there_twice_is_connected_once(
    open_application: OpenApplication,
) -> None:
    """Nothing in the table forbids it: the row that was written last is the one."""
    app = await open_application("account.sql")
    app.sign_in(row="older")
    app.sign_in(row="newer")
    assert app.discover() == Discovered(connected=1)
    assert app.run("SELECT external_id AS id FROM headrace.grants") == [{"id": "newer"}]
    app.sign_in(row="older")
    app.discover()
    assert app.run("SELECT external_id AS id FROM headrace.grants") == [{"id": "older"}]
    assert len(names(app)) == 1


async def test_who_leaves_is_paused_with_words_and_who_comes_back_goes_on(
    open_application: OpenApplication,
) -> None:
    """Covers A0.23: with another row, as Better Auth makes one when an account is linked again."""
    app = await open_application("account.sql")
    row = app.sign_in("ann", scopes=[GMAIL, CALENDAR])
    app.sign_in("bob")
    app.discover()
    app.run("""DELETE FROM "user" WHERE "id" = 'ann'""")
    assert app.discover() == Discovered(gone=2)
    gone = [one for one in app.connections() if one["user_id"] == "ann"]
    assert {(one["health"], one["health_reason"], one["health_hint"]) for one in gone} == {
        ("paused", *GONE)
    }
    assert states(app)["gmail:10bob"] == "active"
    with pytest.raises(NeedsHuman, match="has ended"):
        await app.keeper(row["id"]).token()
    assert app.discover() == Discovered()

    back = app.sign_in("ann", scopes=[GMAIL, CALENDAR])
    assert app.discover() == Discovered(back=2)
    assert set(states(app).values()) == {"active"}
    assert await app.keeper(back["id"]).token() == back["accessToken"]


async def test_a_row_that_comes_back_as_it_was_goes_on(open_application: OpenApplication) -> None:
    """The application was restored from a backup."""
    app = await open_application("account.sql")
    app.sign_in()
    app.discover()
    app.run("CREATE TABLE saved AS TABLE account")
    app.run("DELETE FROM account")
    assert app.discover() == Discovered(gone=1)
    app.run("INSERT INTO account TABLE saved")
    assert app.discover() == Discovered(back=1)


async def test_a_consent_that_was_over_is_tried_again_when_its_row_is_back(
    open_application: OpenApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said of it then is true again: that it is over, not that the row is gone."""
    monkeypatch.setattr("headrace.oauth.better_auth.PATIENCE", 0.0)
    app = await open_application("account.sql")
    row = app.sign_in(seconds=0)
    app.discover()
    app.google.grants.give_back(app.opened(row["id"])[1])
    with pytest.raises(NeedsHuman, match="no longer accepts"):
        await app.keeper(row["id"]).token()
    app.run("CREATE TABLE saved AS TABLE account")
    app.run("DELETE FROM account")
    assert app.discover() == Discovered(gone=1)
    app.run("INSERT INTO account TABLE saved")
    assert app.discover() == Discovered(back=1)
    with pytest.raises(NeedsHuman, match="no longer accepts"):
        await app.keeper(row["id"]).token()
    assert set(states(app).values()) == {"needs_reauth"}


async def test_a_box_that_is_no_longer_ticked_pauses_what_needs_it(
    open_application: OpenApplication,
) -> None:
    """Covers O7: and the rest goes on."""
    app = await open_application("account.sql")
    row = app.sign_in(scopes=[GMAIL, CALENDAR])
    app.discover()
    app.sign_in(row=row["id"], scopes=[GMAIL])
    assert app.discover() == Discovered(gone=1)
    assert states(app) == {"gmail:10ann": "active", "google_calendar:10ann": "paused"}
    app.sign_in(row=row["id"], scopes=[GMAIL, CALENDAR])
    assert app.discover() == Discovered(back=1)
    assert set(states(app).values()) == {"active"}


async def test_what_a_person_has_paused_stays_paused(open_application: OpenApplication) -> None:
    app = await open_application("account.sql")
    app.sign_in()
    app.discover()
    [connection] = app.connections()
    with app.database.transaction() as session:
        connections.pause(session, connection["connection_id"])
    app.run("DELETE FROM account")
    assert app.discover() == Discovered()
    app.sign_in()
    assert app.discover() == Discovered()
    assert states(app) == {"gmail:10ann": "paused"}


async def test_another_tenant_takes_over_and_gives_back(open_application: OpenApplication) -> None:
    """Covers A0.23: nothing is synced for two tenants, and nothing is deleted; what a person has
    paused stays so, and with the setting as it was everything is."""
    app = await open_application("account.sql")
    app.sign_in("ann")
    app.sign_in("bob")
    app.discover()
    [outcome] = await run(app.database, app.settings, app.connections()[0])
    assert outcome.inserted > 0
    with app.database.transaction() as session:
        connections.pause(session, app.connections()[1]["connection_id"])

    assert app.discover(better_auth_tenant="acme") == Discovered(connected=2, gone=1)

    def told() -> dict[tuple[str, str], tuple[str, str | None]]:
        return {
            (one["tenant_id"], one["user_id"]): (one["health"], one["health_reason"])
            for one in app.connections()
        }

    by_hand = ("paused", "Somebody has paused it.")
    assert told() == {
        ("default", "ann"): ("paused", MOVED[0]),
        ("default", "bob"): by_hand,
        ("acme", "ann"): ("active", None),
        ("acme", "bob"): ("active", None),
    }
    assert len(app.run("SELECT version FROM headrace.raw_events")) == outcome.inserted
    assert app.discover(better_auth_tenant="acme") == Discovered()

    assert app.discover() == Discovered(back=1, gone=2)
    assert told() == {
        ("default", "ann"): ("active", None),
        ("default", "bob"): by_hand,
        ("acme", "ann"): ("paused", MOVED[0]),
        ("acme", "bob"): ("paused", MOVED[0]),
    }


async def test_workers_that_look_at_once_make_each_connection_once(
    open_application: OpenApplication,
) -> None:
    app = await open_application("account.sql")
    for user in ("ann", "bob", "eve"):
        app.sign_in(user)
    found = await asyncio.gather(*[asyncio.to_thread(app.discover) for _ in range(6)])
    assert sum(one.connected for one in found) == 3
    assert len(names(app)) == 3


async def test_ten_thousand_accounts_take_seconds(open_application: OpenApplication) -> None:
    """Covers A0.23: nothing is asked about one user at a time."""
    app = await open_application("account.sql")
    app.run(
        f"""
        INSERT INTO "user" ("id", "name", "email", "emailVerified")
        SELECT 'u' || n, '', n::text, true FROM generate_series(1, 10000) n;
        INSERT INTO account ("id", "accountId", "providerId", "userId", "scope", "updatedAt")
        SELECT 'r' || n, 'a' || n, 'google', 'u' || n, '{GMAIL},{CALENDAR}', now()
        FROM generate_series(1, 10000) n;
        """
    )
    began = time.monotonic()
    assert app.discover() == Discovered(connected=20_000)
    first = time.monotonic() - began
    app.run("""DELETE FROM account WHERE "id" LIKE '%7'""")
    assert app.discover() == Discovered(gone=2_000)
    began = time.monotonic()
    assert app.discover() == Discovered()
    again = time.monotonic() - began
    assert first < 10, f"{first:.2f} s"
    assert again < 3, f"{again:.2f} s"


async def test_a_table_that_is_not_there_changes_nothing_and_is_said(
    open_application: OpenApplication, capfd: pytest.CaptureFixture[str]
) -> None:
    app = await open_application("account.sql")
    app.sign_in()
    app.discover()
    settings = app.settings.model_copy(update={"better_auth_table": "auth.account"})
    discover.look(app.database, settings)
    said = "".join(capfd.readouterr())
    assert "undiscovered" in said
    assert "BETTER_AUTH_TABLE" in said
    assert set(states(app).values()) == {"active"}


async def test_what_is_discovered_is_synced_as_its_owner(open_application: OpenApplication) -> None:
    """Covers A0.3: from a row of Better Auth's to mail, and the account has its address."""
    app = await open_application("account.sql")
    app.sign_in(seconds=0)
    app.discover()
    [connection] = app.connections()
    [outcome] = await run(app.database, app.settings, connection)
    assert (outcome.state, outcome.error) == ("done", "")
    assert outcome.inserted > 0
    [connection] = app.connections()
    assert connection["account"] == "ada@example.com"
    assert connection["addresses"] == ["ada@example.com"]
    assert connection["name"] == "gmail:10ann"


async def test_a_worker_looks_by_itself(
    open_application: OpenApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A0.23, A0.5 and A3.48: signing in to the application is all that a user does."""
    monkeypatch.setattr(dispatch, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(discover, "LOOK_SECONDS", 0.1)
    app = await open_application("account.sql")

    def landed() -> list[dict[str, Any]]:
        return app.run("SELECT user_id FROM headrace.jobs WHERE status = 'SUCCEEDED'")

    def work() -> None:
        with engine(app.database.url, app.settings):
            app.sign_in()
            until = time.monotonic() + 30
            while not landed() and time.monotonic() < until:
                time.sleep(0.05)

    await asyncio.to_thread(work)
    assert landed() == [{"user_id": "ann"}]
