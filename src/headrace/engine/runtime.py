"""Starting and ending the engine in a process: the one place that launches DBOS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import psycopg
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer
from sqlalchemy.exc import DBAPIError

from headrace import plugins
from headrace.crashpoints import mark
from headrace.engine import (  # workflows are registered by being there
    afterwards,  # noqa: F401
    alarm,
    at_redis,
    discover,
    drain,
    leaving,
    private,
    recent,
    retention,
    schedule,
    sender,
    stage_workflow,  # noqa: F401
    state,
    unasked,
    waiting,
    workflows,  # noqa: F401
)
from headrace.engine.channels import Channels
from headrace.engine.dispatch import Chore, Dispatcher
from headrace.engine.keeping import Keeper
from headrace.engine.place import new_executor_id
from headrace.engine.queues import (
    APART,
    APPLICATION,
    INSIGHTS,
    JOBS,
    NOTICES,
    STAGES,
    VERSION,
)
from headrace.engine.recovery import LEFT, Recovery
from headrace.engine.regularly import Duty, Regularly
from headrace.engine.sweep import SWEEP_SECONDS, Bookmark, sweep
from headrace.engine.takeover import Liveness
from headrace.errors import HeadraceError
from headrace.settings import Settings
from headrace.store.address import engine_url
from headrace.store.database import Database
from headrace.store.projection import target
from headrace.store.waiting import patiently
from headrace.vault import Vault


def check() -> None:
    """Prove at start what would otherwise fail silently later (ruling X8): every kind of job has a
    handler, every stage is fed, every name is taken once. Raises HeadraceError."""
    kinds = plugins.sync_kinds()
    for provider in plugins.providers().values():
        for kind in (provider.kind, *provider.aliases):
            if kinds[kind] is not provider:
                raise HeadraceError(
                    f"Two providers claim the job kind {kind!r}.", hint="Rename one of them."
                )
    for stage in plugins.stages().values():
        for row in stage.rows:
            target(row)


def places(workers: int) -> dict[str, int]:
    """How many workflows of each queue run here at the same time."""
    return {JOBS: workers, STAGES: workers, APART: 1, NOTICES: workers, INSIGHTS: 1}


@contextmanager
def engine(url: str, settings: Settings) -> Iterator[Database]:
    """Run jobs in this process while the context lasts. `url` is a migrated database."""
    check()
    settings.insight_kinds(plugins.insight_kinds())  # a wrong name is better known now
    channels = Channels(settings)
    me = new_executor_id()
    workers = settings.headrace_workers
    database = Database(url, name=me, connections=workers * 4 + 8).open()
    state.enter(state.State(database, settings, Vault.from_settings(settings)))
    recovery = Regularly("recovery", None, Recovery(database, me).look)
    schedules = Regularly("schedule", None, partial(schedule.catch_up, database))
    liveness = Liveness(database, me, recovery.ring)
    keeper = Keeper(database)
    tellers, told = sender.chores(database, settings, state.current().vault)
    asked = [Chore(LEFT, recovery), Chore(schedule.DUE, schedules), *told]
    dispatcher = Dispatcher(database, me, asked)
    leaving.arrive()
    chores: list[Duty] = [
        recovery,
        schedules,
        Regularly("sweeper", SWEEP_SECONDS, partial(sweep, database, bookmark=Bookmark())),
        Regularly("retention", retention.LOOK_SECONDS, partial(retention.look, database, settings)),
        Regularly(
            "waiting",
            waiting.LOOK_SECONDS,
            partial(waiting.watch, database, settings.headrace_queue_alert_seconds),
        ),
        Regularly(
            "recent",
            recent.COUNT_SECONDS,
            partial(recent.count, database, settings.headrace_recent_hours),
        ),
        alarm.chore(database, settings, channels),
    ]
    if settings.headrace_insights.strip():
        chores.append(
            Regularly("insights", unasked.LOOK_SECONDS, partial(unasked.look, database, settings))
        )
    if settings.better_auth:
        chores.append(
            Regularly(
                "discovery", discover.LOOK_SECONDS, partial(discover.look, database, settings)
            )
        )
    chores += tellers
    chores += at_redis.chores(database, settings, me)
    with ExitStack() as ends:
        ends.callback(leaving.depart)
        ends.callback(database.close)
        ends.callback(keeper.stop)
        ends.callback(DBOS.destroy)
        ends.callback(liveness.stop)
        try:
            liveness.register()
            mark("registered")
            DBOS(config=_config(url, me, workers))
            private.count(dispatcher.left)
            ends.callback(drain.drain, database, me, settings.headrace_drain_seconds)
            private.launch()
            private.poll_nothing()
            queues = [(private.internal_queue(), workers)]
            for name, here in places(workers).items():
                queue = DBOS.register_queue(
                    name, worker_concurrency=here, on_conflict="always_update"
                )
                queues.append((queue, here))
            mark("launched")
            for chore in chores:
                ends.callback(chore.stop)
            ends.callback(dispatcher.stop)
            liveness.start()
            dispatcher.start(queues)
            keeper.start()
            for chore in chores:
                chore.start()
            yield database
        finally:
            leaving.begin()


@contextmanager
def patient_engine(url: str, settings: Settings) -> Iterator[Database]:
    """`engine` of a service: a PostgreSQL that goes away while it starts is waited for, as one that
    is not there yet. Raises Unavailable when that has lasted for HEADRACE_DATABASE_WAIT."""
    with ExitStack() as stack:

        def begin() -> Database:
            try:
                return stack.enter_context(engine(url, settings))
            except DBAPIError as error:
                if isinstance(error.orig, psycopg.OperationalError):
                    raise error.orig from error
                raise

        yield patiently(settings.headrace_database_wait, begin)


def _config(url: str, executor_id: str, workers: int) -> DBOSConfig:
    # One for whatever is taken, from the engine's own queue as well, and one for each job's commit.
    threads = sum(places(workers).values()) + 2 * workers
    return {
        "name": APPLICATION,
        "system_database_url": engine_url(url).render_as_string(hide_password=False),
        "application_version": VERSION,
        "executor_id": executor_id,
        "serializer": DBOSPortableJSONSerializer(),
        "run_migrations": False,
        "log_level": "ERROR",
        "max_executor_threads": max(32, threads),
        # A frozen process must not hold row locks for a minute, which is the default.
        "sys_db_idle_transaction_timeout_sec": 10,
        "db_engine_kwargs": {
            "pool_pre_ping": False,
            "connect_args": {"application_name": executor_id},
        },
    }
