"""The contenders, each run in a process of its own: `python -m benchmarks.contenders NAME ...`.

All land the events of the same twin into the same PostgreSQL; each prints one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import aiohttp
import httpx2
import psycopg
from pydantic import BaseModel

from headrace.store.landing import RAW_TYPES
from headrace.twin import Events

SEED = 1
COMMIT = 10_000

RAW = """
CREATE TABLE bench.{name} (
  tenant_id text COLLATE "C" NOT NULL, stream_id bigint NOT NULL,
  source_id text COLLATE "C" NOT NULL, version integer NOT NULL,
  user_id text COLLATE "C" NOT NULL, content_hash bytea NOT NULL, batch_id bigint NOT NULL,
  occurred_at timestamptz, payload bytea NOT NULL,
  PRIMARY KEY (stream_id, source_id, version, tenant_id))
"""

LOOP = """
CREATE TABLE bench.events (id uuid PRIMARY KEY, type text, name text, user_id uuid,
  session_id uuid, occurred_at timestamptz, properties jsonb);
CREATE TABLE bench.checkpoints (id int PRIMARY KEY, cursor text)
"""

Measured = dict[str, float]


def _fresh(url: str, statement: str) -> psycopg.Connection:
    connection = psycopg.connect(url, autocommit=True)
    connection.execute("DROP SCHEMA IF EXISTS bench CASCADE")
    connection.execute("CREATE SCHEMA bench")
    for one in statement.split(";"):
        connection.execute(one)
    return connection


def raw_copy(url: str, base: str, total: int, page: int) -> Measured:
    """The physical limit: rows that are in memory already, into the table with its key."""
    del base, page
    types = ("text", "text", "int8", "text", "int4", "bytea", "int8", "timestamptz", "bytea")
    events = Events(SEED, 0, 0)
    moment = datetime.now(UTC)
    rows = [
        ("default", "me", 1, str(key), 1, bytes(16), 1, moment, bytes(body))
        for key, body in zip(events.ids(0, total), events.rows(0, total), strict=True)
    ]
    connection = _fresh(url, RAW.format(name="raw"))
    began = time.perf_counter()
    for start in range(0, total, COMMIT):
        with (
            connection.transaction(),
            connection.cursor().copy(
                "COPY bench.raw (tenant_id, user_id, stream_id, source_id, version, content_hash,"
                " batch_id, occurred_at, payload) FROM STDIN (FORMAT binary)"
            ) as copy,
        ):
            copy.set_types(types)
            for row in rows[start : start + COMMIT]:
                copy.write_row(row)
    return {"seconds": time.perf_counter() - began}


def landing(url: str, base: str, total: int, page: int) -> Measured:
    """Headrace's landing alone: records in memory, committed with batch, checkpoint and fence."""
    del base, page
    from headrace.engine.schema import prepare
    from headrace.provider import Record, StreamPlan
    from headrace.store import checkpoints, connections
    from headrace.store.database import Database
    from headrace.store.landing import Gathered, Landing

    events = Events(SEED, 0, 0)
    moment = datetime.now(UTC)
    records = [
        Record(str(key), bytes(body), moment)
        for key, body in zip(events.ids(0, total), events.rows(0, total), strict=True)
    ]
    _empty(url)
    prepare(url)
    database = Database(url).open()
    with database.transaction() as session:
        owner = connections.save(
            session, tenant="default", user="me", provider="rest", name="bench", config={}
        )
        part = connections.plan(session, owner, [StreamPlan("events")])[0]
        claimed = checkpoints.claim(
            session, tenant="default", user="me", stream_id=part.stream_id, slice_="", job_id="b"
        )
    way = Landing(database, claimed, lambda _connection, _batch: None)
    began = time.perf_counter()
    for start in range(0, total, COMMIT):
        way.land(
            Gathered(
                records=records[start : start + COMMIT],
                bad=[],
                cursor_before=start,
                cursor_after=start + COMMIT,
                complete=False,
                pages=1,
                payload_bytes=0,
                cursor_hashes=[],
            )
        )
    seconds = time.perf_counter() - began
    database.close()
    return {"seconds": seconds}


def ready_rows(url: str, base: str, total: int, page: int) -> Measured:
    """What PostgreSQL takes for the whole product: the rows of `raw_events` and `events`, made
    beforehand, by COPY into Headrace's own tables with all their indexes, on two connections."""
    del base, page
    from headrace.engine.schema import prepare
    from headrace.plugins import stages
    from headrace.rows import EventRow
    from headrace.stage import RawEvent, StreamContext
    from headrace.store.database import connect
    from headrace.store.projection import target
    from headrace.store.sql import query

    events = Events(SEED, 0, 0)
    moment = datetime.now(UTC)
    raws = [
        RawEvent(str(key), 1, moment, bytes(body))
        for key, body in zip(events.ids(0, total), events.rows(0, total), strict=True)
    ]
    context = StreamContext("rest", "events", "application/json", "{}")
    made = list(stages()["normalize_events"].run(raws, context))
    batches = range(0, total, COMMIT)
    _empty(url)
    prepare(url)

    def by_id(row: Any) -> str:
        return str(row.source_id)

    def raw() -> None:
        with connect(url) as session:
            for at in batches:
                with (
                    session.transaction(),
                    session.cursor().copy(query("landing", "copy_raw")) as copy,
                ):
                    copy.set_types(RAW_TYPES)
                    for one in sorted(raws[at : at + COMMIT], key=by_id):
                        copy.write_row(
                            (
                                "default",
                                "me",
                                1,
                                at,
                                1,
                                one.source_id,
                                bytes(16),
                                moment,
                                one.payload,
                            )
                        )

    def projected() -> None:
        with connect(url) as session:
            for at in batches:
                rows = sorted(made[at : at + COMMIT], key=by_id)
                with session.transaction():
                    target(EventRow).copy(
                        session, "headrace.events", ("default", "me", 1, at), rows
                    )

    began = time.perf_counter()
    with ThreadPoolExecutor() as both:
        for writer in [both.submit(raw), both.submit(projected)]:
            writer.result()
    return {"seconds": time.perf_counter() - began}


def floor(url: str, base: str, total: int, page: int) -> Measured:
    """The network's floor: every page fetched one after another, and thrown away."""
    del url, total

    async def drain() -> float:
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            began = time.perf_counter()
            cursor: str | None = None
            while True:
                params = {"limit": str(page), **({"cursor": cursor} if cursor else {})}
                async with session.get(f"{base}/events", params=params) as answer:
                    body = await answer.read()
                tail = body[body.rindex(b'"pagination"') :]
                cursor = json.loads(b"{" + tail)["pagination"]["nextCursor"]
                if not cursor:
                    return time.perf_counter() - began

    return {"seconds": asyncio.run(drain())}


class _Session(BaseModel):
    id: str
    deviceType: str  # noqa: N815 - the API's own names
    browser: str


class _Event(BaseModel):
    id: str
    sessionId: str  # noqa: N815
    userId: str  # noqa: N815
    type: str
    name: str
    properties: dict[str, Any]
    timestamp: str | int
    session: _Session


def plain_loop(url: str, base: str, total: int, page: int) -> Measured:
    """What a careful person writes in an hour: fetch, validate, insert, checkpoint, commit."""
    del total
    connection = _fresh(url, LOOP)
    with httpx2.Client(base_url=base, timeout=30) as client:
        began = time.perf_counter()
        cursor: str | None = None
        while True:
            params: dict[str, Any] = {"limit": page, **({"cursor": cursor} if cursor else {})}
            answer = client.get("/events", params=params).raise_for_status().json()
            events = [_Event.model_validate(one) for one in answer["data"]]
            rows = [
                (e.id, e.type, e.name, e.userId, e.sessionId, _when(e.timestamp), e.properties)
                for e in events
            ]
            cursor = answer["pagination"]["nextCursor"]
            with connection.transaction():
                with connection.cursor() as session:
                    session.executemany(
                        "INSERT INTO bench.events VALUES (%s, %s, %s, %s, %s, %s, %s)"
                        " ON CONFLICT DO NOTHING",
                        [(*row[:6], json.dumps(row[6])) for row in rows],
                    )
                connection.execute(
                    "INSERT INTO bench.checkpoints VALUES (1, %s)"
                    " ON CONFLICT (id) DO UPDATE SET cursor = excluded.cursor",
                    [cursor],
                )
            if not cursor:
                return {"seconds": time.perf_counter() - began}


def _when(value: str | int) -> datetime:
    if isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC)
    return datetime.fromisoformat(value)


def headrace(url: str, base: str, total: int, page: int) -> Measured:
    """The product: a job that lands, deduplicates, keeps the raw, projects and makes searchable."""
    from headrace.engine import intake
    from headrace.engine.progress import FINAL, progress
    from headrace.engine.runtime import engine
    from headrace.engine.schema import prepare
    from headrace.settings import load

    _empty(url)
    prepare(url)
    settings = load(api_base_url=base, batch_size=page, database_url=url, api_key=None)
    with engine(url, settings) as database:
        # The queues of a new database are noticed within a second of the engine's start.
        time.sleep(1.5)
        began = time.perf_counter()
        with database.transaction() as session:
            row = intake.connect(
                session, "default", "me", intake.rest_environment(settings), settings
            )
            job_id = intake.submit_sync(session, row)["job_id"]
        landed = 0.0
        while True:
            with database.connection() as session:
                state = progress(session, job_id)
            if state.status in FINAL and not landed:
                landed = time.perf_counter() - began
            if state.settled:
                break
            time.sleep(0.05)
        seconds = time.perf_counter() - began
        with database.connection() as session:
            row = session.execute("SELECT count(*) AS n FROM headrace.events").fetchone() or {}
    if state.status != "SUCCEEDED" or row["n"] != total:
        raise SystemExit(f"headrace landed {row['n']} of {total}: {state}")
    return {"seconds": seconds, "landed": landed}


def _empty(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for schema in ("headrace", "dbos", "bench"):
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        connection.execute("CHECKPOINT")


ALL: dict[str, Callable[[str, str, int, int], Measured]] = {
    "raw COPY": raw_copy,
    "landing alone": landing,
    "ready rows": ready_rows,
    "network floor": floor,
    "plain loop": plain_loop,
    "headrace": headrace,
}


def main() -> None:
    """NAME URL BASE TOTAL PAGE: run one contender and print what it measured."""
    name, url, base, total, page = sys.argv[1:]
    before = os.times()
    found = ALL[name](url, base, int(total), int(page))
    after = os.times()
    found["cpu"] = after.user + after.system - before.user - before.system
    found["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
