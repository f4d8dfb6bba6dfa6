"""Signing in by key and by link, what the cookie is like, and how a session ends."""

from __future__ import annotations

import io
import re
from functools import partial
from http.cookies import Morsel, SimpleCookie
from urllib.parse import quote

import psycopg
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.api.conftest import House
from tests.dashboard.safe.conftest import link, opened, signed_in
from tests.dashboard.safe.markup import Read

from headrace.settings import Settings
from headrace.store import keys, sessions


def cookie(client: TestClient, key: str, **headers: str) -> Morsel[str]:
    """The cookie that signing in sets."""
    answer = client.post("/login", data={"key": key}, headers=headers)
    assert answer.status_code == 303, answer.text
    [made] = SimpleCookie(answer.headers["set-cookie"]).values()
    return made


def test_the_cookie_is_for_this_host_and_no_script(house: House) -> None:
    """Over plain http; its name says at which port, which cookies do not know."""
    for base, name in (("http://testserver", ""), ("http://127.0.0.1:8000", "_8000")):
        made = cookie(opened(house, base), house.key())
        assert made.key == f"headrace_session{name}"
        assert made["httponly"]
        assert not made["secure"]
        assert not made["domain"]
        assert (made["samesite"], made["path"]) == ("lax", "/")
        assert int(made["max-age"]) == sessions.OLDEST_SECONDS
        assert len(made.value) >= 43


def test_over_https_it_goes_nowhere_else(house: House) -> None:
    made = cookie(opened(house, "https://testserver"), house.key())
    assert made.key == "__Host-headrace_session"
    assert made["secure"]
    assert made["httponly"]


@pytest.mark.parametrize("host", ["headrace.example", "127.0.0.1:8000"])
def test_behind_a_proxy_that_says_nothing_the_public_address_decides(own: House, host: str) -> None:
    """HEADRACE_PUBLIC_URL is https: whoever asked for that host did so by https. Somebody on the
    machine itself did not."""
    public = "https://headrace.example"
    app = own._client.app
    assert isinstance(app, FastAPI)
    app.state.settings = Settings(_env_file=None, headrace_public_url=public)
    client = opened(own, f"http://{host}")
    made = cookie(client, own.key())
    assert bool(made["secure"]) is (host in public)
    client.headers["Cookie"] = f"{made.key}={made.value}"
    assert client.get("/").status_code == 200
    ended = client.post("/logout").headers["set-cookie"]
    assert made.key in ended
    assert ("Secure" in ended) is (host in public)


def test_a_wrong_key_is_said_in_words(house: House) -> None:
    """As often as one likes, and the right one still opens: nobody can lock others out. Where a key
    came from, and what it was, is told nowhere."""
    client, key = opened(house), house.key()
    for wrong in [
        "",
        " ",
        f"{key}x",
        key[:-1],
        "x" * 513,
        "x" * 9000,
        "\0",
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
        *["hr_guess"] * 50,
    ]:
        answer = client.post("/login", data={"key": wrong})
        assert answer.status_code == 401
        assert "opens nothing" in Read(answer.text).shown
        assert len(wrong) < 3 or wrong not in answer.text
        assert "set-cookie" not in answer.headers
    assert client.post("/login").status_code == 401
    assert client.post("/login", data={"key": f" {key}\n"}).status_code == 303


def test_a_link_signs_in_once(house: House) -> None:
    """Looking at it, as programs do that fetch addresses, does not use it up."""
    token = link(house)
    client = opened(house)
    for _ in range(3):
        page = Read(client.get(f"/welcome/{token}").text)
    [form] = page.forms
    assert token not in form["action"]
    answer = client.post(form["action"], data={"link": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert client.get("/").status_code == 200
    other = opened(house)
    for used in (token, "", "x" * 9000, "\0", f"{token}x"):
        answer = other.post(form["action"], data={"link": used})
        assert answer.status_code == 401
        assert "headrace open" in Read(answer.text).shown
        assert other.get("/").status_code == 303


def test_a_link_is_no_session_and_a_session_no_link(house: House) -> None:
    token, client = link(house), opened(house)
    client.headers["Cookie"] = f"headrace_session={token}"
    assert client.get("/").status_code == 303
    made = cookie(opened(house), house.key())
    assert opened(house).post("/welcome", data={"link": made.value}).status_code == 401


def test_an_old_link_opens_nothing(house: House) -> None:
    token = link(house)
    house.execute(
        "UPDATE headrace.sessions SET expires_at = now()"
        " WHERE created_at = (SELECT max(created_at) FROM headrace.sessions)"
    )
    for answer in (
        opened(house).get(f"/welcome/{token}"),
        opened(house).post("/welcome", data={"link": token}),
    ):
        assert answer.status_code == 401
        assert "too old" in Read(answer.text).shown


def fail(error: Exception, *_: object) -> None:
    raise error


def test_a_link_is_in_no_log(
    house: House, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where PostgreSQL is away the path is logged, while the link is still good."""
    token, client = link(house), opened(house)
    for error in (psycopg.OperationalError("gone"), RuntimeError("a bug")):
        with monkeypatch.context() as patched:
            for name in ("offered", "redeem"):
                patched.setattr(sessions, name, partial(fail, error))
            assert client.get(f"/welcome/{token}").status_code in (500, 503)
            assert client.post("/welcome", data={"link": token}).status_code in (500, 503)
    assert "/welcome" in log.getvalue()
    assert token not in log.getvalue()
    assert client.post("/welcome", data={"link": token}).status_code == 303


def test_only_hashes_are_kept(house: House) -> None:
    """Whoever reads the table, or a backup of it, cannot sign in."""
    made, token = cookie(opened(house), house.key()), link(house)
    rows = str(house.execute("SELECT * FROM headrace.sessions"))
    for secret in (made.value, token):
        assert secret not in rows
        assert secret.encode().hex() not in rows


def test_a_session_ends_with_its_key(house: House) -> None:
    key = house.key()
    client, bystander = signed_in(house, key), signed_in(house, house.key())
    assert client.get("/").status_code == 200
    with house.store.transaction() as session:
        keys.revoke(session, "acme", key[:10])
    answer = client.get("/jobs?status=FAILED")
    assert answer.headers["location"] == "/login?next=/jobs%3Fstatus%3DFAILED&expired=1"
    assert "Your session is over" in Read(client.get(answer.headers["location"]).text).shown
    assert client.post("/jobs/process").status_code == 303
    assert bystander.get("/").status_code == 200


@pytest.mark.parametrize(
    ("column", "days", "opens"),
    [("expires_at", 0, False), ("created_at", 29, True), ("created_at", 30, False)],
)
def test_a_session_ends_by_age(house: House, column: str, days: int, opens: bool) -> None:
    """After a week that nobody used it, and after thirty days whoever did."""
    client = signed_in(house, house.key())
    house.execute(
        f"UPDATE headrace.sessions SET {column} = now() - make_interval(days => %s, secs => 1)"
        " WHERE NOT once AND created_at = (SELECT max(created_at) FROM headrace.sessions)",
        days,
    )
    assert client.get("/").status_code == (200 if opens else 303)


def test_a_session_that_is_used_goes_on(house: House) -> None:
    client = signed_in(house, house.key())
    newest = "SELECT expires_at FROM headrace.sessions ORDER BY created_at DESC LIMIT 1"
    house.execute("UPDATE headrace.sessions SET expires_at = now() + interval '1 minute'")
    [before] = house.execute(newest)
    assert client.get("/").status_code == 200
    [after] = house.execute(newest)
    assert after["expires_at"] > before["expires_at"]


def test_signing_out_ends_it_everywhere(house: House) -> None:
    """Also for whoever has copied the cookie."""
    client, copy = opened(house), opened(house)
    made = cookie(client, house.key())
    copy.headers["Cookie"] = f"{made.key}={made.value}"
    assert copy.get("/").status_code == 200
    assert client.post("/logout").headers["location"] == "/login"
    assert client.get("/").headers["location"] == "/login?next=/"
    assert copy.get("/").status_code == 303
    assert client.post("/logout").status_code == 303  # again: nothing happens


ELSEWHERE = (
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    " //evil.example",
    "///evil.example",
    "/\r\nSet-Cookie: a=b",
    "/\0",
    "javascript:alert(1)",
    "evil.example",
    "/\u2028/x",
    "",
    "/" + "x" * 8192,
)


@pytest.mark.parametrize("there", ELSEWHERE)
def test_signing_in_leads_nowhere_else(house: House, there: str) -> None:
    """Covers open redirects: neither from the form nor from the address of its page."""
    client = opened(house)
    asked = client.get(f"/login?next={quote(there)}")
    assert asked.status_code == 200
    assert re.search(r'name="next" value="/"', asked.text)
    answer = client.post("/login", data={"key": house.key(), "next": there})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "there",
    [
        "/search?q=a%26b%20%22c%22&since=2026-01-01",
        "/records/messages/1/a%2Fb%3Fc%23d%25",
        "/jobs",
        "/live/jobs?status=FAILED",
    ],
)
def test_signing_in_leads_to_what_was_asked_for(house: House, there: str) -> None:
    """To the letter; of a page's news, to the page."""
    client = opened(house)
    page = client.get(client.get(there).headers["location"])
    [after] = re.findall(r'name="next" value="([^"]*)"', page.text)
    data = {"key": house.key(), "next": after.replace("&amp;", "&")}
    answer = client.post("/login", data=data)
    assert answer.headers["location"] == there.removeprefix("/live")
