"""Users that have signed in to the application with GitHub."""

from __future__ import annotations

import pytest
from tests.accounts import run
from tests.better_auth.conftest import OpenApplication

from headrace.engine.discover import Discovered
from headrace.twin.github import GitHub, options_from
from headrace.twin.server import listening

# As Better Auth keeps an account of a GitHub OAuth App: one token, for good, and nothing to renew.
_SIGN_IN = """
INSERT INTO "user" ("id", "name", "email", "emailVerified")
VALUES ('ann', 'Ann', 'a@b.example', true);
INSERT INTO account ("id", "accountId", "providerId", "userId", "accessToken", "scope", "updatedAt")
VALUES ('row-1', '583231', 'github', 'ann', 'ghp_twin', '{scope}', now());
"""


@pytest.mark.parametrize("scope", ["read:user,user:email,repo", "repo notifications"])
async def test_github_accounts_are_connected_and_synced(
    open_application: OpenApplication, scope: str
) -> None:
    """Covers A0.3 and A0.23: with the scope `repo`, beside or without others; the account gets the
    name that GitHub knows it by."""
    twin = GitHub(options_from({"issues": 6, "repositories": 1, "commits": 3}))
    async with listening(twin.handle, 0) as url:
        app = await open_application("account.sql", settings={"github_base_url": url})
        app.run(_SIGN_IN.format(scope=scope))
        assert app.discover() == Discovered(connected=1)
        [connection] = app.connections()
        assert (connection["provider"], connection["name"]) == ("github", "github:583231")
        assert (connection["user_id"], connection["every_seconds"]) == ("ann", 900)
        outcomes = await run(app.database, app.settings, connection)
        assert {(one.state, one.error) for one in outcomes} == {("done", "")}
        assert sum(one.inserted for one in outcomes) > 6
        [connection] = app.connections()
        assert connection["account"] == "ada"
        assert app.row("row-1")["accessToken"] == "ghp_twin"


@pytest.mark.parametrize("scope", ["read:user,user:email", "public_repo", "notifications"])
async def test_who_only_signs_in_with_github_is_not_connected(
    open_application: OpenApplication, scope: str
) -> None:
    """Covers O7: what most applications ask for is the name and the address."""
    app = await open_application("account.sql")
    app.run(_SIGN_IN.format(scope=scope))
    assert app.discover() == Discovered()
    assert app.connections() == []
