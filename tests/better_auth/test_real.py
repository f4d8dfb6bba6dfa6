"""Together with the real Better Auth, on one table and at one Google."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.better_auth.application import GMAIL, Application
from tests.better_auth.conftest import OpenApplication
from tests.better_auth.real import Failed, Real, better_auth

from headrace.oauth.better_secrets import PLAIN, Form

VERSIONS = [
    {"version": 2, "value": "the-newer-secret-of-the-application-1"},
    {"version": 1, "value": "the-older-secret-of-the-application-2"},
]
KEPT = {
    "plain": (False, None, PLAIN),
    "encrypted": (True, None, Form(True)),
    "versioned": (True, VERSIONS, Form(True, 2)),
}

_SHAPE = """
SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns
WHERE table_name = 'account' AND table_schema = 'public' ORDER BY column_name
"""


async def sign_in(app: Application, real: Real, *, seconds: float) -> dict[str, Any]:
    """A user with tokens of the twin's, whose row the package itself writes."""
    given = app.google.grant("", [GMAIL])
    made = await real(
        "signIn",
        user="ann",
        access=given["access_token"],
        refresh=given["refresh_token"],
        scope=f"openid,{GMAIL}",
        seconds=seconds,
    )
    assert app.discover().connected == 1
    return dict(made)


async def test_the_table_of_these_tests_is_the_packages_own(
    open_application: OpenApplication,
) -> None:
    """And its id and times have the types that are read here."""
    app = await open_application("account.sql")
    ours = app.run(_SHAPE)
    app.run('DROP TABLE account, "user"')
    async with better_auth(app, app.url, encrypt=False) as real:
        assert await real("migrate") is None
    assert app.run(_SHAPE) == ours
    assert len(ours) == 13


@pytest.mark.parametrize("kept", KEPT)
async def test_each_uses_what_the_other_has_written(
    open_application: OpenApplication, kept: str
) -> None:
    """Covers A0.3 and O2: in turns, at an issuer whose refresh tokens are good once."""
    encrypt, secrets, form = KEPT[kept]
    named = ",".join(f"{one['version']}:{one['value']}" for one in secrets or [])
    app = await open_application(settings={"better_auth_secrets": named or None}, rotate=True)
    async with better_auth(app, app.url, encrypt=encrypt, secrets=secrets) as real:
        await real("migrate")
        made = await sign_in(app, real, seconds=0)
        ours = await app.keeper(made["account"]).token()
        assert app.forms(made["account"]) == (form, form)
        theirs = await real("token", **made)
        assert theirs["accessToken"] == ours, "what we wrote is good, and they open it"
        theirs = await real("refresh", **made)
        assert theirs["accessToken"] != ours
        assert await app.keeper(made["account"]).token() == theirs["accessToken"]
        app.expire(made["account"])
        ours = await app.keeper(made["account"]).token()
        assert (await real("token", **made))["accessToken"] == ours
    assert (app.google.grants.refreshes, app.google.grants.families_revoked) == (3, 0)


async def both(app: Application, real: Real, made: dict[str, Any]) -> tuple[str, str | None]:
    """The access tokens that Headrace and Better Auth come to when both find theirs too old; None
    where Better Auth has to tell its user that it could not."""
    app.expire(made["account"])
    theirs = asyncio.create_task(real("token", **made))
    ours = await app.keeper(made["account"]).token()
    try:
        return ours, (await theirs)["accessToken"]
    except Failed:
        return ours, None


async def test_both_refresh_at_the_same_time(open_application: OpenApplication) -> None:
    """Covers O2: at Google, which does not rotate, what each of them got is good."""
    app = await open_application(meeting=True)
    async with better_auth(app, app.url, encrypt=True) as real:
        await real("migrate")
        made = await sign_in(app, real, seconds=3600)
        for _ in range(20):
            ours, theirs = await both(app, real, made)
            assert theirs is not None
            assert app.opened(made["account"])[0] in (ours, theirs)
            assert app.google.grants.find(ours) is not None
            assert app.google.grants.find(theirs) is not None
    assert app.google.grants.refreshes == 40
    assert [one["health"] for one in app.connections()] == ["active"]


async def test_both_refresh_at_an_issuer_whose_tokens_are_good_once(
    open_application: OpenApplication,
) -> None:
    """Covers O3: who comes second uses what the first has written, and nobody is signed out."""
    app = await open_application(meeting=True, rotate=True)
    async with better_auth(app, app.url, encrypt=False) as real:
        await real("migrate")
        made = await sign_in(app, real, seconds=3600)
        for _ in range(20):
            ours, theirs = await both(app, real, made)
            assert app.opened(made["account"])[0] == ours
            assert theirs in (ours, None)
            # What Better Auth could not do, it can at the next call.
            assert (await real("token", **made))["accessToken"] == ours
    assert app.google.grants.refreshes == 20
    assert [one["health"] for one in app.connections()] == ["active"]
