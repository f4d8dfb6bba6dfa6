"""Workers that die at the door of Redis: every entry is one job, every end is told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random

import pytest
import redis
from tests.crash.rounds import long_run, rounds
from tests.crash.tally import Tally
from tests.crash.world import World
from tests.valkey import Valkey

from headrace.engine import intake
from headrace.redis_streams import COMPLETIONS, DEAD
from headrace.redis_streams.look import look
from headrace.settings import load
from headrace.store.database import Database


def connected(world: World, count: int = 1) -> list[str]:
    """The source as so many connections that are synced when somebody asks; their ids."""
    store = Database(world.database, connections=1).open()
    made = []
    try:
        with store.transaction() as session:
            for n in range(count):
                wanted = intake.rest_spec(world.commands.home / "events.yaml")
                wanted.name += str(n)
                row = intake.connect(session, "default", "me", wanted, load())
                made.append(str(row["connection_id"]))
    finally:
        store.close()
    return made


def over(world: World, valkey: Valkey) -> bool:
    """Every entry is acknowledged, every job has ended, and every end is told."""
    found = look(valkey.url)
    quiet = (found.get("lag"), found.get("pending")) == (0, 0)
    waiting = world.query("SELECT FROM headrace.redis_completions")
    return bool(quiet and world.over and not waiting and valkey.entries(COMPLETIONS))


@pytest.mark.parametrize("crash", ["entries-taken", "completions-told"])
def test_a_worker_dies_between_postgresql_and_redis(
    worlds: Callable[..., World], valkey: Valkey, crash: str
) -> None:
    """Covers A0.24: killed when the job is committed and the entry is not acknowledged, there is
    one job; killed when its end is told and that is not written down, it is told again, and the
    same `job_id` and `turn` say so."""
    world = worlds(total=300)
    connected(world)
    settings = {"REDIS_URL": valkey.url, "HEADRACE_REDIS_CLAIM_SECONDS": "0.5"}
    valkey.add("rest_sync", json.dumps({"userId": "me"}))
    dying = world.commands.start("worker", crash=crash, **settings)
    dying.dies(crash)
    world.buried()
    assert valkey.pending() == (crash == "entries-taken")
    world.commands.start("worker", **settings)

    world.wait(partial(over, world, valkey))
    told = [(one["job_id"], one["turn"]) for one in valkey.entries(COMPLETIONS)]
    [(job_id,)] = world.query("SELECT job_id FROM headrace.jobs")
    assert told == [(job_id, "1")] * (2 if crash == "completions-told" else 1)
    world.compare(bounded=False)


@long_run
def test_both_sides_are_killed_while_entries_come(
    worlds: Callable[..., World], valkey: Valkey, tally: Tally
) -> None:
    """Covers A0.24: workers and the Redis die at any moment, while entries come and jobs end. Every
    entry is one job, and every end is told."""
    for number in rounds(1, 20):
        random = Random(number)
        world = worlds(total=30)
        named = connected(world, 60)
        settings = {"REDIS_URL": valkey.url, "HEADRACE_REDIS_CLAIM_SECONDS": "0.5"}
        workers = [world.commands.start("worker", **settings) for _ in range(2)]
        with ThreadPoolExecutor(1) as pool:
            adding = pool.submit(add, valkey, named, random.uniform(0.05, 0.3))
            for _ in range(6):
                time.sleep(random.uniform(0.2, 4))
                if random.random() < 0.5:
                    valkey.kill()
                    time.sleep(random.uniform(0, 1))
                    valkey.start()
                else:
                    at = random.randrange(len(workers))
                    workers[at].kill()
                    workers[at] = world.commands.start("worker", **settings)
                tally.kills += 1
            adding.result()

        world.wait(partial(over, world, valkey), 120)
        jobs = world.query("SELECT job_id, connection_id, status FROM headrace.jobs")
        assert sorted(row[1] for row in jobs) == sorted(named)
        assert {row[2] for row in jobs} == {"SUCCEEDED"}
        taken = world.query("SELECT entry_id FROM headrace.redis_entries")
        assert sorted(row[0] for row in taken) == sorted(f"{n}-1" for n in range(1, 61))
        assert {one["job_id"] for one in valkey.entries(COMPLETIONS)} == {row[0] for row in jobs}
        assert valkey.entries(DEAD) == []
        tally.rounds += 1
        tally.records += len(jobs)
        for worker in workers:
            worker.kill()
        with valkey.client() as client:
            client.flushall()


def add(valkey: Valkey, connections: list[str], seconds: float) -> None:
    """Add an entry for each, again and again until Redis has answered that it has it."""
    for n, one in enumerate(connections, 1):
        payload = json.dumps({"connectionId": one})
        while True:
            try:
                valkey.add("rest_sync", payload, id=f"{n}-1")
                break
            except redis.ResponseError:
                break  # that id is there: it has it, and its answer was lost
            except redis.RedisError:
                time.sleep(0.05)
        time.sleep(seconds)
