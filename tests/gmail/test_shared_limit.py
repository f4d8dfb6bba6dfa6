"""A rate limit that one worker meets is everybody's who uses the account."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from tests.accounts import connect, run
from tests.gmail.box import QUICK, Box

from headrace.http.policy import GOOGLE
from headrace.twin.google import Google, options_from
from headrace.twin.message import Answer, Request, answer_json
from headrace.twin.server import listening

if TYPE_CHECKING:
    from headrace.store.database import Database

Open = Callable[..., Awaitable[Box]]

WALL_SECONDS = 4


class Wall:
    """A Gmail that refuses everything for some seconds, from the first listing on."""

    def __init__(self, google: Google) -> None:
        self._google = google
        self.met = asyncio.Event()
        self.refused = 0
        self.until = 0.0

    async def handle(self, request: Request) -> Answer:
        """What the twin answers, or 429."""
        if not self.met.is_set() and request.path.endswith("/messages"):
            self.until = time.monotonic() + WALL_SECONDS
        if request.path.startswith("/gmail/") and time.monotonic() < self.until:
            self.refused += 1
            self.met.set()
            error = {"error": {"code": 429, "message": "Too many requests"}}
            answer = answer_json(error, status=429)
            answer.headers["Retry-After"] = str(WALL_SECONDS)
            return answer
        return await self._google.handle(request)


async def test_after_the_first_refusal_nobody_is_refused(
    pool: Database, engine_database: str
) -> None:
    """Covers G10, G11: a worker in a process of its own, and another connection of the account
    here. This one waits before it asks for anything, and both come to their end."""
    google = Google(options_from({"messages": 20}))
    wall = Wall(google)
    async with listening(wall.handle, 0) as url:
        box = Box(google, url, pool)
        other = connect(pool, google, "gmail", called="the other", **dict[str, Any](QUICK))
        assert other["grant_id"] == box.connection["grant_id"]
        named = str(box.connection["connection_id"])
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.gmail.worker", engine_database, url, named
        )
        await wall.met.wait()
        await until_held(box)
        [outcome] = await run(pool, box.settings, other)
        assert time.monotonic() >= wall.until
        assert (outcome.state, await worker.wait()) == ("done", 0)
    assert wall.refused == 1


async def until_held(box: Box) -> None:
    """The worker has told the others: a moment after it was refused."""
    until = time.monotonic() + 10
    held = "SELECT FROM headrace.allowances WHERE spent_until > now() + interval '1 s'"
    while not box.rows(held):
        assert time.monotonic() < until, "nobody was told"
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("asked", "held"), [("600", 600), ("31536000", GOOGLE.max_park), ("1e300", GOOGLE.max_park)]
)
async def test_a_wait_holds_the_account_no_longer_than_a_day(
    open_box: Open, asked: str, held: float
) -> None:
    """Covers R6, G10: for everybody as for the one that was refused; and who comes then is put off
    without a word to Gmail."""
    box = await open_box(messages=5)
    refusal = {"kind": "answer", "status": 429, "headers": {"Retry-After": asked}}
    box.faults({"on": {"call": "messages.list"}, "do": refusal})
    refused = await box.sync()
    assert (refused.state, refused.after, refused.failure) == ("retry", held, False)
    before = box.calls()["requests"]
    with pytest.raises(Exception, match="allowance") as put_off:
        await box.sync()
    assert held - 30 < getattr(put_off.value, "after", 0) <= held
    assert box.calls()["requests"] == before
