"""By a token of one's own, by consent, and as an installation of a GitHub App."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from tests.github.conftest import Open

from headrace.github.config import GitHubConfig
from headrace.providers.github import GitHub
from headrace.twin.faults import AnswerWith, On
from headrace.twin.github.changes import OpenIssue
from headrace.twin.github.rules import CallRule

APP = {"app_id": 7, "installation_id": 1}


@cache
def keys() -> tuple[str, str]:
    """The App's private and public key."""
    key = rsa.generate_private_key(65_537, 2_048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


async def test_a_token_of_ones_own(open_hub: Open) -> None:
    """Its account and the addresses that GitHub gives it are known from then on."""
    hub = await open_hub({"kinds": ["issues"]})
    await hub.synced()
    [row] = hub.rows("SELECT account, addresses FROM headrace.connections")
    assert row["account"] == "ada"
    assert "ada@users.noreply.github.com" in row["addresses"]


async def test_a_refused_token_is_for_a_person(open_hub: Open) -> None:
    hub = await open_hub(secret="ghp_wrong")
    [ended] = (await hub.sync()).values()
    assert (ended.state, ended.reauth) == ("human", True)


async def test_a_consent_whose_tokens_rotate(open_hub: Open) -> None:
    """Covers H12, O1, O2: an ended token is refreshed once for all streams, and no refresh token is
    spent twice."""
    hub = await open_hub({"kinds": ["issues", "comments", "releases"]}, secret=None)
    hub.consent(*await hub.consented(), seconds=0)
    await hub.synced()
    assert hub.calls("oauth.token") == 2  # the first is the consent
    hub.later(8 * 3_600)
    hub.change(OpenIssue(repo=1001))
    await hub.synced()
    assert hub.calls("oauth.token") == 3
    assert hub.twin.stats.families_revoked == 0
    assert hub.live() == hub.truth("issues", "comments", "releases")


async def test_an_installation_of_an_app(open_hub: Open) -> None:
    """Covers H12: its tokens end with the hour, and there is nobody to be notified."""
    private, public = keys()
    hub = await open_hub(APP, secret=private, repositories=3, app_public_key=public)
    await hub.synced()
    [row] = hub.rows("SELECT account, addresses FROM headrace.connections")
    assert (row["account"], row["addresses"]) == ("octo", [])
    mine = {f"{number}/": row.owner for number, row in hub.twin.world.repositories.items()}
    seen = {stream for stream in hub.truth() if mine.get(f"{stream.partition('/')[0]}/") == "octo"}
    assert hub.live() == {stream: facts for stream, facts in hub.truth().items() if stream in seen}
    assert len(seen) > 2


async def test_an_installations_token_is_made_again(open_hub: Open) -> None:
    """Covers H12: before it ends, and once after a 401."""
    private, public = keys()
    hub = await open_hub(APP, secret=private, repositories=3, app_public_key=public)
    provider = GitHub(GitHubConfig.model_validate(APP), secret=private)
    provider.base_url, provider.private_hosts = hub.url, True
    try:
        first = await provider.bearer()(None)
        assert await provider.bearer()(None) == first
        hub.later(3_541)
        second = await provider.bearer()(None)
        assert second != first
        hub.faults(CallRule(AnswerWith(401), "installation.repositories", On(request=1)))
        assert len(await provider.streams()) == 12
        assert await provider.bearer()(None) != second
    finally:
        await provider.aclose()
    assert hub.calls("apps.token") == 3


@pytest.mark.parametrize(
    ("config", "secret", "words"),
    [
        (APP, "no key", "not an RSA key"),
        ({**APP, "installation_id": 2}, "", "has nothing at"),
        ({**APP, "app_id": 8}, "", "refused"),
    ],
)
async def test_an_app_that_is_not_set_up_right(
    open_hub: Open, config: dict[str, Any], secret: str, words: str
) -> None:
    private, public = keys()
    hub = await open_hub(config, secret=secret or private, app_public_key=public)
    [ended] = (await hub.sync()).values()
    assert ended.state == "human"
    assert words in ended.error
    assert "PRIVATE KEY" not in ended.error + ended.hint


@pytest.mark.parametrize(
    "wrong", [{"app_id": 7}, {"repositories": ["https://github.com/a/b"]}, {"kinds": ["stars"]}]
)
def test_a_config_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        GitHubConfig.model_validate(wrong)
