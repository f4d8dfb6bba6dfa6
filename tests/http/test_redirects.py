"""Redirects: not followed unless the policy says so, and never out of the origin."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.errors import NeedsHuman

KEY = {"Authorization": "Bearer very-secret-key"}


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_off_by_default(net: Any, code: int) -> None:
    """Covers R15: a person is told to correct the address."""
    script = await net.serve(net.wire.status(code, Location="/elsewhere"))

    with pytest.raises(NeedsHuman, match="redirects /events"):
        await net.make(script.url, headers=KEY).request("GET", "/events")

    assert len(script.requests) == 1


@pytest.mark.parametrize("code", [301, 302, 307, 308])
@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:{port}/", "//127.0.0.1:{port}/x", "https://{self}/"]
)
async def test_another_origin_gets_nothing(net: Any, code: int, place: str) -> None:
    """Covers R15: 301, 302, 307 to another port or scheme: no connection, no Authorization."""
    thief = await net.serve(net.wire.ok())
    script = await net.serve()
    where = place.format(port=thief.port, self=f"127.0.0.1:{script.port}")
    script.answers = [net.wire.status(code, Location=where)]

    with pytest.raises(NeedsHuman, match="was not followed"):
        await net.make(script.url, headers=KEY, redirects=5).request("GET", "/events")

    assert thief.connections == 0
    assert script.connections == 1


async def test_within_the_origin(net: Any) -> None:
    """Covers R15: a renamed repository is found, key and all."""
    script = await net.serve(
        net.wire.status(301, Location="/new?page=2"),
        net.wire.status(302, Location="newer"),
        net.wire.ok(b"[]"),
    )

    answer = await net.make(script.url, headers=KEY, redirects=3).request("GET", "/old")

    assert [r.target for r in script.requests] == ["/old", "/new?page=2", "/newer"]
    assert script.requests[2].headers["authorization"] == "Bearer very-secret-key"
    assert answer.url == f"{script.url}/newer"


async def test_a_circle(net: Any) -> None:
    """Covers R15: a redirect loop ends at once."""
    script = await net.serve(
        net.wire.status(302, Location="/b"), net.wire.status(302, Location="/a")
    )

    with pytest.raises(NeedsHuman, match="circle"):
        await net.make(script.url, redirects=10).request("GET", "/a")

    assert len(script.requests) == 2


async def test_an_endless_chain(net: Any) -> None:
    """Covers R15: no more than the policy allows."""
    answers = [net.wire.status(302, Location=f"/{n}") for n in range(20)]
    script = await net.serve(*answers)

    with pytest.raises(NeedsHuman, match="redirects"):
        await net.make(script.url, redirects=3).request("GET", "/a")

    assert len(script.requests) == 4


async def test_a_body_goes_only_where_it_was_meant(net: Any) -> None:
    """Covers R15: 302 would turn a POST into a GET; only 307 and 308 repeat it."""
    script = await net.serve(net.wire.status(302, Location="/b"))
    with pytest.raises(NeedsHuman):
        await net.make(script.url, redirects=3).request("POST", "/a", json=b"{}")
    assert len(script.requests) == 1

    script = await net.serve(net.wire.status(307, Location="/b"), net.wire.ok())
    await net.make(script.url, redirects=3).request("POST", "/a", json=b'{"q":1}')
    assert (script.requests[1].line, script.requests[1].body) == ("POST /b HTTP/1.1", b'{"q":1}')


@pytest.mark.parametrize(
    "link",
    [
        "http://evil.example/next",
        "https://127.0.0.1:{port}/next",
        "http://127.0.0.1/next",
        "http://localhost:{port}/next",
        "http://127.0.0.1:{port}@evil.example/next",
        "//evil.example/next",
        "ftp://127.0.0.1:{port}/next",
        "file:///etc/passwd",
        "http://[::1]:{port}/",
        "http://",
        "http://[",
    ],
)
async def test_a_next_link_stays_in_the_origin(net: Any, link: str) -> None:
    """Covers R15, H4: scheme, host and port, or not a byte is sent (n8n CVE-2026-42226)."""
    script = await net.serve(net.wire.ok())

    with pytest.raises(NeedsHuman):
        await net.make(script.url, headers=KEY).request("GET", link.format(port=script.port))

    assert script.connections == 0


async def test_a_next_link_is_asked_as_written(net: Any) -> None:
    """Covers H3: escapes in a cursor are not ours to improve."""
    script = await net.serve(net.wire.ok())
    path = "/items?after=a%2Fb%3D%3d+c&x=%7E~!*'()"

    await net.make(f"{script.url}/v1").request("GET", script.url + path)

    assert script.requests[0].target == path


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ("", "/events", "/events"),
        ("/", "/events", "/events"),
        ("/api/v1", "/events", "/api/v1/events"),
        ("/api/v1/", "events", "/api/v1/events"),
        ("/api", "", "/api/"),
    ],
)
async def test_paths_are_below_the_base(net: Any, base: str, path: str, expected: str) -> None:
    """Covers A2.24: /events is relative to the base URL."""
    script = await net.serve(net.wire.ok())

    await net.make(script.url + base).request("GET", path)

    assert script.requests[0].target == expected
