"""`make bench-fairness`: how soon new mail is searchable while another tenant's backfill runs.

Many streams of many tenants are due every so often, by the real schedule; each has one new message
then. Delays are from the moment that a connection was due until its message was worked through by
its stage. First nothing else runs; then one tenant brings in very many events at once, over more
connections than the workers have places.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.docs import write
from benchmarks.machine import describe
from headrace.engine.schema import prepare
from headrace.store.embedded import postgres

SOURCE = Path(__file__).parent / "fairness_source.py"
HEAD = "| while | messages | p50 s | p95 s | max s | aim | reached |\n|---|---|---|---|---|---|---|"
AIM_SECONDS = 10.0
"""For p95, beside a backfill: "not by more than seconds"."""

# When each was due is in its schedule's row until that moves on: kept by a trigger.
_KEEP = """
CREATE TABLE public.due (connection_id text, due timestamptz);
CREATE FUNCTION public.keep_due() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF OLD.next_at <= now() THEN
    INSERT INTO public.due VALUES (OLD.connection_id, OLD.next_at);
  END IF;
  RETURN NEW; END $$;
CREATE TRIGGER keep_due BEFORE UPDATE OF next_at ON headrace.schedules
  FOR EACH ROW EXECUTE FUNCTION public.keep_due();
"""

_CONNECTED = """
WITH connected AS (
  INSERT INTO headrace.connections (tenant_id, user_id, connection_id, provider, name, config,
    trusted, health)
  SELECT {tenant}, 'u', {name} || n, 'fairness', {name} || n, {config}, true, 'active'
  FROM generate_series(1, %(streams)s) n RETURNING *)
INSERT INTO headrace.schedules (tenant_id, schedule_id, user_id, kind, connection_id, spec,
  every_seconds, next_at)
SELECT tenant_id, connection_id, user_id, 'sync', connection_id, 'every ' || %(every)s || 's',
  %(every)s, {due} FROM connected
"""

# Due in the first `every` seconds at even distances, and then as the schedule spreads them.
_CONNECT = _CONNECTED.format(
    tenant="'tenant' || n %% %(tenants)s",
    name="'mail'",
    config="""'{"total": 0}'::jsonb""",
    due="now() + make_interval(secs => 5 + %(every)s * row_number() OVER () / %(streams)s::float)",
)

_BACKFILL = _CONNECTED.format(
    tenant="'big'",
    name="'big'",
    config="jsonb_build_object('total', %(each)s::int, 'latency_ms', 5)",
    due="now()",
)

_DELAYS = """
SELECT extract(epoch FROM done.at - d.due)::float AS delay
FROM public.due d CROSS JOIN LATERAL (
  SELECT min(r.finished_at) AS at FROM headrace.streams s
  JOIN headrace.batches b USING (tenant_id, stream_id)
  JOIN headrace.stage_runs r USING (tenant_id, batch_id)
  WHERE s.connection_id = d.connection_id AND r.finished_at >= d.due) done
WHERE d.connection_id LIKE 'mail%%' AND d.due >= %(since)s AND d.due < %(until)s
"""


@contextmanager
def workers(url: str, folder: Path, count: int) -> Iterator[None]:
    """Processes that run jobs, with the source installed."""
    plugins = folder / "plugins"
    info = plugins / "fairness_source-1.dist-info"
    info.mkdir(parents=True)
    (plugins / SOURCE.name).write_bytes(SOURCE.read_bytes())
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fairness_source\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[headrace.providers]\nf = fairness_source\n[headrace.stages]\nf = fairness_source\n"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("API_", "HEADRACE_"))}
    mine = {"DATABASE_URL": url, "HEADRACE_HOME": str(folder), "PYTHONPATH": str(plugins)}
    mine["LOG_LEVEL"] = "WARNING"
    command = [sys.executable, "-m", "headrace.cli", "worker"]
    started = [subprocess.Popen(command, env={**kept, **mine}) for _ in range(count)]
    try:
        yield
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.wait(30)


def rows(url: str, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """What a query answers."""
    with psycopg.connect(url) as connection:
        answered = connection.execute(query.encode(), values or None)
        return answered.fetchall() if answered.description else []


def phase(url: str, seconds: float, patience: float = 120) -> list[float]:
    """The delays of what was due in the next so many seconds, once all of it is there. What never
    comes counts as the patience."""
    [[since]] = rows(url, "SELECT now()")
    time.sleep(seconds)
    [[until]] = rows(url, "SELECT now()")
    end = time.monotonic() + patience
    while True:
        found = [one for [one] in rows(url, _DELAYS, since=since, until=until)]
        if None not in found or time.monotonic() > end:
            return [patience if one is None else one for one in found]
        time.sleep(0.5)


def line(name: str, delays: list[float], aim: str, most: float | None) -> str:
    """A line of the table."""
    cut = statistics.quantiles(delays, n=100, method="inclusive")
    p95 = cut[94]
    reached = "" if most is None else "yes" if p95 < most else "**no**"
    print(f"{name}: p50 {cut[49]:.2f}, p95 {p95:.2f}, max {max(delays):.2f} s", flush=True)
    return (
        f"| {name} | {len(delays):,} | {cut[49]:.2f} | {p95:.2f} | {max(delays):.2f} |"
        f" {aim} | {reached} |"
    )


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1_000)
    parser.add_argument("--tenants", type=int, default=100)
    parser.add_argument("--every", type=int, default=120, help="seconds between a stream's syncs")
    parser.add_argument("--seconds", type=float, default=240, help="of each phase")
    parser.add_argument("--backfill", type=int, default=1_000_000, help="events")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--no-write", action="store_true")
    wanted = parser.parse_args()
    places = 4 * wanted.workers
    folder = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    folder.chmod(0o755)
    with postgres(folder / "postgres") as url:
        prepare(url)
        rows(url, _KEEP)
        values = {"streams": wanted.streams, "tenants": wanted.tenants, "every": wanted.every}
        with workers(url, folder, wanted.workers):
            rows(url, _CONNECT, **values)
            time.sleep(5 + wanted.every)  # each stream's first walk does not count
            lines = [line("nothing else runs", phase(url, wanted.seconds), "", None)]
            connections = 2 * places
            each = wanted.backfill // connections
            rows(url, _BACKFILL, streams=connections, each=each, every=86_400)
            beside = phase(url, wanted.seconds)
            aim = f"p95 < {AIM_SECONDS:g} s"
            lines.append(line("another tenant's backfill runs", beside, aim, AIM_SECONDS))
            [[landed, made, running]] = rows(
                url,
                "SELECT (SELECT count(*) FROM headrace.raw_events WHERE tenant_id = 'big'),"
                " (SELECT count(*) FROM headrace.events WHERE tenant_id = 'big'),"
                " (SELECT count(*) FROM headrace.jobs WHERE tenant_id = 'big'"
                "  AND status IN ('PENDING', 'RUNNING'))",
            )
    said = (
        f"The backfill: {wanted.backfill:,} events over {connections} connections of one tenant;"
        f" at the end {landed:,} were landed, {made:,} of them searchable, and {running} of its"
        " jobs not over."
    )
    measured = (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {describe()}, PostgreSQL embedded, fsync on,"
        f" all on the same cores. `make bench-fairness`: {wanted.streams:,} streams of"
        f" {wanted.tenants:,} tenants, each due every {wanted.every} s; {wanted.workers} workers of"
        " 4 places."
    )
    text = "\n\n".join([measured, "\n".join([HEAD, *lines]), said])
    print(text)
    if not wanted.no_write:
        write("bench-fairness", text)


if __name__ == "__main__":
    main()
