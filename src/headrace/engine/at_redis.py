"""What a worker does at a Redis, where there is one: the door, the completions, the offers."""

from __future__ import annotations

from functools import partial

from headrace.engine import offers
from headrace.engine.regularly import Duty, Regularly
from headrace.settings import Settings
from headrace.store.database import Database


def chores(database: Database, settings: Settings, me: str) -> list[Duty]:
    """What is to be done while the worker runs; `me` is the consumer's name. Raises BadInput for a
    URL that cannot be used; a Redis that is away raises nothing."""
    offers.through(None)
    if settings.redis_url is None:
        return []
    # Whoever has no Redis does not wait for its library either.
    from headrace.engine.completions import BEAT_SECONDS, TELL_SECONDS, Completions
    from headrace.engine.door import Door
    from headrace.redis_streams.server import Server

    server = Server(settings.redis_url)
    completions = Completions(database, server, settings)
    completions.beat()  # before the first job can end
    if settings.headrace_schedule_via_redis:
        offers.through(server)
    return [
        Door(database, server, settings, me),
        Regularly("completions", TELL_SECONDS, completions.tell),
        Regularly("redis", BEAT_SECONDS, completions.beat),
        Regularly("offers", offers.LOOK_SECONDS, partial(offers.overdue, database)),
    ]
