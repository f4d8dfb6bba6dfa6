"""One exchange for everybody: threads and processes that want the same token at once."""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from tests.accounts import TENANT, VAULT
from tests.oauth.askers import Asker
from tests.oauth.conftest import Make
from tests.oauth.world import World

from headrace.errors import NeedsHuman
from headrace.oauth.sealed import Kept, seal
from headrace.twin.message import Request

THREADS, PROCESSES = 50, 4


def test_many_threads_and_processes_make_one_exchange(make: Make) -> None:
    """Covers O1, A0.10: fifty threads and four processes find the token too old at once."""
    world = make(rotate=True, latency_ms=300)
    row = world.connect("gmail")
    before = world.kept(row)
    world.lasts(row, 0)
    askers = [Asker(world, row) for _ in range(PROCESSES)]
    for one in askers:
        one.ready()
    together = Barrier(THREADS + 1)

    def ask() -> str:
        keeper = world.keeper(row)
        together.wait(30)
        return asyncio.run(keeper.token())

    with ThreadPoolExecutor(THREADS) as threads:
        asked = [threads.submit(ask) for _ in range(THREADS)]
        together.wait(30)
        for one in askers:
            one.go()
        tokens = {one.result(60) for one in asked} | {one.said() for one in askers}
    assert tokens == {world.kept(row).access}
    assert tokens != {before.access}
    assert (world.calls(), world.stat("tokenRefreshes")) == (1, 1)
    assert world.stat("familiesRevoked") == 0


def test_one_keeper_serves_many_at_once(world: World) -> None:
    """Covers O1: requests side by side in one event loop wait for one exchange."""
    row = world.connect("gmail")
    world.lasts(row, 0)

    async def many() -> set[str]:
        keeper = world.keeper(row)
        return set(await asyncio.gather(*[keeper.token() for _ in range(30)]))

    assert len(asyncio.run(many())) == 1
    assert world.calls() == 1


def test_a_token_is_in_the_database_before_it_is_used(world: World) -> None:
    """Covers O2: whenever the API is called, what it is called with can be read by others."""
    row = world.connect("gmail")
    old = world.kept(row)
    used = []

    def look(request: Request) -> None:
        if request.path.startswith("/gmail/"):
            kept = world.kept(row)
            used.append((request.headers["authorization"], kept))

    world.before = look
    world.lasts(row, 0)
    [outcome] = world.sync(row)
    assert outcome.state == "done"
    assert used
    for header, kept in used:
        assert header == f"Bearer {kept.access}"
        assert kept.access != old.access
        assert kept.refresh not in (None, old.refresh)


def test_a_process_that_dies_with_a_new_token_leaves_it(world: World) -> None:
    """Covers O2: killed before it asked anything, it has lost nothing: the next refresh uses the
    token that it was given, and no family is revoked."""
    row = world.connect("gmail")
    old = world.kept(row)
    world.lasts(row, 0)
    dead = Asker(world, row, "die")
    assert dead.ask() == ""
    assert dead.process.returncode == -signal.SIGKILL
    new = world.kept(row)
    assert new.access != old.access
    assert world.token(row) == new.access
    assert world.calls() == 1
    assert world.token(row, new.access) not in (new.access, old.access)
    assert (world.stat("tokenRefreshes"), world.stat("familiesRevoked")) == (2, 0)


def test_a_token_that_another_has_changed_is_taken(world: World) -> None:
    """Covers O3: what was refused is no longer what is there: no exchange is needed."""
    row = world.connect("gmail")
    mine = world.keeper(row)
    first = asyncio.run(mine.token())
    theirs = world.token(row, first)

    assert asyncio.run(mine.token(first)) == theirs
    assert world.calls() == 1


def test_without_a_refresh_token_the_end_is_the_end(world: World) -> None:
    """Covers O4: nothing is asked for that cannot be; the owner has to consent again."""
    row = world.connect("gmail")
    sealed = seal(VAULT, TENANT, row["grant_id"], Kept("only-access"))
    world.rows("UPDATE headrace.grants SET tokens = %s", sealed)
    assert world.token(row) == "only-access"
    world.lasts(row, 0)
    with pytest.raises(NeedsHuman, match="cannot be renewed") as caught:
        world.token(row)
    assert caught.value.reauth
    assert (world.calls(), world.health()) == (0, {"gmail": "needs_reauth"})
