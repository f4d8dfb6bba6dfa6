"""How things stand now: what waits, who works, how fresh each source is, what was put aside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from headrace.out import queues
from headrace.out.metrics import labels
from headrace.store.database import Connection
from headrace.store.sql import query

HEALTHS = ("active", "paused", "needs_reauth", "error")

Told = tuple[Sequence[str], float]
"""A number, and the words that say of what it is."""


def standing(connection: Connection, *, each: int) -> Iterator[Metric]:
    """All of it, at one moment; the freshness of the first `each` connections by their ids."""
    with connection.transaction():
        connection.execute(query("metrics", "manners"))
        yield from _work(connection)
        yield from _sources(connection, each)
        yield from _keeping(connection)


def gauge(name: str, said: str, words: Sequence[str], told: Iterable[Told]) -> Metric:
    """A number that goes up and down. The same words told twice are one, with their sum."""
    made = GaugeMetricFamily(f"headrace_{name}", said, labels=words)
    return _filled(made, told)


def _counter(name: str, said: str, words: Sequence[str], told: Iterable[Told]) -> Metric:
    return _filled(CounterMetricFamily(f"headrace_{name}", said, labels=words), told)


def _filled(made: Any, told: Iterable[Told]) -> Metric:
    sums: dict[tuple[str, ...], float] = {}
    for words, number in told:
        sums[tuple(words)] = sums.get(tuple(words), 0) + number
    for values, number in sums.items():
        made.add_metric(values, number)
    filled: Metric = made
    return filled


def _rows(connection: Connection, name: str, **values: Any) -> list[dict[str, Any]]:
    return connection.execute(query("metrics", name), values).fetchall()


def _work(connection: Connection) -> Iterator[Metric]:
    alive = queues.workers_alive(connection)
    yield gauge("workers", "Processes that run jobs.", (), [((), alive)])
    seen = queues.look(connection)
    yield gauge(
        "queue_waiting",
        f"Work that waits on a queue, counted to {queues.MOST}.",
        ["queue"],
        [([one.queue], one.waiting) for one in seen],
    )
    yield gauge(
        "queue_oldest_seconds",
        "How long the oldest of it has waited.",
        ["queue"],
        [([one.queue], one.oldest_seconds) for one in seen],
    )
    nothing: list[Told] = [
        ((kind, status), 0) for kind in labels.kinds() for status in ("PENDING", "RUNNING")
    ]
    unfinished = [
        ((labels.word(row["kind"], labels.kinds()), row["status"]), row["jobs"])
        for row in _rows(connection, "jobs")
    ]
    yield gauge("jobs", "Jobs that are not over.", ["kind", "status"], [*nothing, *unfinished])
    none: list[Told] = [(("record", one), 0) for one in (*labels.stage_names(), "landing")]
    letters = [
        ((row["level"], labels.word(row["stage"], labels.refusers())), row["letters"])
        for row in _rows(connection, "dead_letters")
    ]
    yield gauge(
        "dead_letters",
        "Dead letters that are open.",
        ["level", "stage"],
        [*none, (("job", "job"), 0), *letters],
    )
    [row] = _rows(connection, "schedules")
    yield gauge("schedules_overdue", "Schedules due for over a minute.", (), [((), row["overdue"])])


def _sources(connection: Connection, each: int) -> Iterator[Metric]:
    rows = _rows(connection, "connections")
    for row in rows:
        row["provider"] = labels.word(row["provider"], labels.provider_names())
    there = sorted({row["provider"] for row in rows})
    zero: list[Told] = [((name, health), 0) for name in there for health in HEALTHS]
    yield gauge(
        "connections",
        "Connections by how they are.",
        ["provider", "health"],
        [*zero, *(((row["provider"], row["health"]), row["connections"]) for row in rows)],
    )
    ages = [row for row in rows if row["health"] != "paused"]
    for name, said, best, column in (
        ("source_stalest_seconds", "Since the stalest one was synced.", max, "oldest"),
        ("source_freshest_seconds", "Since the freshest one was synced.", min, "newest"),
    ):
        told = {
            provider: best(row[column] for row in ages if row["provider"] == provider)
            for provider in sorted({row["provider"] for row in ages})
        }
        yield gauge(
            name,
            f"{said} Paused connections are left out.",
            ["provider"],
            [([provider], age) for provider, age in told.items()],
        )
    yield gauge(
        "connection_age_seconds",
        "Since a connection was synced; of the first HEADRACE_METRICS_CONNECTIONS.",
        ["connection", "provider"],
        [
            (
                (row["connection_id"], labels.word(row["provider"], labels.provider_names())),
                row["age"],
            )
            for row in (_rows(connection, "each_connection", most=each) if each else ())
        ],
    )
    yield from _allowances(connection)


def _allowances(connection: Connection) -> Iterator[Metric]:
    rows = [
        row for row in _rows(connection, "allowances") if row["provider"] in labels.provider_names()
    ]
    for name, said, column in (
        ("allowances", "Accounts whose calls are counted.", "allowances"),
        ("allowance_least_share", "The least share of a rate used after a refusal.", "share"),
        ("allowance_least_remaining", "The least share of a window that is left.", "remaining"),
        ("allowance_longest_wait_seconds", "The longest wait for what was drawn.", "wait"),
    ):
        told = [([row["provider"]], row[column]) for row in rows]
        yield gauge(name, said, ["provider"], told)


def _keeping(connection: Connection) -> Iterator[Metric]:
    rows = _rows(connection, "retention")
    removed = [([row["subject"]], row["removed"]) for row in rows]
    yield _counter("retention_removed_rows", "Rows that went.", ["subject"], removed)
    freed = [([row["subject"]], row["removed_bytes"]) for row in rows]
    yield _counter("retention_removed_bytes", "About how many bytes.", ["subject"], freed)
    passed = [([row["subject"]], row["passed_at"]) for row in rows if row["passed_at"]]
    said = "When a subject was last passed through, in Unix seconds."
    yield gauge("retention_passed_timestamp_seconds", said, ["subject"], passed)
    [row] = _rows(connection, "redis")
    yield gauge("redis_untold", "Ends of jobs that Redis is to be told.", (), [((), row["untold"])])
    [row] = _rows(connection, "size")
    yield gauge("database_bytes", "The database on disk.", (), [((), row["bytes"])])
