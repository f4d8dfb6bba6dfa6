"""Access tokens of accounts whose tokens Better Auth keeps (rules O1 to O6)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.better_auth.application import SECRET
from tests.better_auth.conftest import OpenApplication

from headrace.errors import NeedsHuman
from headrace.oauth import endpoint
from headrace.oauth.better_secrets import PLAIN, Form
from headrace.oauth.endpoint import Tokens
from headrace.oauth.issuers import Issuer
from headrace.store.database import connect

VERSIONS = {"better_auth_secrets": "2:the-newer-one,1:the-older-one"}
FORMS = [PLAIN, Form(True), Form(True, 1), Form(True, 2)]


@pytest.mark.parametrize("form", FORMS, ids=["plain", "encrypted", "version 1", "version 2"])
async def test_a_token_is_refreshed_and_written_back_as_it_was_kept(
    open_application: OpenApplication, columns: list[str], form: Form
) -> None:
    """Covers A0.3 and O2: Better Auth opens what Headrace has written, and the row is else as it
    was."""
    app = await open_application(*columns[:1], settings=VERSIONS, rotate=True)
    before = app.sign_in(form=form)
    app.migrate(*columns[1:])
    app.discover()
    access, refresh = app.opened(before["id"])
    assert await app.keeper(before["id"]).token() == access
    assert app.google.grants.refreshes == 0

    app.expire(before["id"])
    fresh = await app.keeper(before["id"]).token()
    assert app.opened(before["id"])[0] == fresh != access
    assert app.opened(before["id"])[1] != refresh
    assert app.google.grants.find(fresh) is not None
    assert app.forms(before["id"]) == (form, form)
    after = app.row(before["id"])
    changed = {name for name in after if after[name] != before.get(name, after[name])}
    assert changed == {"accessToken", "refreshToken", "accessTokenExpiresAt", "updatedAt"}
    assert after["updatedAt"] > before["updatedAt"]
    assert await app.keeper(before["id"]).token() == fresh
    assert app.google.grants.refreshes == 1


async def test_an_issuer_that_does_not_rotate_leaves_the_refresh_token_as_it_is(
    open_application: OpenApplication,
) -> None:
    """Covers O4: the column is not even encrypted anew."""
    app = await open_application("account.sql")
    row = app.sign_in(form=Form(True), seconds=30)
    app.discover()
    await app.keeper(row["id"]).token()
    assert app.google.grants.refreshes == 1
    assert app.row(row["id"])["refreshToken"] == row["refreshToken"]


async def test_many_ask_at_once_and_the_issuer_is_asked_once(
    open_application: OpenApplication,
) -> None:
    """Covers O1: the lock is on our row, and Better Auth's is not held."""
    app = await open_application("account.sql", rotate=True)
    row = app.sign_in(seconds=0)
    app.discover()
    tokens = await asyncio.gather(*[app.keeper(row["id"]).token() for _ in range(30)])
    assert len(set(tokens)) == 1
    assert (app.google.grants.refreshes, app.google.grants.families_revoked) == (1, 0)


async def test_what_was_written_during_an_exchange_stays_and_is_used(
    open_application: OpenApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers O2: the swap is lost to somebody who has signed in meanwhile."""
    app = await open_application("account.sql")
    row = app.sign_in(form=Form(True), seconds=0)
    app.discover()
    theirs: list[dict[str, Any]] = []
    exchange = endpoint.for_refresh

    def meanwhile(issuer: Issuer, refresh: str) -> Tokens:
        made = exchange(issuer, refresh)
        theirs.append(app.sign_in(row=row["id"], form=Form(True)))
        return made

    monkeypatch.setattr(endpoint, "for_refresh", meanwhile)
    token = await app.keeper(row["id"]).token()
    assert app.row(row["id"]) == theirs[0]
    assert app.opened(row["id"])[0] == token
    assert len(theirs) == 1


async def test_a_token_that_better_auth_has_spent_is_looked_for_before_giving_up(
    open_application: OpenApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers O3, changed: Better Auth was first at the issuer, and writes a moment later."""
    app = await open_application("account.sql")
    row = app.sign_in(seconds=0)
    app.discover()
    app.google.grants.give_back(app.opened(row["id"])[1])
    exchange = endpoint.for_refresh
    writing: list[asyncio.Task[Any]] = []
    loop = asyncio.get_running_loop()

    def second(issuer: Issuer, refresh: str) -> Tokens:
        try:
            return exchange(issuer, refresh)
        finally:
            loop.call_soon_threadsafe(lambda: writing.append(loop.create_task(write())))

    async def write() -> None:
        await asyncio.to_thread(app.sign_in, row=row["id"])

    monkeypatch.setattr(endpoint, "for_refresh", second)
    token = await app.keeper(row["id"]).token()
    await asyncio.gather(*writing)
    assert app.opened(row["id"])[0] == token
    assert [one["health"] for one in app.connections()] == ["active"]


async def test_a_consent_that_is_over_is_said_once_and_comes_back_by_itself(
    open_application: OpenApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers O3, unchanged, and A0.23: no storm, and signing in again is enough."""
    monkeypatch.setattr("headrace.oauth.better_auth.PATIENCE", 0.0)
    app = await open_application("account.sql")
    row = app.sign_in(seconds=0)
    app.discover()
    app.google.grants.give_back(app.opened(row["id"])[1])
    with pytest.raises(NeedsHuman, match="no longer accepts"):
        await app.keeper(row["id"]).token()
    [connection] = app.connections()
    assert connection["health"] == "needs_reauth"
    assert "no longer accepts this account's consent" in connection["health_reason"]

    asked = app.google.ledger.stats()["requests"]
    with pytest.raises(NeedsHuman, match="has ended") as raised:
        await app.keeper(row["id"]).token()
    assert "sign in to the application" in raised.value.hint
    assert app.discover().back == 0
    assert app.google.ledger.stats()["requests"] == asked

    app.sign_in(row=row["id"])
    assert app.discover().back == 1
    assert [one["health"] for one in app.connections()] == ["active"]
    assert await app.keeper(row["id"]).token() == app.opened(row["id"])[0]


async def test_a_refused_token_is_refreshed_however_fresh_it_looks(
    open_application: OpenApplication,
) -> None:
    """Covers O5."""
    app = await open_application("account.sql")
    row = app.sign_in()
    app.discover()
    keeper = app.keeper(row["id"])
    old = await keeper.token()
    assert await keeper.token(old) == app.opened(row["id"])[0] != old
    assert app.google.grants.refreshes == 1


async def test_without_a_refresh_token_the_access_ends_with_words(
    open_application: OpenApplication,
) -> None:
    """Google gives one only to applications that ask for offline access."""
    app = await open_application("account.sql")
    row = app.sign_in(offline=False, seconds=0)
    app.discover()
    with pytest.raises(NeedsHuman, match="cannot be renewed") as raised:
        await app.keeper(row["id"]).token()
    assert "offline" in raised.value.hint
    assert app.google.ledger.stats()["requests"] == 0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"better_auth_table": "auth.accounts"}, "BETTER_AUTH_TABLE"),
        ({"better_auth_secret": None}, "BETTER_AUTH_SECRET"),
        ({"headrace_better_auth": False}, "HEADRACE_BETTER_AUTH"),
    ],
)
async def test_what_is_not_set_right_is_named(
    open_application: OpenApplication, change: dict[str, Any], named: str
) -> None:
    app = await open_application("account.sql")
    row = app.sign_in(form=Form(True))
    app.discover()
    app.settings = app.settings.model_copy(update=change)
    with pytest.raises(NeedsHuman) as raised:
        await app.keeper(row["id"]).token()
    assert named in raised.value.hint
    assert [one["health"] for one in app.connections()] == ["active"]


async def test_a_table_of_another_name_shape_and_database(
    open_application: OpenApplication, database: str
) -> None:
    """Numbers for ids, times without a zone and names of its own, in a PostgreSQL elsewhere whose
    sessions are in another zone."""
    app = await open_application("account.sql", rotate=True)
    made = app.sign_in(seconds=0)
    with connect(database) as there:
        there.execute(
            "CREATE SCHEMA auth; CREATE TABLE auth.accounts (id int PRIMARY KEY, account_id text,"
            ' "providerId" text, user_id int, access_token text, "refreshToken" text,'
            ' "accessTokenExpiresAt" timestamp, scope text, "updatedAt" timestamp NOT NULL);'
            "SET TIME ZONE 'UTC'"
        )
        there.execute(
            "INSERT INTO auth.accounts VALUES (7, 'x', 'google', 3, %s, %s,"
            " now() + interval '10 minutes', %s, now())",
            [made["accessToken"], made["refreshToken"], made["scope"]],
        )
        name = there.info.dbname
        there.execute(f"ALTER DATABASE {name} SET timezone TO 'Asia/Tokyo'".encode())
    app.settings = app.settings.model_copy(
        update={
            "better_auth_database_url": database,
            "better_auth_table": "auth.accounts",
            "better_auth_columns": '{"accountId": "account_id", "userId": "user_id",'
            ' "accessToken": "access_token"}',
        }
    )
    assert app.discover().connected == 1
    [connection] = app.connections()
    assert (connection["name"], connection["user_id"]) == ("gmail:x", "3")
    keeper = app.keeper("7")
    first = await keeper.token()
    assert first == made["accessToken"], "it is good for ten minutes, and not nine hours gone"
    fresh = await keeper.token(first)
    with connect(database) as there:
        [row] = there.execute(
            "SELECT *, extract(epoch FROM \"accessTokenExpiresAt\" - now() AT TIME ZONE 'UTC')"
            " AS seconds FROM auth.accounts"
        ).fetchall()
    assert row["access_token"] == fresh
    assert 3500 < row["seconds"] <= 3600
    assert SECRET not in str(row)


async def test_the_rights_that_the_page_grants_are_enough(
    open_application: OpenApplication,
) -> None:
    """And no others: nothing is inserted or deleted, and no other column is touched."""
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "better-auth.md").read_text("utf-8")
    grant = page.partition("```sql\n")[2].partition(";")[0]
    app = await open_application("account.sql")
    row = app.sign_in(seconds=0)
    role = f"lodger_{app.row(row['id'])['id'][-8:]}"
    app.run(f"CREATE ROLE {role} LOGIN; {grant.replace('TO headrace', f'TO {role}')}")
    url = app.database.url.replace("//postgres@", f"//{role}@")
    assert role in url
    app.settings = app.settings.model_copy(update={"better_auth_database_url": url})
    assert app.discover().connected == 1
    assert await app.keeper(row["id"]).token() == app.opened(row["id"])[0]
    assert app.google.grants.refreshes == 1
    app.run(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_no_token_is_anywhere_but_in_their_row(
    open_application: OpenApplication,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Covers O9: our tables, the logs and what is raised have no token, secret or ciphertext."""
    monkeypatch.setattr("headrace.oauth.better_auth.PATIENCE", 0.0)
    app = await open_application("account.sql", rotate=True)
    row = app.sign_in(form=Form(True))
    app.discover()
    seen = {SECRET, "GOCSPX-twin"}

    def note() -> None:
        now = app.row(row["id"])
        seen.update([now["accessToken"], now["refreshToken"], *app.opened(row["id"])])

    note()
    keeper = app.keeper(row["id"])
    first = await keeper.token()
    await keeper.token(first)
    note()
    said = [repr(keeper)]
    app.run(
        "ALTER TABLE account ADD CONSTRAINT shut CHECK (\"updatedAt\" < '2020-01-01') NOT VALID"
    )
    with pytest.raises(NeedsHuman) as raised:
        await keeper.token(app.opened(row["id"])[0])
    said += [str(raised.value), repr(raised.value), repr(raised.value.__cause__)]
    app.run("ALTER TABLE account DROP CONSTRAINT shut")
    with pytest.raises(NeedsHuman) as raised:
        await keeper.token(app.opened(row["id"])[0])
    said += [str(raised.value), repr(raised.value)]
    said += [app.everything(), *capfd.readouterr()]
    assert len(seen) == 10
    whole = "\n".join(said)
    assert "needs_reauth" in whole
    for secret in seen:
        assert secret not in whole
        assert secret.encode().hex() not in whole
