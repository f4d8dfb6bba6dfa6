"""A worker dies when an endpoint has answered and nothing is written of it: it is told again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from tests.crash.rounds import long_run
from tests.crash.world import World
from tests.webhooks.receiver import Receiver

from headrace.engine import sender
from headrace.settings import Settings
from headrace.store import webhooks
from headrace.store.database import Database
from headrace.vault import Vault


def endpoint(world: World, receiver: Receiver) -> None:
    """The receiver, told of everything."""
    settings = Settings(_env_file=None, headrace_home=world.commands.home)
    store = Database(world.database, connections=1).open()
    try:
        with store.transaction() as session:
            _, secret = webhooks.add(
                session,
                Vault.from_settings(settings),
                settings,
                tenant="default",
                user="me",
                key_user=None,
                url=receiver.url,
                trusted=True,
            )
    finally:
        store.close()
    receiver.secrets = [secret]


def all_told(world: World) -> bool:
    """The job is over, and nothing is left to be told."""
    waiting = world.query(
        "SELECT FROM headrace.webhook_deliveries WHERE state = 'pending'"
        " UNION ALL SELECT FROM headrace.batches WHERE feed IS NULL AND inserted > 0"
    )
    return world.over and not waiting


@pytest.mark.parametrize("deaths", [1, pytest.param(8, marks=long_run)])
def test_what_was_sent_and_not_noted_is_sent_again(
    worlds: Callable[..., World], deaths: int
) -> None:
    """The endpoint is told everything, of each stream and job in order; what was sent
    twice has the same id, and all that was landed is told of once."""
    world = worlds(total=2_000 * deaths, latency_ms=1)
    with Receiver().serving() as receiver:
        endpoint(world, receiver)
        job_id = world.submit()
        for _ in range(deaths):
            world.commands.start("worker", crash="webhook-sent").dies("webhook-sent")
            world.buried()
            # What the dead one had in hand: its minute is over.
            world.query(
                "UPDATE headrace.webhook_deliveries SET next_at = now() WHERE state = 'pending'"
                " RETURNING delivery_id"
            )
        world.commands.start("worker")
        world.wait(partial(all_told, world))
        got = receiver.got
    first = list({one.id: one for one in got}.values())
    batches = [one.data for one in first if one.event == "records.changed"]
    assert sum(one["added"] for one in batches) == 2_000 * deaths
    landed = world.query("SELECT batch_id FROM headrace.batches WHERE inserted > 0 ORDER BY feed")
    assert [one["batch_id"] for one in batches] == [batch for (batch,) in landed]
    assert [one.data["job_id"] for one in first if one.event == "job.succeeded"] == [job_id]
    times = Counter(one.id for one in got)
    assert 1 <= sum(times.values()) - len(times) <= deaths * sender.ABREAST
    world.compare(bounded=False)
