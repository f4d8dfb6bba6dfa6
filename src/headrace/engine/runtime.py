"""Starting and ending the engine in a process: the one place that launches DBOS."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

from headrace import plugins
from headrace.crashpoints import mark
from headrace.engine import (  # workflows are registered by being there
    afterwards,  # noqa: F401
    discover,
    private,
    recent,
    retention,
    schedule,
    state,
    unasked,
    workflows,  # noqa: F401
)
from headrace.engine.place import new_executor_id
from headrace.engine.queues import (
    APART,
    APPLICATION,
    INSIGHTS,
    JOBS,
    NOTICES,
    STAGES,
    VERSION,
    is_stage,
)
from headrace.engine.recovery import LOOK_SECONDS, Recovery
from headrace.engine.regularly import Regularly
from headrace.engine.sweep import SWEEP_SECONDS, sweep
from headrace.engine.takeover import Liveness
from headrace.errors import HeadraceError
from headrace.settings import Settings
from headrace.store.database import Database
from headrace.store.migrate import engine_url
from headrace.store.projection import target
from headrace.vault import Vault

_POLL_SECONDS = 0.2
"""DBOS polls its queues: its default of one second would be felt by a person waiting, and twenty
times a second costs an idle laptop a tenth of a core (measured; at five times, a twentieth)."""

_LEAVE_SECONDS = 5.0


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


@contextmanager
def engine(url: str, settings: Settings) -> Iterator[Database]:
    """Run jobs in this process while the context lasts. `url` is a migrated database."""
    check()
    settings.insight_kinds(plugins.insight_kinds())  # a wrong name is better known now
    me = new_executor_id()
    workers = settings.headrace_workers
    database = Database(url, name=me, connections=workers * 4 + 8).open()
    state.enter(state.State(database, settings, Vault.from_settings(settings)))
    liveness = Liveness(database, me)
    chores = [
        Regularly("recovery", LOOK_SECONDS, Recovery(database, me).look),
        Regularly("schedule", schedule.LOOK_SECONDS, partial(schedule.catch_up, database)),
        Regularly("sweeper", SWEEP_SECONDS, partial(sweep, database)),
        Regularly("retention", retention.LOOK_SECONDS, partial(retention.look, database, settings)),
        Regularly(
            "recent",
            recent.COUNT_SECONDS,
            partial(recent.count, database, settings.headrace_recent_hours),
        ),
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
    liveness.register()
    mark("registered")
    DBOS(config=_config(url, me))
    try:
        DBOS.launch()
        for queue in (JOBS, STAGES, APART, NOTICES, INSIGHTS):
            DBOS.register_queue(
                queue,
                worker_concurrency=1 if queue in {APART, INSIGHTS} else workers,
                polling_interval_sec=_POLL_SECONDS,
                on_conflict="always_update",
            )
        mark("launched")
        liveness.start()
        for chore in chores:
            chore.start()
        yield database
    finally:
        for chore in chores:
            chore.stop()
        _leave()
        liveness.stop()
        DBOS.destroy()
        database.close()


def _leave() -> None:
    """Take no more work, and give the stages being run a moment to end: they are threads, which
    cannot be stopped. A walk can, anywhere; it loses what it has not committed. So can a stage that
    stands apart: it commits as it goes."""
    private.take_no_more()
    until = time.monotonic() + _LEAVE_SECONDS
    while any(map(_is_waited_for, private.running())) and time.monotonic() < until:
        time.sleep(0.01)
    private.say_no_more()


def _is_waited_for(workflow_id: str) -> bool:
    one = plugins.stages().get(workflow_id.split(":")[1]) if is_stage(workflow_id) else None
    return one is not None and not one.apart


def _config(url: str, executor_id: str) -> DBOSConfig:
    return {
        "name": APPLICATION,
        "system_database_url": engine_url(url).render_as_string(hide_password=False),
        "application_version": VERSION,
        "executor_id": executor_id,
        "serializer": DBOSPortableJSONSerializer(),
        "run_migrations": False,
        "log_level": "ERROR",
        "max_executor_threads": 32,
        # A frozen process must not hold row locks for a minute, which is the default.
        "sys_db_idle_transaction_timeout_sec": 10,
        "db_engine_kwargs": {
            "pool_pre_ping": False,
            "connect_args": {"application_name": executor_id},
        },
    }
