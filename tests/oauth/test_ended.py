"""Consents that are over: said once, in words, and never asked about again."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.accounts import TENANT, USER, VAULT, fresh
from tests.oauth.conftest import Make
from tests.oauth.world import BOTH, SCOPES, World

from headrace.errors import HeadraceError, NeedsHuman, Retry
from headrace.oauth.connect import Wish, connect
from headrace.oauth.endpoint import InvalidGrant, Tokens
from headrace.store import connections
from headrace.store.connections import ConnectionRow


def refusal(world: World, row: ConnectionRow, refused: str | None = None) -> HeadraceError:
    """What a new keeper raises."""
    with pytest.raises(HeadraceError) as caught:
        world.token(row, refused)
    return caught.value


def ended(world: World, cause: str = "Token has been expired or revoked.") -> ConnectionRow:
    """A connection whose consent is over, and whose access token as well."""
    row = world.connect(*BOTH)
    world.ask("/admin/revoke", {"cause": cause})
    world.lasts(row, 0)
    return row


def consent(world: World, *providers: str) -> None:
    """The owner consents anew."""
    scopes = [scope for name in providers for scope in SCOPES[name]]
    said = world.ask("/admin/grant", {"scopes": scopes})
    tokens = Tokens(said["access_token"], said["refresh_token"], 3600.0, scopes)
    wishes = [Wish(name, name) for name in providers]
    settings = world.settings
    people = {"tenant": TENANT, "user": USER}
    connect(world.database, VAULT, settings, **people, tokens=tokens, wishes=wishes, trusted=False)


def test_an_ended_consent_is_said_once(world: World) -> None:
    """Covers O3: every connection of the grant says what to do, and the issuer is left alone."""
    row = ended(world)
    error = refusal(world, row)
    assert isinstance(error, InvalidGrant)
    assert error.reauth
    assert world.health() == dict.fromkeys(BOTH, "needs_reauth")
    for told in world.rows("SELECT health_reason, health_hint FROM headrace.connections"):
        assert told["health_reason"] == error.message
        assert "no longer accepts" in error.message
        assert told["health_hint"].startswith("Connect the account again.")
    for _ in range(3):
        again = refusal(world, row)
        assert isinstance(again, NeedsHuman)
        assert again.reauth
    assert world.calls() == 1


def test_many_who_ask_at_once_hear_of_one_refusal(make: Make) -> None:
    """Covers O1, O3: whoever waited for the exchange that failed makes none of its own."""
    world = make(latency_ms=200)
    row = ended(world)
    with ThreadPoolExecutor(12) as threads:
        errors = list(threads.map(lambda _: refusal(world, row), range(12)))
    assert all(isinstance(one, NeedsHuman) and one.reauth for one in errors)
    assert world.calls() == 1


def test_a_consent_given_anew_makes_them_active(world: World) -> None:
    """Covers O3: with its tokens, and at once due."""
    row = ended(world)
    refusal(world, row)
    consent(world, *BOTH)
    assert world.health() == dict.fromkeys(BOTH, "active")
    now = fresh(world.database, row)
    assert (now["health_reason"], now["health_hint"]) == (None, None)
    due = "SELECT count(*) AS n FROM headrace.schedules WHERE next_at <= now()"
    assert world.rows(due) == [{"n": len(BOTH)}]
    assert now["grant_id"] == row["grant_id"]
    [outcome, *_] = world.sync(now)
    assert outcome.state == "done"


def test_what_somebody_has_paused_stays_so(world: World) -> None:
    """Covers O3, A3.18: an ended consent and a new one approve nothing and resume nothing."""
    row = world.connect(*BOTH)
    with world.database.transaction() as session:
        connections.pause(session, row["connection_id"])
    world.ask("/admin/revoke", {})
    world.lasts(row, 0)
    refusal(world, row)
    assert world.health() == {"gmail": "needs_reauth", "google_calendar": "paused"}
    consent(world, "gmail", "google_calendar")
    assert world.health() == {"gmail": "active", "google_calendar": "paused"}


@pytest.mark.parametrize(
    "cause",
    [
        "Token has been expired or revoked.",
        "Account has been deleted",
        "Account has been suspended.",
    ],
)
def test_the_cause_is_in_the_words(world: World, cause: str) -> None:
    """Covers O8: whatever the issuer gives as its reason, and what usually ends a consent."""
    error = refusal(world, ended(world, cause))
    assert cause.rstrip(".") in error.message
    for usual in ("withdrawn", "password", "months without use", "a week", "in testing"):
        assert usual in error.hint


@pytest.mark.parametrize(
    ("options", "days"),
    [({"refresh_ttl_s": 604_800}, 8), ({"idle_ttl_s": 15_552_000}, 181)],
    ids=["testing", "idle"],
)
def test_time_ends_a_consent(make: Make, options: dict[str, int], days: int) -> None:
    """Covers O8: a week while the client is in testing; half a year without use."""
    world = make(**options)
    row = world.connect("gmail")
    world.lasts(row, 0)
    world.ask("/admin/clock", {"advance_s": days * 86_400})
    assert isinstance(refusal(world, row), InvalidGrant)
    assert world.health() == {"gmail": "needs_reauth"}


def test_too_many_consents_end_the_oldest(make: Make) -> None:
    """Covers O8: an issuer keeps so many of an account, and no more."""
    world = make(live_tokens=2)
    row = world.connect("gmail")
    for _ in range(2):
        world.ask("/admin/grant", {"scopes": SCOPES["gmail"]})
    world.lasts(row, 0)
    assert isinstance(refusal(world, row), InvalidGrant)


@pytest.mark.parametrize(
    ("said", "words", "reauth"),
    [
        ({"error": "invalid_client", "error_description": "Unauthorized"}, "client: Unaut", False),
        ({"error": "unauthorized_client"}, "OAuth client: unauthorized_client", False),
        ({"error": "access_denied"}, "not allowed", True),
        ({"error": "bad_refresh_token"}, "consent: bad_refresh_token", True),
        ({"error": "invalid_grant", "error_description": None}, "consent: invalid_grant", True),
        ({"error": "invalid_grant", "error_description": "a\nb\x00"}, "consent: a", True),
    ],
)
def test_each_refusal_has_its_own_words(
    world: World, said: dict[str, Any], words: str, reauth: bool
) -> None:
    """Covers O8, O3: what only the operator can mend ends nobody's consent."""
    row = world.connect("gmail")
    world.lasts(row, 0)
    world.says(said, 401 if said["error"] == "invalid_client" else 400)
    error = refusal(world, row)
    assert isinstance(error, NeedsHuman)
    assert error.reauth is reauth
    assert words in error.message
    assert world.health() == {"gmail": "needs_reauth" if reauth else "active"}
    if not reauth:
        assert "GOOGLE_CLIENT_ID" in error.hint
        world.wrong()
        assert world.token(row) == world.kept(row).access


@pytest.mark.parametrize("status", [400, 401])
def test_an_issuer_that_quotes_what_it_was_sent_tells_no_secret(world: World, status: int) -> None:
    """Covers O9: not in the error, and not in the row that people read."""
    row = world.connect("gmail")
    world.lasts(row, 0)
    secret = str(world.kept(row).refresh)
    said = f"The token {secret} of GOCSPX-twin is spent"
    world.says({"error": "invalid_grant", "error_description": said}, status)
    error = refusal(world, row)
    assert "is spent" in error.message
    [told] = world.rows("SELECT health_reason FROM headrace.connections")
    for text in (str(error), told["health_reason"]):
        assert secret not in text
        assert "GOCSPX-twin" not in text


@pytest.mark.parametrize(
    "fault",
    [{"kind": "reset"}, {"kind": "answer", "status": 503, "late": True}],
    ids=["reset", "late"],
)
def test_an_answer_that_was_lost_is_asked_for_once_more(make: Make, fault: dict[str, Any]) -> None:
    """Covers O6: where refresh tokens do not rotate, that is all."""
    world = make(rotate=False)
    row = world.connect("gmail")
    world.lasts(row, 0)
    world.wrong({"on": {"call": "token", "request": 1}, "do": fault})
    assert world.token(row) == world.kept(row).access
    assert (world.calls(), world.stat("tokenRefreshes")) == (2, 2)
    assert world.health() == {"gmail": "active"}


@pytest.mark.parametrize(
    "fault",
    [{"kind": "reset"}, {"kind": "answer", "status": 503, "late": True}],
    ids=["reset", "late"],
)
def test_a_lost_answer_that_ended_the_family_is_told_once(
    world: World, fault: dict[str, Any]
) -> None:
    """Covers O6: the issuer takes the second try for a thief's; only the owner can mend that."""
    row = world.connect("gmail")
    world.lasts(row, 0)
    world.wrong({"on": {"call": "token", "request": 1}, "do": fault})
    assert isinstance(refusal(world, row), InvalidGrant)
    assert (world.calls(), world.stat("familiesRevoked")) == (2, 1)
    refusal(world, row)
    assert world.calls() == 2
    assert world.health() == {"gmail": "needs_reauth"}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset"},
        {"kind": "answer", "status": 503},
        {"kind": "answer", "status": 200, "text": "<html>Sign in</html>"},
        {"kind": "answer", "status": 200, "json": {"token_type": "Bearer"}},
        {"kind": "answer", "status": 200, "json": ["access_token"]},
        {"kind": "truncate", "how": "short"},
    ],
    ids=["reset", "503", "page", "no token", "list", "cut"],
)
def test_an_issuer_in_trouble_ends_nothing(make: Make, fault: dict[str, Any]) -> None:
    """Covers O6: it is asked twice and then left alone for a while; the consent is as it was."""
    world = make(rotate=False)
    row = world.connect("gmail")
    world.lasts(row, 0)
    world.wrong({"on": {"call": "token"}, "do": fault})
    assert isinstance(refusal(world, row), Retry)
    assert world.calls() <= 2
    assert world.health() == {"gmail": "active"}
    world.wrong()
    assert asyncio.run(world.keeper(row).token()) == world.kept(row).access
