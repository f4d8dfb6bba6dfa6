"""How long a token is used: what issuers say of that, whose clock decides, and refusals."""

from __future__ import annotations

import asyncio
import shutil
from typing import Any

import pytest
from tests.oauth.askers import Asker
from tests.oauth.conftest import Make
from tests.oauth.world import World

from headrace.errors import NeedsHuman

NEW = "ya29.new"


@pytest.mark.parametrize(
    ("more", "refresh", "seconds"),
    [
        ({"expires_in": 3600}, None, 3600),
        ({"expires_in": "3600"}, None, 3600),
        ({"expires_in": 3599.5}, None, 3599.5),
        ({}, None, None),
        ({"expires_in": 0}, None, None),
        ({"expires_in": -5}, None, None),
        ({"expires_in": None}, None, None),
        ({"expires_in": "soon"}, None, None),
        ({"expires_in": "NaN"}, None, None),
        ({"expires_in": 1e300}, None, None),
        ({"expires_in": [3600]}, None, None),
        ({"expires_in": True}, None, None),
        ({"expires_in": 3600, "refresh_token": ""}, None, 3600),
        ({"expires_in": 3600, "refresh_token": None}, None, 3600),
        ({"expires_in": 3600, "refresh_token": 7}, None, 3600),
        ({"expires_in": 3600, "refresh_token": "1//new"}, "1//new", 3600),
    ],
)
def test_what_an_answer_leaves_out_stays(
    world: World, more: dict[str, Any], refresh: str | None, seconds: float | None
) -> None:
    """Covers O4: no refresh token keeps the old one; an end that makes no sense is unknown."""
    row = world.connect("gmail")
    old = world.kept(row)
    world.lasts(row, 0)
    world.says({"access_token": NEW, "token_type": "Bearer", **more})
    assert world.token(row) == NEW
    kept = world.kept(row)
    assert (kept.access, kept.refresh) == (NEW, refresh or old.refresh)
    [told] = world.rows(
        "SELECT extract(epoch FROM expires_at - refreshed_at)::float8 AS lasts FROM headrace.grants"
    )
    assert told["lasts"] == seconds
    assert world.token(row) == NEW
    assert world.calls() == 1


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": 7}])
def test_an_answer_without_a_token_changes_nothing(world: World, body: dict[str, Any]) -> None:
    """Covers O4: nothing is kept of it."""
    row = world.connect("gmail")
    old = world.kept(row)
    world.lasts(row, 0)
    world.says(body)
    with pytest.raises(Exception, match="without an access token"):
        world.token(row)
    assert world.kept(row) == old


def test_a_token_is_refreshed_a_minute_early(world: World) -> None:
    """Covers O5: with 65 seconds left it is used, with 59 it is not."""
    row = world.connect("gmail")
    first = world.kept(row).access
    world.lasts(row, 65)
    assert world.token(row) == first
    assert world.calls() == 0
    world.lasts(row, 59)
    assert world.token(row) != first
    assert world.calls() == 1


def test_a_keeper_looks_again_when_its_time_is_up(world: World) -> None:
    """Covers O5: what it was told to use for some seconds, it uses for no longer."""
    row = world.connect("gmail")
    world.lasts(row, 60.5)

    async def ask() -> tuple[str, str]:
        keeper = world.keeper(row)
        first = await keeper.token()
        assert await keeper.token() == first
        await asyncio.sleep(0.6)
        return first, await keeper.token()

    first, second = asyncio.run(ask())
    assert first != second
    assert world.calls() == 1


def test_tokens_that_end_within_the_minute_are_used_all_the_same(make: Make) -> None:
    """Covers O5: an issuer that gives no longer ones is not asked once for each request."""
    world = make(expires_in=40)
    row = world.connect("gmail")
    world.lasts(row, 0)
    first = world.token(row)
    assert {world.token(row) for _ in range(5)} == {first}
    assert world.calls() == 1


@pytest.mark.skipif(not shutil.which("faketime"), reason="no faketime here: apt install faketime")
@pytest.mark.parametrize("off", ["+10m", "-10m"])
def test_the_clock_of_a_worker_does_not_matter(world: World, off: str) -> None:
    """Covers O5: ten minutes off, it uses what is good and leaves what is not."""
    row = world.connect("gmail")
    first = world.kept(row).access
    world.lasts(row, 300)
    assert Asker(world, row, before=["faketime", "-f", off]).ask() == first
    assert world.calls() == 0
    world.lasts(row, 30)
    second = Asker(world, row, before=["faketime", "-f", off]).ask()
    assert second == world.kept(row).access != first
    assert world.calls() == 1
    # What it has kept is good for as long as the issuer said, by everybody's clock.
    [told] = world.rows(
        "SELECT extract(epoch FROM expires_at - now())::float8 AS left FROM headrace.grants"
    )
    assert 3_500 < told["left"] <= 3_600


def test_one_refusal_forces_one_refresh(world: World) -> None:
    """Covers O5: a token that should be good is refused once; the walk does not notice."""
    row = world.connect("gmail")
    world.wrong(
        {"on": {"call": "getProfile", "request": 1}, "do": {"kind": "answer", "status": 401}}
    )
    [outcome] = world.sync(row)
    assert outcome.state == "done"
    assert world.calls() == 1


def test_many_requests_refused_at_once_force_one_refresh(world: World) -> None:
    """Covers O5, O1: each of the messages that are fetched side by side is refused."""
    row = world.connect("gmail")
    on = {"call": "messages.get", "request": [1, 2, 3, 4, 5]}
    world.wrong({"on": on, "do": {"kind": "answer", "status": 401}})
    [outcome] = world.sync(row)
    assert outcome.state == "done"
    assert (world.calls(), world.calls("messages.get")) == (1, 10)


def test_a_source_that_refuses_for_ever_is_no_storm(world: World) -> None:
    """Covers O5: asked twice, with two tokens, and then a person has to look."""
    row = world.connect("gmail")
    everything = ["getProfile", "messages.list", "messages.get", "labels.list"]
    world.wrong({"on": {"call": everything}, "do": {"kind": "answer", "status": 401}})
    with pytest.raises(NeedsHuman) as caught:
        world.sync(row)
    assert caught.value.reauth
    assert (world.calls(), world.calls("getProfile")) == (1, 2)


def test_a_source_that_refuses_every_message_is_no_storm(world: World) -> None:
    """Covers O5: ten at a time are refused twice, and that is all."""
    row = world.connect("gmail")
    world.wrong({"on": {"call": "messages.get"}, "do": {"kind": "answer", "status": 401}})
    [outcome] = world.sync(row)
    assert (outcome.state, outcome.reauth) == ("human", True)
    assert world.calls() == 1
    assert world.calls("messages.get") <= 10
