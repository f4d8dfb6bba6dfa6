"""Replay: everything below the raw events is made again of them, and no source is asked.

A replay is a job. It walks batches in the order they were landed, runs the stages on each, and
notes how far it is after every few. What dies between two notes is repeated, and leaves the same
rows. A batch on which a stage fails goes to the queue, as it would have when it was landed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
from psycopg.sql import SQL, Composed
from psycopg.types.json import Jsonb

from headrace import telemetry
from headrace.crashpoints import mark
from headrace.engine import jobs, rehearse
from headrace.engine.cascade import run_stage
from headrace.engine.chain import enqueue_again
from headrace.engine.leaving import leaving
from headrace.engine.rehearse import Findings
from headrace.engine.sync import LEG_SECONDS, Outcome
from headrace.errors import BadInput, HeadraceError
from headrace.people import identities
from headrace.plugins import provider, stages, steps, wiring
from headrace.stage import Stage
from headrace.store import listings
from headrace.store.database import Connection, Database
from headrace.store.jobs import JobRow, note, under_way
from headrace.store.sql import query
from headrace.wiring import Step, contents

KIND = "replay"
MOST_DAYS, MOST_BATCHES = 90, 200

_AGAIN_SECONDS = 2.0


class Wanted(msgspec.Struct, kw_only=True):
    """What is to be replayed; what is left out is not narrowed. `batch_size` is how many batches
    are worked through between two notes of how far it is."""

    provider: list[str] = []
    connection: str | None = None
    days: int | None = None
    batch_size: int = 20
    stage: str | None = None
    dry_run: bool = False


class Plan(Wanted, kw_only=True):
    """A replay's payload: what was wanted, of whose rows, and from when on."""

    user: str | None = None
    since: datetime | None = None


class Tally(msgspec.Struct):
    """What a stage has done in a replay."""

    batches: int = 0
    rows_out: int = 0


class Standing(msgspec.Struct):
    """How far a replay is, kept in its job's `summary`: `batches` `of` how many, the last of them
    `at`. `queued` are those that a stage failed on, `handed` those of a stage that stands apart and
    was asked for: the queue goes on with them."""

    of: int
    until: int
    at: int = 0
    batches: int = 0
    records: int = 0
    queued: int = 0
    handed: int = 0
    stages: dict[str, Tally] = {}
    dry_run: bool = False
    findings: Findings | None = None


def submit(
    connection: Connection, tenant: str, user: str, wanted: Wanted, *, of_user: str | None = None
) -> JobRow:
    """Make the job of a replay; one that is under way for the same answers itself. `user` owns the
    job; only rows of `of_user`, where that is named, are replayed. Raises BadInput."""
    plan = _plan(connection, tenant, wanted, of_user)
    payload = msgspec.to_builtins(plan)
    values = {"tenant": tenant, "kind": KIND, "payload": Jsonb(payload)}
    found = connection.execute(query("replay", "under_way"), values).fetchone()
    if found is not None:
        return found
    made, _ = jobs.submit(
        connection,
        tenant=tenant,
        user=user,
        kind=KIND,
        payload=payload,
        priority="low",
        lane="backfill",
    )
    return made


def check(wanted: Wanted) -> None:
    """Raises BadInput for what no replay can be asked for."""
    for name in wanted.provider:
        provider(name)
    if wanted.days is not None and not 1 <= wanted.days <= MOST_DAYS:
        raise BadInput(
            f"A replay goes back 1 to {MOST_DAYS} days, or all the way.",
            hint="Leave the days out to replay everything.",
        )
    if not 1 <= wanted.batch_size <= MOST_BATCHES:
        raise BadInput(
            f"A replay takes 1 to {MOST_BATCHES} batches at a time.", hint="The default is 20."
        )
    if wanted.stage is not None:
        _stage(wanted.stage)


def _plan(connection: Connection, tenant: str, wanted: Wanted, user: str | None) -> Plan:
    check(wanted)
    named = None
    if wanted.connection is not None:
        rows = [
            row
            for row in listings.connections_named(connection, wanted.connection, "")
            if row["tenant_id"] == tenant and user in (None, row["user_id"])
        ]
        if not rows:
            raise BadInput(
                f"There is no connection {wanted.connection!r}.",
                hint="`headrace connections list` shows them.",
            )
        named = str(rows[0]["connection_id"])
    since = None if wanted.days is None else datetime.now(UTC) - timedelta(days=wanted.days)
    asked = {**msgspec.structs.asdict(wanted), "connection": named}
    return Plan(**asked, user=user, since=since)


def _stage(name: str) -> Stage:
    known = stages()
    if name not in known:
        raise BadInput(f"There is no stage {name!r}.", hint="`headrace stages` shows them.")
    return known[name]


def leg(database: Database, job_id: str, turn: int) -> Outcome:
    """Some seconds of a replay: what one durable step covers."""
    until = time.monotonic() + LEG_SECONDS
    while True:
        with database.connection() as connection:
            row = under_way(connection, job_id, turn)
            if row is None:
                return Outcome("stop")
            plan = msgspec.convert(row["payload"], Plan)
            scope = _scope(row["tenant_id"], plan)
            standing = _standing(connection, row, plan, scope)
            batches = _next(connection, scope, standing, plan.batch_size)
        for batch in batches:
            _work(database, row, plan, standing, batch)
        with database.transaction() as connection:
            kept = note(connection, job_id, turn, standing)
        mark("replay-noted")
        if not kept:
            return Outcome("stop")
        if not batches:
            if not plan.dry_run:
                with database.transaction() as connection:
                    identities.rebuild(connection, row["tenant_id"], plan.user)
            return Outcome("done")
        if leaving() or time.monotonic() >= until:
            return Outcome("more", inserted=len(batches))


def _standing(connection: Connection, row: JobRow, plan: Plan, scope: dict[str, Any]) -> Standing:
    if row["summary"]:
        return msgspec.convert(row["summary"], Standing)
    found = connection.execute(_text("size"), scope).fetchone()
    assert found is not None, "an aggregate always answers"
    findings = Findings() if plan.dry_run else None
    return Standing(found["batches"], found["until"], dry_run=plan.dry_run, findings=findings)


def _next(
    connection: Connection, scope: dict[str, Any], standing: Standing, limit: int
) -> list[dict[str, Any]]:
    values = {**scope, "after": standing.at, "until": standing.until, "limit": limit}
    return connection.execute(_text("next"), values).fetchall()


def _work(
    database: Database, row: JobRow, plan: Plan, standing: Standing, batch: dict[str, Any]
) -> None:
    """Run the stages on one batch, or rehearse them."""
    batch_id, run = batch["batch_id"], wanted_steps(batch["content"], plan.stage)
    if standing.findings is not None:
        rehearse.rehearse(database, run, batch_id, standing.findings)
    else:
        stopped: set[str] = set()
        for step in run:
            name = step.stage.name
            if step.stage.apart and name == plan.stage:
                with database.transaction() as connection:
                    enqueue_again(connection, step.stage, batch_id, priority="low")
                standing.handed += 1
            if step.stage.apart or any(one.name in stopped for one in step.before):
                stopped.add(name)
                continue
            rows = _run(database, step.stage, batch_id, row["started_at"])
            if rows is None:
                stopped.add(name)
                standing.queued += 1
                continue
            tally = standing.stages.setdefault(name, Tally())
            tally.batches += 1
            tally.rows_out += rows
    standing.at = batch_id
    standing.batches += 1
    standing.records += batch["inserted"]


def _run(database: Database, one: Stage, batch_id: int, since: datetime) -> int | None:
    """The rows that a stage has written; None where it failed: the queue tries it again, as often
    as it does with a batch that has just been landed."""
    try:
        mark("before-replay")
        return run_stage(database, one.name, batch_id, since=since).rows
    except psycopg.OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a stage raises
        if not isinstance(error, HeadraceError):
            telemetry.bug(f"stage {one.name} on batch {batch_id}", error)
        later = datetime.now(UTC) + timedelta(seconds=_AGAIN_SECONDS)
        with database.transaction() as connection:
            enqueue_again(
                connection, one, batch_id, priority="low", lane="backfill", not_before=later
            )
        return None


def wanted_steps(content: str, stage: str | None) -> Sequence[Step]:
    """The steps on batches of this content: all, or one stage and what hangs on it."""
    return [
        step
        for step in steps(content)
        if stage is None or stage in (one.name for one in step.lineage)
    ]


def _scope(tenant: str, plan: Plan) -> dict[str, Any]:
    all_ = contents(stages().values())
    return {
        "tenant": tenant,
        "user": plan.user,
        "providers": plan.provider or None,
        "connection": plan.connection,
        "since": plan.since,
        "contents": [content for content in all_ if wanted_steps(content, plan.stage)],
    }


def _text(name: str) -> Composed:
    return SQL(query("replay", name).removesuffix(";")).format(
        scope=SQL(query("replay", "scope").removesuffix(";"))
    )


def to_do(connection: Connection) -> list[dict[str, Any]]:
    """For each stage of each content, `done` `of` how many batches it is through with: what is left
    is worked on in the background. As the caller may see them."""
    return connection.execute(query("replay", "to_do"), wiring()).fetchall()
