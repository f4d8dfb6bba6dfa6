"""Work that waits too long is seen: its age as a number, an alarm, a probe through each queue."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

from headrace import telemetry
from headrace.engine.probing import probe
from headrace.engine.queues import JOBS, NOTICES, QUEUES, enqueue
from headrace.engine.waiting import look, watch
from headrace.out import queues

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

Running = Callable[..., AbstractContextManager[Any]]


def age(bench: Bench, name: str, seconds: float) -> None:
    bench.rows(
        "UPDATE dbos.workflow_status SET created_at = created_at - %s * 1000"
        " WHERE workflow_uuid = %s RETURNING status",
        seconds,
        name,
    )


def seconds(bench: Bench) -> dict[str, float]:
    with bench.database.connection() as session:
        return {one.queue: one.oldest_seconds for one in look(session) if one.waiting}


def test_how_long_the_oldest_has_waited(bench: Bench) -> None:
    """Covers A3.27: of what could run: what waits for its time does not count, and what has waited
    for its time counts from then on."""
    assert seconds(bench) == {}
    old, new = bench.submit(bench.connect("a")), bench.submit(bench.connect("b"), priority="low")
    age(bench, old, 50)
    age(bench, new, 100)
    assert list(seconds(bench)) == [JOBS]
    assert 100 <= seconds(bench)[JOBS] < 130
    bench.rows("UPDATE dbos.workflow_status SET status = 'DELAYED' RETURNING status")
    assert seconds(bench) == {}
    bench.rows(
        "UPDATE dbos.workflow_status SET status = 'ENQUEUED',"
        " delay_until_epoch_ms = extract(epoch FROM now()) * 1000 - 7000 RETURNING status"
    )
    assert 7 <= seconds(bench)[JOBS] < 30


def test_it_is_said_once_when_it_begins_and_once_when_it_ends(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    """Covers A3.27: whoever looks, and however often."""
    job = bench.submit(bench.connect())
    telemetry.configure("INFO")
    watch(bench.database, 300)
    age(bench, job, 400)
    for _ in range(3):
        watch(bench.database, 300)
    bench.rows("UPDATE dbos.workflow_status SET status = 'PENDING' RETURNING status")
    for _ in range(2):
        watch(bench.database, 300)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["queued_too_long", "queued_no_longer"]
    assert lines[0]["queue"] == JOBS
    assert 400 <= lines[0]["oldestSeconds"] < 430


def test_a_probe_comes_back_through_each_queue(bench: Bench, running: Running) -> None:
    """Covers A3.27: where somebody works; and what is left of one that nobody took is nothing."""
    assert probe(bench.database, 0.1) == dict.fromkeys(QUEUES)
    assert bench.one("SELECT count(*) FROM dbos.workflow_status") == 0
    with bench.database.connection() as session:
        assert queues.workers_alive(session) == 0
    seen = []
    with running():
        with bench.database.transaction() as session:
            enqueue(session, "headrace.probe", "p", queue=NOTICES)
            assert queues.workers_alive(session) == 1
        took = probe(bench.database, 30, lambda queue, _: seen.append(queue))
    assert sorted(seen) == sorted(QUEUES)
    assert all(one is not None and one < 30 for one in took.values())
