"""Workers that die at the door of Redis: every entry is one job, every end is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.crash.world import World
from tests.valkey import Valkey

from headrace.engine import intake
from headrace.redis_streams import COMPLETIONS
from headrace.redis_streams.look import look
from headrace.settings import load
from headrace.store.database import Database


def connected(world: World) -> str:
    """The source as a connection that is synced when somebody asks; its id."""
    store = Database(world.database, connections=1).open()
    try:
        with store.transaction() as session:
            wanted = intake.rest_spec(world.commands.home / "events.yaml")
            row = intake.connect(session, "default", "me", wanted, load())
            return str(row["connection_id"])
    finally:
        store.close()


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

    def over() -> bool:
        found: dict[str, Any] = look(valkey.url)
        waiting = world.query("SELECT FROM headrace.redis_completions")
        quiet = (found["lag"], found["pending"]) == (0, 0)
        return bool(world.over and quiet and not waiting and valkey.entries(COMPLETIONS))

    world.wait(over)
    told = [(one["job_id"], one["turn"]) for one in valkey.entries(COMPLETIONS)]
    [(job_id,)] = world.query("SELECT job_id FROM headrace.jobs")
    assert told == [(job_id, "1")] * (2 if crash == "completions-told" else 1)
    world.compare(bounded=False)
