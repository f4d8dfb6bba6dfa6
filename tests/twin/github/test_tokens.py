"""Signing in, and what a token may see."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from aiohttp import ClientError
from tests.twin.github.twin import Got, Start, Twin

CLIENT = {"client_id": "twin-client", "client_secret": "twin-secret"}
JSON = {"Accept": "application/json"}
PRIVATE = "/repos/octo/repo-2"


async def test_a_token_is_bearer_or_token_and_nothing_else(start: Start) -> None:
    twin = await start()
    for scheme, status in {"Bearer": 200, "token": 200, "Basic": 401}.items():
        got = await twin.get("/user", token=None, Authorization=f"{scheme} ghp_twin")
        assert got.status == status, scheme
    assert (await twin.get("/user", token=None)).body["message"] == "Requires authentication"
    bad = await twin.get("/user", token="ghp_other")
    assert (bad.status, bad.body["message"]) == (401, "Bad credentials")
    assert bad.headers["X-RateLimit-Limit"] == "60"


async def test_a_request_without_a_user_agent_is_refused(start: Start) -> None:
    twin = await start()
    got = await twin.ask("GET", "/user", skip_auto_headers=["User-Agent"])
    assert got.status == 403
    assert (await twin.stats())["refused"] == {}


async def test_any_accept_and_version_will_do(start: Start) -> None:
    twin = await start()
    headers = {"Accept": "application/vnd.github.raw+json", "X-GitHub-Api-Version": "2026-03-10"}
    got = await twin.get("/user", **headers)
    assert got.headers["X-GitHub-Api-Version-Selected"] == "2026-03-10"


async def test_a_personal_token_ends_with_its_time_or_by_hand(start: Start) -> None:
    tokens = [{"token": "short", "ttl_s": 60}, {"token": "long"}]
    twin = await start(tokens=tokens)
    await twin.post("/admin/clock", {"advance_s": 59})
    assert (await twin.get("/user", token="short")).status == 200
    await twin.post("/admin/clock", {"advance_s": 1})
    assert (await twin.get("/user", token="short")).status == 401
    assert (await twin.get("/user", token="long")).status == 200
    await twin.post("/admin/revoke", {"token": "long"})
    assert (await twin.get("/user", token="long")).status == 401


async def test_what_may_not_be_seen_does_not_exist(start: Start) -> None:
    tokens = [
        {"token": "all"},
        {"token": "public", "scopes": ["notifications"]},
        {"token": "stranger", "login": "eve"},
        {
            "token": "fine",
            "kind": "fine_grained",
            "permissions": {"metadata": "read", "issues": "read"},
            "repositories": ["octo/repo-2"],
        },
        {
            "token": "elsewhere",
            "kind": "fine_grained",
            "permissions": {"metadata": "read"},
            "repositories": ["ada/repo-1"],
        },
    ]
    twin = await start(tokens=tokens)

    async def status(token: str | None, path: str) -> int:
        return (await twin.get(path, token=token)).status

    for token in (None, "public", "stranger", "elsewhere"):
        assert await status(token, PRIVATE) == 404, token
        assert await status(token, "/repositories/nope") == 404
        assert await status(token, "/repos/ada/repo-1") == 200
    assert await status("all", f"{PRIVATE}/commits") == 200
    assert await status("fine", f"{PRIVATE}/issues") == 200
    denied = await twin.get(f"{PRIVATE}/commits", token="fine")
    assert denied.status == 403
    assert denied.body["message"] == "Resource not accessible by personal access token"
    names = [row["full_name"] for row in (await twin.get("/user/repos", token="fine")).body]
    assert names == ["octo/repo-2"]
    listed = (await twin.get("/orgs/octo/repos", token="stranger")).body
    assert [row["full_name"] for row in listed] == ["octo/repo-3"]


async def test_notifications_need_a_scope_for_them(start: Start) -> None:
    fine: dict[str, Any] = {"token": "fine", "kind": "fine_grained"}
    twin = await start(tokens=[{"token": "none", "scopes": ["read:org"]}, fine])
    none = await twin.get("/notifications", token="none")
    assert (none.status, none.body["message"]) == (403, "Missing the 'notifications' scope.")
    assert (await twin.get("/notifications", token="fine")).status == 403


async def consented(twin: Twin, **more: str) -> str:
    query = {"client_id": "twin-client", "redirect_uri": "http://localhost:1/back", **more}
    got = await twin.ask("GET", "/login/oauth/authorize", params={"state": "s", **query})
    assert got.status == 302
    url = urlsplit(got.headers["Location"])
    told = dict(parse_qsl(url.query))
    assert (url.netloc, told.get("state")) == ("localhost:1", "s")
    return told.get("code", told.get("error", ""))


async def exchanged(twin: Twin, **more: str) -> Any:
    got = await twin.ask("POST", "/login/oauth/access_token", data={**CLIENT, **more}, headers=JSON)
    assert got.status == 200
    return got.body


def refreshed(twin: Twin, token: str) -> Any:
    return exchanged(twin, grant_type="refresh_token", refresh_token=token)


async def test_a_code_is_good_once_and_for_its_verifier(start: Start) -> None:
    twin = await start()
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"secret").digest()).decode().rstrip("=")
    pkce = {"code_challenge": challenge, "code_challenge_method": "S256"}
    wrong = await exchanged(twin, code=await consented(twin, **pkce), code_verifier="other")
    assert wrong["error"] == "bad_verification_code"
    code = await consented(twin, **pkce)
    told = await exchanged(twin, code=code, code_verifier="secret")
    assert (told["token_type"], told["expires_in"]) == ("bearer", 28_800)
    assert (await twin.get("/user", token=told["access_token"])).status == 200
    again = await exchanged(twin, code=code, code_verifier="secret")
    assert again["error"] == "bad_verification_code"
    late = await consented(twin)
    await twin.post("/admin/clock", {"advance_s": 600})
    assert (await exchanged(twin, code=late))["error"] == "bad_verification_code"
    plain = await consented(twin, code_challenge="x", code_challenge_method="plain")
    assert plain == "invalid_request"


async def test_the_answer_is_a_form_unless_json_is_asked_for(start: Start) -> None:
    twin = await start(user_token_ttl_s=0)
    body = {**CLIENT, "code": await consented(twin, scope="repo notifications")}
    got = await twin.post("/login/oauth/access_token", body)
    assert got.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    told = parse_qs(got.body)
    assert told["scope"] == ["repo notifications"]
    assert "refresh_token" not in told
    assert (await twin.get("/notifications", token=told["access_token"][0])).status == 200


async def test_wrong_clients_are_told_so(start: Start) -> None:
    twin = await start(redirect_uri="http://localhost:1/back")
    wrong = await exchanged(twin, client_secret="other", code="x")
    assert wrong["error"] == "incorrect_client_credentials"
    got = await twin.ask("GET", "/login/oauth/authorize", params={"client_id": "other"})
    assert got.status == 404
    assert await consented(twin, redirect_uri="http://evil/") == "redirect_uri_mismatch"


async def test_a_users_token_lives_eight_hours_and_is_refreshed(start: Start) -> None:
    """Covers H12."""
    twin = await start()
    first = await exchanged(twin, code=await consented(twin))
    await twin.post("/admin/clock", {"advance_s": 28_800})
    assert (await twin.get("/user", token=first["access_token"])).status == 401
    second = await refreshed(twin, first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert (await twin.get("/user", token=second["access_token"])).status == 200


async def test_a_refresh_token_used_twice_ends_the_whole_family(start: Start) -> None:
    """Covers H12 O1: and nobody else's."""
    twin = await start()
    other = await exchanged(twin, code=await consented(twin))
    first = await exchanged(twin, code=await consented(twin))
    second = await refreshed(twin, first["refresh_token"])
    assert (await twin.get("/user", token=first["access_token"])).status == 401
    assert (await refreshed(twin, first["refresh_token"]))["error"] == "bad_refresh_token"
    assert (await twin.get("/user", token=second["access_token"])).status == 401
    assert (await refreshed(twin, second["refresh_token"]))["error"] == "bad_refresh_token"
    assert (await twin.stats())["revoked"] == 1
    assert (await twin.get("/user", token=other["access_token"])).status == 200


async def test_an_answer_can_be_lost_after_the_token_was_rotated(start: Start) -> None:
    """Covers O6."""
    twin = await start()
    first = await exchanged(twin, code=await consented(twin))
    await twin.post("/admin/faults", [{"call": "oauth.token", "do": {"kind": "reset"}}])
    with pytest.raises(ClientError):
        await refreshed(twin, first["refresh_token"])
    await twin.post("/admin/faults", [])
    assert (await refreshed(twin, first["refresh_token"]))["error"] == "bad_refresh_token"


async def test_a_device_waits_until_its_user_agrees(start: Start) -> None:
    twin = await start()
    begun = await twin.ask(
        "POST", "/login/device/code", data={"client_id": "twin-client"}, headers=JSON
    )
    assert begun.body["interval"] == 5

    async def poll() -> Any:
        grant = "urn:ietf:params:oauth:grant-type:device_code"
        return await exchanged(twin, grant_type=grant, device_code=begun.body["device_code"])

    assert (await poll())["error"] == "authorization_pending"
    assert (await poll())["error"] == "slow_down"
    await approve(twin, begun)
    await twin.post("/admin/clock", {"advance_s": 9})
    assert (await poll())["error"] == "slow_down"
    await twin.post("/admin/clock", {"advance_s": 15})
    assert (await twin.get("/user", token=(await poll())["access_token"])).status == 200
    assert (await poll())["error"] == "incorrect_device_code"


async def approve(twin: Twin, begun: Got) -> None:
    got = await twin.post("/admin/approve", {"user_code": begun.body["user_code"]})
    assert got.status == 200
