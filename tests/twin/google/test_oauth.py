"""Consent and tokens: strict, with Google's errors in Google's shapes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.twin.google.visitor import GMAIL, READS, ROOT, Visitor

Start = Callable[..., Awaitable[Visitor]]

VERIFIER = "a-verifier-of-forty-three-signs-or-more-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode()[:-1]
REDIRECT = "http://127.0.0.1:9999/back"
ASK = {
    "client_id": "headrace.apps.googleusercontent.com",
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": " ".join(("openid", "email", *READS)),
    "state": "s-1",
    "access_type": "offline",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


async def consent(visitor: Visitor, **other: str) -> dict[str, str]:
    """What comes back to the redirect."""
    asked = {**ASK, **other}
    async with visitor.client.get(
        "/o/oauth2/v2/auth", params=asked, allow_redirects=False
    ) as answer:
        assert answer.status == 302
        location = answer.headers["Location"]
        assert location.startswith(REDIRECT)
        return dict(parse_qsl(urlsplit(location).query))


async def exchange(visitor: Visitor, code: str, *, status: int = 200, **other: str) -> Any:
    fields = {
        **visitor.client_fields(),
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        **other,
    }
    return await visitor.form("/token", {n: x for n, x in fields.items() if x}, status=status)


async def test_a_code_becomes_tokens_that_open_the_mailbox(start: Start) -> None:
    visitor = await start()
    back = await consent(visitor)
    assert back["state"] == "s-1"
    tokens = await exchange(visitor, back["code"])
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3_600)
    assert set(tokens["scope"].split()) == {"openid", ROOT + "userinfo.email", *READS}
    visitor.token = tokens["access_token"]
    assert (await visitor.get(f"{GMAIL}/profile"))["emailAddress"] == "ada@example.com"
    who = await visitor.get("/oauth2/v3/userinfo")
    assert (who["email"], who["sub"].isdecimal()) == ("ada@example.com", True)
    again = await visitor.refresh(tokens["refresh_token"])
    assert "refresh_token" not in again
    assert again["access_token"] != tokens["access_token"]


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"code_verifier": VERIFIER + "x"}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": REDIRECT + "/"}, "redirect_uri_mismatch"),
        ({"code": "4/0none"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
    ],
)
async def test_a_code_is_not_exchanged_for_less_than_it_takes(
    start: Start, other: dict[str, str], error: str
) -> None:
    visitor = await start()
    code = (await consent(visitor))["code"]
    refused = await exchange(visitor, **{"code": code, **other}, status=400)
    assert refused["error"] == error
    assert refused["error_description"]


async def test_a_client_with_a_wrong_secret_gets_nothing(start: Start) -> None:
    visitor = await start()
    code = (await consent(visitor))["code"]
    refused = await exchange(visitor, code, client_secret="wrong", status=401)
    assert refused["error"] == "invalid_client"
    await exchange(visitor, code)


async def test_a_code_is_good_once_and_for_ten_minutes(start: Start) -> None:
    visitor = await start()
    code = (await consent(visitor))["code"]
    await exchange(visitor, code)
    assert (await exchange(visitor, code, status=400))["error"] == "invalid_grant"
    late = (await consent(visitor))["code"]
    await visitor.post("/admin/clock", {"advance_s": 601})
    assert (await exchange(visitor, late, status=400))["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ({"client_id": "another"}, 401),
        ({"redirect_uri": "https://evil.example/back"}, 400),
        ({"response_type": "token"}, 400),
        ({"scope": ""}, 400),
        ({"scope": ROOT + "gmail.everything"}, 400),
        ({"code_challenge_method": "plain"}, 400),
        ({"code_challenge": "short"}, 400),
        ({"access_type": "always"}, 400),
        ({"prompt": "maybe"}, 400),
        ({"login_hint": "nobody@example.com"}, 400),
        ({"skope": "a"}, 400),
    ],
)
async def test_what_is_asked_wrongly_is_told_there_and_not_redirected(
    start: Start, other: dict[str, str], status: int
) -> None:
    visitor = await start()
    async with visitor.client.get(
        "/o/oauth2/v2/auth", params={**ASK, **other}, allow_redirects=False
    ) as answer:
        assert answer.status == status
        assert set(await answer.json()) == {"error", "error_description"}


async def test_an_owner_may_refuse_or_tick_less_than_was_asked(start: Start) -> None:
    """Covers O7."""
    visitor = await start()
    await visitor.post("/admin/consent", {"deny": True})
    assert await consent(visitor) == {"error": "access_denied", "state": "s-1"}
    await visitor.post("/admin/consent", {"scopes": [READS[1]]})
    tokens = await exchange(visitor, (await consent(visitor))["code"])
    assert READS[0] not in tokens["scope"].split()
    visitor.token = tokens["access_token"]
    refused = await visitor.get(f"{GMAIL}/profile", status=403)
    assert refused["error"]["errors"][0]["reason"] == "insufficientPermissions"
    assert refused["error"]["status"] == "PERMISSION_DENIED"
    await visitor.get("/calendar/v3/users/me/calendarList")


async def test_a_refresh_token_comes_with_the_first_consent_only(start: Start) -> None:
    visitor = await start()
    assert "refresh_token" in await exchange(visitor, (await consent(visitor))["code"])
    assert "refresh_token" not in await exchange(visitor, (await consent(visitor))["code"])
    code = (await consent(visitor, prompt="consent"))["code"]
    assert "refresh_token" in await exchange(visitor, code)
    online = await consent(await start(), access_type="online")
    assert "code" in online


async def test_the_hint_says_which_account(start: Start) -> None:
    visitor = await start(account=["ada@example.com", "Bob@example.com"])
    tokens = await exchange(visitor, (await consent(visitor, login_hint="bob@example.com"))["code"])
    visitor.token = tokens["access_token"]
    assert (await visitor.get(f"{GMAIL}/profile"))["emailAddress"] == "Bob@example.com"
    await visitor.get("/gmail/v1/users/bob@example.com/profile")
    await visitor.get("/gmail/v1/users/ada@example.com/profile", status=403)


async def test_a_device_waits_for_its_owner(start: Start) -> None:
    visitor = await start()
    asked = {"client_id": ASK["client_id"], "scope": "openid email"}
    codes = await visitor.form("/device/code", asked)
    fields = {
        **visitor.client_fields(),
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": codes["device_code"],
    }
    assert (await visitor.form("/token", fields, status=428))["error"] == "authorization_pending"
    assert (await visitor.form("/token", fields, status=403))["error"] == "slow_down"
    await visitor.post("/admin/clock", {"advance_s": codes["interval"]})
    assert (await visitor.form("/token", fields, status=428))["error"] == "authorization_pending"
    await visitor.post("/admin/device", {"user_code": codes["user_code"]})
    tokens = await visitor.form("/token", fields)
    assert await visitor.refresh(tokens["refresh_token"])
    assert (await visitor.form("/token", fields, status=400))["error"] == "invalid_grant"


async def test_a_device_is_refused_or_comes_too_late(start: Start) -> None:
    visitor = await start()
    asked = {"client_id": ASK["client_id"], "scope": "email"}
    kind = "urn:ietf:params:oauth:grant-type:device_code"
    for act, status, error in (("deny", 403, "access_denied"), ("wait", 400, "expired_token")):
        codes = await visitor.form("/device/code", asked)
        if act == "deny":
            await visitor.post("/admin/device", {"user_code": codes["user_code"], "allow": False})
        else:
            await visitor.post("/admin/clock", {"advance_s": codes["expires_in"]})
        fields = {**visitor.client_fields(), "grant_type": kind, "device_code": ""}
        fields["device_code"] = codes["device_code"]
        assert (await visitor.form("/token", fields, status=status))["error"] == error


async def test_a_device_gets_no_mail_unless_the_twin_is_told_to_be_lax(start: Start) -> None:
    asked = {"client_id": ASK["client_id"], "scope": READS[0]}
    refused = await (await start()).form("/device/code", asked, status=400)
    assert refused["error"] == "invalid_scope"
    assert await (await start(device_any_scope=True)).form("/device/code", asked)
