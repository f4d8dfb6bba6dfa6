"""How long tokens live, and all the ways they die."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from tests.twin.google.visitor import GMAIL, READS, Visitor, refresh_form

Start = Callable[..., Awaitable[Visitor]]
PROFILE = f"{GMAIL}/profile"
GONE = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}


async def granted(visitor: Visitor, **other: Any) -> dict[str, Any]:
    tokens: dict[str, Any] = await visitor.post("/admin/grant", {"scopes": READS, **other})
    return tokens


@pytest.mark.parametrize("header", ["", "Bearer none", "Basic abc", "Bearer"])
async def test_nothing_is_told_without_a_token(start: Start, header: str) -> None:
    visitor = await start()
    headers = {"Authorization": header} if header else {}
    async with visitor.client.get(PROFILE, headers=headers) as answer:
        error = (await answer.json())["error"]
        assert (answer.status, error["status"]) == (401, "UNAUTHENTICATED")
        assert error["errors"][0] == {
            "message": error["message"],
            "domain": "global",
            "reason": "authError",
            "location": "Authorization",
            "locationType": "header",
        }


async def test_an_access_token_expires_by_the_clock_of_the_twin(start: Start) -> None:
    visitor = await start(expires_in=600)
    tokens = await granted(visitor)
    assert tokens["expires_in"] == 600
    visitor.token = tokens["access_token"]
    await visitor.post("/admin/clock", {"advance_s": 590})
    await visitor.get(PROFILE)
    await visitor.post("/admin/clock", {"advance_s": 11})
    await visitor.get(PROFILE, status=401)
    visitor.token = (await visitor.refresh(tokens["refresh_token"]))["access_token"]
    await visitor.get(PROFILE)
    assert (await visitor.stats())["tokenRefreshes"] == 1


async def test_a_refresh_token_may_be_used_again_and_again_unless_they_rotate(start: Start) -> None:
    visitor = await start()
    tokens = await granted(visitor)
    for _ in range(3):
        assert "refresh_token" not in await visitor.refresh(tokens["refresh_token"])


async def test_a_rotated_token_that_comes_back_ends_the_whole_family(start: Start) -> None:
    """Covers O1, the server's side of it."""
    visitor = await start(rotate=True)
    first = (await granted(visitor))["refresh_token"]
    other = (await granted(visitor))["refresh_token"]
    second = await visitor.refresh(first)
    third = await visitor.refresh(second["refresh_token"])
    visitor.token = third["access_token"]
    await visitor.get(PROFILE)
    assert await visitor.refresh(first, status=400) == GONE
    assert await visitor.refresh(third["refresh_token"], status=400) == GONE
    await visitor.get(PROFILE, status=401)
    assert await visitor.refresh(other)
    assert (await visitor.stats())["familiesRevoked"] == 1


@pytest.mark.parametrize("kind", ["reset", "answer"])
async def test_the_answer_is_lost_after_the_tokens_have_rotated(start: Start, kind: str) -> None:
    """Covers O6, the server's side of it: the new token exists, and nobody has it."""
    visitor = await start(rotate=True)
    token = (await granted(visitor))["refresh_token"]
    fault = {"kind": kind} if kind == "reset" else {"kind": kind, "status": 503, "late": True}
    await visitor.post("/admin/faults", [{"on": {"call": "token", "request": 1}, "do": fault}])
    if kind == "reset":
        with pytest.raises(aiohttp.ClientError):
            await visitor.refresh(token)
    else:
        await visitor.refresh(token, status=503)
    assert (await visitor.stats())["tokenRefreshes"] == 1
    assert await visitor.refresh(token, status=400) == GONE


async def test_an_answer_in_place_of_the_exchange_leaves_the_token_as_it_was(start: Start) -> None:
    visitor = await start(rotate=True)
    token = (await granted(visitor))["refresh_token"]
    rules = [{"on": {"call": "token", "times": 1}, "do": {"kind": "answer", "status": 503}}]
    await visitor.post("/admin/faults", rules)
    assert (await visitor.refresh(token, status=503))["error"] == "internal_failure"
    assert await visitor.refresh(token)


async def test_an_owner_may_take_it_all_back(start: Start) -> None:
    """Covers O3 O8."""
    visitor = await start()
    tokens = await granted(visitor)
    assert (await visitor.post("/admin/revoke", {}))["revoked"] == 2  # and the visitor's own
    assert await visitor.refresh(tokens["refresh_token"], status=400) == GONE
    visitor.token = tokens["access_token"]
    await visitor.get(PROFILE, status=401)
    tokens = await granted(visitor)
    await visitor.post("/admin/suspend", {})
    refused = await visitor.refresh(tokens["refresh_token"], status=400)
    assert refused["error_description"] == "Account has been suspended."


async def test_administrators_may_refuse_the_api(start: Start) -> None:
    """Covers G10: a 403 that no waiting helps against."""
    visitor = await start()
    await visitor.post("/admin/suspend", {"how": "policy"})
    refused = await visitor.get(PROFILE, status=403)
    assert refused["error"]["errors"][0]["reason"] == "domainPolicy"
    await visitor.post("/admin/suspend", {"how": ""})
    await visitor.get(PROFILE)


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_a_client_gives_a_token_back(start: Start, which: str) -> None:
    visitor = await start()
    tokens = await granted(visitor)
    assert await visitor.form("/revoke", {"token": tokens[which]}) == {}
    assert await visitor.refresh(tokens["refresh_token"], status=400) == GONE
    again = await visitor.form("/revoke", {"token": tokens[which]}, status=400)
    assert again["error"] == "invalid_token"


async def test_tokens_die_of_age_of_disuse_and_of_number(start: Start) -> None:
    """Covers O8."""
    testing = await start(refresh_ttl_s=604_800)
    token = (await granted(testing))["refresh_token"]
    await testing.post("/admin/clock", {"advance_s": 604_800})
    assert await testing.refresh(token, status=400) == GONE
    idle = await start(idle_ttl_s=1_000)
    token = (await granted(idle))["refresh_token"]
    for wait_s in (900, 900):
        await idle.post("/admin/clock", {"advance_s": wait_s})
        await idle.refresh(token)
    await idle.post("/admin/clock", {"advance_s": 1_001})
    assert await idle.refresh(token, status=400) == GONE
    many = await start(live_tokens=4)
    mine = [(await granted(many))["refresh_token"] for _ in range(5)]
    assert await many.refresh(mine[0], status=400) == GONE
    assert all([await many.refresh(one) for one in mine[1:]])


async def test_a_refresh_may_ask_for_less_but_not_for_more(start: Start) -> None:
    visitor = await start(rotate=True)
    token = (await granted(visitor, scopes=[READS[0]]))["refresh_token"]
    fields = visitor.client_fields() | refresh_form(token)
    refused = await visitor.form("/token", {**fields, "scope": READS[1]}, status=400)
    assert refused["error"] == "invalid_scope"
    assert (await visitor.form("/token", {**fields, "scope": READS[0]}))["scope"] == READS[0]


async def test_a_body_that_is_no_form_is_refused(start: Start) -> None:
    visitor = await start()
    refused = await visitor.post("/token", {"grant_type": "refresh_token"}, status=400)
    assert refused["error"] == "invalid_request"
