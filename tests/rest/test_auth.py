"""How the key travels, and where it never goes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from headrace.errors import NeedsHuman
from headrace.providers.rest import Rest
from headrace.rest import parse_spec

KEY = "canary-0d9f3b"


@pytest.mark.parametrize(
    ("auth", "name", "value"),
    [
        ({"header": "X-API-Key"}, "X-API-Key", KEY),
        ({"bearer": True}, "Authorization", f"Bearer {KEY}"),
        ({"basic": "me"}, "Authorization", "Basic bWU6Y2FuYXJ5LTBkOWYzYg=="),
    ],
)
async def test_headers(api: Any, auth: dict[str, Any], name: str, value: str) -> None:
    """Covers A2.12: the usual three; a pasted newline is not part of a key."""
    url = await api.always(b'{"data":[],"hasMore":false}')

    await api.walk(api.rest(url, auth=auth, secret=KEY + "\n", headers={"X-Team": "7"}))

    assert api.requests[0].headers[name] == value
    assert api.requests[0].headers["X-Team"] == "7"


async def test_query(api: Any) -> None:
    """Covers O9: it is sent, and it is in no cursor, even when the server repeats it."""

    async def handler(request: web.Request) -> web.Response:
        page = int(request.query.get("page", 1))
        following = f"{request.path}?page={page + 1}&key={KEY}" if page < 3 else None
        return web.json_response({"data": [{"id": page}], "next": following})

    rest = api.rest(await api.serve(handler), auth={"query": "key"}, secret=KEY)
    pages = await api.walk(rest)

    assert len(pages) == 3
    assert [r.query["key"] for r in api.requests] == [KEY] * 3
    assert KEY not in json.dumps([p.cursor for p in pages])


async def test_from_a_variable(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Covers A2.4: `env` names it, for what an operator wrote."""
    monkeypatch.setenv("SOME_KEY", KEY)
    url = await api.always(b'{"data":[],"hasMore":false}')

    await api.walk(api.rest(url, auth={"bearer": True, "env": "SOME_KEY"}))

    assert api.requests[0].headers["Authorization"] == f"Bearer {KEY}"


async def test_a_caller_names_no_variables(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Covers n8n CVE-2026-42226: the service's own secrets are not sent to a caller's server."""
    monkeypatch.setenv("HEADRACE_SECRET_KEY", KEY)
    rest = api.rest(await api.always(b"{}"), auth={"bearer": True, "env": "HEADRACE_SECRET_KEY"})
    rest.trusted = False

    with pytest.raises(NeedsHuman, match="only an operator"):
        await rest.fetch("events", "", None)

    assert api.requests == []


async def test_a_caller_names_no_private_hosts(api: Any) -> None:
    """Covers SSRF: what is not from an operator stays out of this network."""
    rest = api.rest(await api.always(b"{}"))
    rest.private_hosts = False

    with pytest.raises(NeedsHuman, match="not https"):
        await rest.fetch("events", "", None)

    assert api.requests == []
    assert Rest.private_hosts is Rest.trusted is False


@pytest.mark.parametrize("secret", [None, "", "  ", "naïve", "a\nb"])
async def test_no_key_or_none_that_can_be_sent(api: Any, secret: str | None) -> None:
    """Covers A2.36: said before anything is asked, and not shown."""
    rest = api.rest(await api.always(b"{}"), auth={"header": "X-API-Key"}, secret=secret)

    with pytest.raises(NeedsHuman) as caught:
        await rest.fetch("events", "", None)

    assert caught.value.reauth
    assert api.requests == []
    assert not secret or not secret.strip() or secret not in str(caught.value)


async def test_a_refused_key(api: Any) -> None:
    """Covers O3: signing in again is the cure, and the key is in no message."""
    body = json.dumps({"message": f"unknown key {KEY}"}).encode()
    rest = api.rest(await api.always(body, status=401), auth={"bearer": True}, secret=KEY)

    with pytest.raises(NeedsHuman, match="The key was refused") as caught:
        await rest.fetch("events", "", None)

    assert caught.value.reauth
    assert KEY not in str(caught.value)


def test_a_literal_key_is_taken_out_to_be_sealed() -> None:
    """Covers O9: no dump of a spec shows it."""
    spec = parse_spec(
        {
            "name": "a",
            "base_url": "https://api.example.com",
            "auth": {"bearer": True, "key": KEY},
            "streams": {"events": {"path": "/events"}},
        }
    )

    bare, key = spec.without_key()

    assert key == KEY
    assert KEY not in spec.model_dump_json() + repr(spec) + bare.model_dump_json()
    assert bare.auth is not None
    assert bare.auth.key is None
    assert bare.without_key() == (bare, None)


async def test_a_config_is_never_calculated(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Covers CVE-2025-68613: what looks like an expression is sent as it was written."""
    monkeypatch.setenv("SOME_KEY", KEY)
    url = await api.always(b'{"data":[],"hasMore":false}')
    written = {
        "a": "{{ 7 * 7 }}",
        "b": "=7*7",
        "c": "${SOME_KEY}",
        "d": "{SOME_KEY}",
        "e": "%(SOME_KEY)s",
        "f": "__import__('os').getpid()",
        "g": "$(id)",
    }

    await api.walk(api.rest(url, params=written, headers={"X-Team": "{{ 7 * 7 }}${SOME_KEY}"}))

    assert written.items() <= dict(api.requests[0].query).items()
    assert api.requests[0].headers["X-Team"] == "{{ 7 * 7 }}${SOME_KEY}"
