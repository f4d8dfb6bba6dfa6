"""Together with the real Better Auth, on one table and at one Google."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.better_auth.application import GMAIL, Application
from tests.better_auth.conftest import OpenApplication
from tests.better_auth.real import Real, better_auth

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
    assert isinstance(made, dict), made
    assert app.discover().connected == 1
    return made


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
        theirs = await real("token", user=made["user"])
        assert theirs["accessToken"] == ours, "what we wrote is good, and they open it"
        theirs = await real("refresh", user=made["user"])
        assert theirs["accessToken"] != ours
        assert await app.keeper(made["account"]).token() == theirs["accessToken"]
        app.expire(made["account"])
        ours = await app.keeper(made["account"]).token()
        assert (await real("token", user=made["user"]))["accessToken"] == ours
    assert (app.google.grants.refreshes, app.google.grants.families_revoked) == (3, 0)


async def test_both_refresh_at_the_same_time(open_application: OpenApplication) -> None:
    """Covers O2: at Google, which does not rotate, whoever writes last has written what is good."""
    app = await open_application()
    async with better_auth(app, app.url, encrypt=True) as real:
        await real("migrate")
        made = await sign_in(app, real, seconds=3600)
        for _ in range(20):
            app.expire(made["account"])
            ours, theirs = await asyncio.gather(
                app.keeper(made["account"]).token(), real("token", user=made["user"])
            )
            access, _refresh = app.opened(made["account"])
            assert access in (ours, theirs["accessToken"])
            assert app.google.grants.find(ours) is not None
            assert app.google.grants.find(theirs["accessToken"]) is not None
    assert app.google.grants.refreshes > 20, "they have met"
    assert [one["health"] for one in app.connections()] == ["active"]


async def test_both_refresh_at_an_issuer_whose_tokens_are_good_once(
    open_application: OpenApplication,
) -> None:
    """Covers O3: who comes second uses what the first has written, and nobody is signed out."""
    app = await open_application(rotate=True, forgiving=True)
    async with better_auth(app, app.url, encrypt=False) as real:
        await real("migrate")
        made = await sign_in(app, real, seconds=3600)
        second = 0
        for _ in range(20):
            app.expire(made["account"])
            ours, theirs = await asyncio.gather(
                app.keeper(made["account"]).token(), real("token", user=made["user"])
            )
            assert ours == app.opened(made["account"])[0]
            # Better Auth says to the user that it failed, and has the token at the next call.
            second += isinstance(theirs, AssertionError)
            assert (await real("token", user=made["user"]))["accessToken"] == ours
    assert app.google.grants.refreshes == 20
    assert [one["health"] for one in app.connections()] == ["active"]
