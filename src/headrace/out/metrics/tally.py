"""What has happened since this process was first asked: jobs that ended, commits, runs of stages.

Each look adds what has come since the last one. What has been removed meanwhile, as retention does,
stays counted: Prometheus would take a number that falls for a new beginning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from headrace.out.metrics import labels
from headrace.store.database import Connection
from headrace.store.sql import query

JOB_SECONDS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)
STAGE_SECONDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0)

_LONGEST = 300.0
"""Seconds: a transaction that is open for longer is not waited for."""
_MARGIN = 1.0
"""Seconds from when a transaction begins to when others see that it has."""

_OUTCOMES = ("inserted", "unchanged", "dead_lettered")
_ROWS = {"in": "rows_in", "out": "rows_out", "dead_lettered": "dead_lettered"}


class Spread:
    """How long things took: how many up to each bound, and all their seconds."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.seconds = 0.0

    def add(self, bucket: int, count: int, seconds: float) -> None:
        """So many more that took between two bounds."""
        self.counts[bucket] += count
        self.seconds += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """As Prometheus has them: each holds those before it."""
        told, through = [], 0
        names = [f"{one:g}" for one in self.bounds] + ["+Inf"]
        for name, count in zip(names, self.counts, strict=True):
            through += count
            told.append((name, float(through)))
        return told


Counts = defaultdict[tuple[str, ...], float]


class Tally:
    """Counters that only grow, from the tables. Every word that is known begins at nothing: the
    first of a kind would not be seen to have been added otherwise."""

    def __init__(self, margin: float = _MARGIN) -> None:
        self._margin = margin
        self._since: datetime | None = None
        self.jobs: Counts = defaultdict(float)
        self.records: Counts = defaultdict(float)
        self.bytes: Counts = defaultdict(float)
        self.commits: Counts = defaultdict(float)
        self.runs: Counts = defaultdict(float)
        self.rows: Counts = defaultdict(float)
        self.job_seconds = {kind: Spread(JOB_SECONDS) for kind in _with_other(labels.kinds())}
        self.stage_seconds = {
            stage: Spread(STAGE_SECONDS) for stage in _with_other(labels.stage_names())
        }
        for kind in _with_other(labels.kinds()):
            for status in labels.FINAL:
                self.jobs[kind, status] = 0
        for provider in _with_other(labels.provider_names()):
            self.bytes[(provider,)] = self.commits[(provider,)] = 0
            for outcome in _OUTCOMES:
                self.records[provider, outcome] = 0
        for stage in _with_other(labels.stage_names()):
            for end in ("done", "given_up"):
                self.runs[stage, end] = 0
            for way in _ROWS:
                self.rows[stage, way] = 0

    def look(self, connection: Connection) -> None:
        """Add what has come since the last look; the first only marks where to begin. In a
        connection that is in no transaction."""
        asked = {"longest": _LONGEST, "margin": self._margin}
        row = connection.execute(query("metrics", "settled"), asked).fetchone()
        assert row is not None, "an aggregate always answers"
        until = row["at"]
        since, self._since = self._since, until if self._since is None else self._since
        if since is None or until <= since:
            return
        # All of it or nothing: what fails here is counted by the next look.
        with connection.transaction():
            connection.execute(query("metrics", "manners"))
            between = {"since": since, "until": until}
            jobs = _asked(connection, "jobs_finished", between, JOB_SECONDS)
            landed = _asked(connection, "landed", between)
            runs = _asked(connection, "stage_runs", between, STAGE_SECONDS)
        self._since = until
        self._add(jobs, landed, runs)

    def _add(
        self,
        jobs: list[dict[str, Any]],
        landed: list[dict[str, Any]],
        runs: list[dict[str, Any]],
    ) -> None:
        for row in jobs:
            kind = labels.word(row["kind"], labels.kinds())
            self.jobs[kind, row["status"]] += row["jobs"]
            self.job_seconds[kind].add(row["bucket"], row["jobs"], row["seconds"])
        for row in landed:
            provider = labels.word(row["provider"], labels.provider_names())
            self.commits[(provider,)] += row["commits"]
            self.bytes[(provider,)] += row["bytes"]
            for outcome in _OUTCOMES:
                self.records[provider, outcome] += row[outcome]
        for row in runs:
            stage = labels.word(row["stage"], labels.stage_names())
            self.runs[stage, "given_up" if row["given_up"] else "done"] += row["runs"]
            self.stage_seconds[stage].add(row["bucket"], row["runs"], row["seconds"])
            for way, column in _ROWS.items():
                self.rows[stage, way] += row[column]

    def families(self) -> Iterator[Metric]:
        """All of it, as Prometheus reads it."""
        for name, said, words, counts in (
            ("jobs_finished", "Jobs that ended.", ("kind", "status"), self.jobs),
            ("landed_records", "Records that were fetched.", ("provider", "outcome"), self.records),
            ("landed_bytes", "Bytes of payloads that were landed.", ("provider",), self.bytes),
            ("commits", "Batches that were landed.", ("provider",), self.commits),
            ("stage_runs", "Runs of stages that ended.", ("stage", "outcome"), self.runs),
            ("stage_rows", "Rows that stages read and wrote.", ("stage", "way"), self.rows),
        ):
            counter = CounterMetricFamily(f"headrace_{name}", said, labels=words)
            for values, count in sorted(counts.items()):
                counter.add_metric(values, count)
            yield counter
        yield _histogram("job_seconds", "From a job's start to its end.", "kind", self.job_seconds)
        yield _histogram("stage_seconds", "A stage's run.", "stage", self.stage_seconds)


def _asked(
    connection: Connection,
    name: str,
    between: Mapping[str, Any],
    bounds: tuple[float, ...] = (),
) -> list[dict[str, Any]]:
    values = {**between, "bounds": list(bounds)}
    return connection.execute(query("metrics", name), values).fetchall()


def _histogram(name: str, said: str, label: str, spreads: Mapping[str, Spread]) -> Metric:
    made = HistogramMetricFamily(f"headrace_{name}", said, labels=[label])
    for value, spread in sorted(spreads.items()):
        made.add_metric([value], spread.buckets(), spread.seconds)
    return made


def _with_other(known: tuple[str, ...]) -> tuple[str, ...]:
    return (*known, labels.OTHER)
