"""Work starts at once, and a worker that has nothing to do asks next to nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headrace.engine import dispatch
from headrace.engine.queues import APPLICATION, JOBS, VERSION, enqueue
from headrace.store import jobs

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

Running = Callable[..., AbstractContextManager[Any]]

FOR_EVER = 3_600.0


def unannounced(bench: Bench, name: str) -> str:
    """A job whose workflow was enqueued by somebody who says nothing of it."""
    row = bench.connect(name)
    with bench.database.transaction() as session:
        job, _ = jobs.create(
            session,
            tenant=row["tenant_id"],
            user=row["user_id"],
            kind="probe_sync",
            connection_id=row["connection_id"],
        )
        session.execute(
            "SELECT dbos.enqueue_workflow(workflow_name => 'headrace.job', queue_name => %s,"
            " workflow_id => %s, positional_args => %s::json[], app_version => %s,"
            " application_name => %s)",
            [JOBS, job["job_id"], [json.dumps(job["job_id"]), "1"], VERSION, APPLICATION],
        )
    return str(job["job_id"])


def test_work_starts_when_it_is_enqueued_and_when_there_is_room(
    bench: Bench, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A3.37: by word of whoever enqueued it, or of what has left: here nobody ever looks
    again. One place, and more jobs than that; some of them before there is a worker."""
    monkeypatch.setattr(dispatch, "LOOK_SECONDS", FOR_EVER)
    made = [bench.submit(bench.connect(f"before {n}")) for n in range(3)]
    with running(headrace_workers=1):
        bench.settled(*made)
        made += [bench.submit(bench.connect(f"after {n}")) for n in range(5)]
        bench.settled(*made)
    assert {bench.job(one)["status"] for one in made} == {"SUCCEEDED"}


def test_what_is_delayed_starts_when_it_is_due(bench: Bench, running: Running) -> None:
    """Neither before nor a look later."""
    with running():
        job = bench.submit(bench.connect())
        bench.settled(job)
        due = datetime.now(UTC) + timedelta(seconds=1.5)
        with bench.database.transaction() as session:
            # Its turn is over: it ends at once. When it began is what counts.
            enqueue(session, "headrace.job", "late", job, 1, queue=JOBS, not_before=due)
        began = "SELECT started_at_epoch_ms FROM dbos.workflow_status WHERE workflow_uuid = 'late'"
        bench.until(lambda: bench.one(began) is not None)
        late = bench.one(began) / 1000 - due.timestamp()
    assert 0 <= late < 0.8


def test_an_idle_worker_asks_less_than_five_times_a_second(
    bench: Bench, running: Running, database_log: Callable[[], list[str]]
) -> None:
    """Covers A3.37: as PostgreSQL counts statements, BEGIN and COMMIT included. What was enqueued
    without a word is found all the same, a second later."""
    with running():
        bench.settled(bench.submit(bench.connect()))
        time.sleep(2)
        before, began = len(database_log()), time.monotonic()
        time.sleep(12)  # what is done every ten seconds is in it
        said = database_log()[before:]
        seconds = time.monotonic() - began
        job = unannounced(bench, "unannounced")
        bench.until(lambda: bench.job(job)["started_at"] is not None, seconds=10)
        row = bench.job(job)
    print(f"{len(said) / seconds:.1f} statements a second")
    assert len(said) / seconds < 5, "\n".join(said)
    assert (row["started_at"] - row["created_at"]).total_seconds() < dispatch.LOOK_SECONDS + 2


@pytest.fixture
def database_log(bench: Bench, url: str) -> Callable[[], list[str]]:
    """What sessions that begin from now on have the server do, statement by statement."""
    name = url.split("?")[0].rsplit("/", 1)[1]
    with bench.database.connection() as session:
        session.execute(f"ALTER DATABASE {name} SET log_statement = 'all'".encode())
    file = Path(bench.one("SHOW data_directory"), bench.one("SELECT pg_current_logfile()"))

    def lines() -> list[str]:
        text = file.read_text("utf-8", errors="replace")
        return [one for one in text.splitlines() if " statement: " in one or " execute " in one]

    return lines
