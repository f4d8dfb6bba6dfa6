"""What this project writes into the engine's own tables, and what the engine makes of it.

Seven statements do: `drain` hands over, `sweep` puts back what is forgotten, `replaced` cancels and
adopts, `lanes` moves up, `probing` and retention delete. A release of DBOS in which one of them
means something else has to fail here.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from dbos import DBOS
from dbos._sys_db import WorkflowStatusString

from headrace import Page, Record
from headrace.engine import drain, lanes, private, probing, replaced, sweep
from headrace.engine.queues import QUEUES, VERSION, enqueue
from headrace.provider import JSON
from headrace.store.sql import query

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

Running = Callable[..., AbstractContextManager[Any]]

_COLUMNS = {
    "workflow_uuid": ("text", "NO"),
    "status": ("text", "YES"),
    "name": ("text", "YES"),
    "queue_name": ("text", "YES"),
    "executor_id": ("text", "YES"),
    "owner_xid": ("text", "YES"),
    "application_name": ("text", "YES"),
    "application_version": ("text", "YES"),
    "priority": ("integer", "NO"),
    "recovery_attempts": ("bigint", "YES"),
    "created_at": ("bigint", "NO"),
    "updated_at": ("bigint", "NO"),
    "started_at_epoch_ms": ("bigint", "YES"),
    "delay_until_epoch_ms": ("bigint", "YES"),
    "completed_at": ("bigint", "YES"),
}
"""What the statements name, its type and whether it may be NULL."""

_HANGING_ON_A_WORKFLOW = {
    "workflow_status",
    "workflow_input",
    "workflow_output",
    "operation_outputs",
    "notifications",
    "workflow_events",
    "workflow_events_history",
    "streams",
}
"""Retention deletes from the first four; the rest goes with the workflow, or is not used."""


def test_what_is_written_is_there(bench: Bench) -> None:
    found = bench.rows(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'dbos' AND table_name = 'workflow_status'"
    )
    there = {row["column_name"]: (row["data_type"], row["is_nullable"]) for row in found}
    assert {name: there.get(name) for name in _COLUMNS} == _COLUMNS


_STEPS = {
    "workflow_uuid": "text",
    "function_id": "integer",
    "function_name": "text",
    "error": "text",
    "started_at_epoch_ms": "bigint",
    "completed_at_epoch_ms": "bigint",
}
"""What `job_steps` reads of what a workflow has done."""


def test_what_is_read_of_steps_is_there(bench: Bench) -> None:
    found = bench.rows(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'dbos' AND table_name = 'operation_outputs'"
    )
    there = {row["column_name"]: row["data_type"] for row in found}
    assert {name: there.get(name) for name in _STEPS} == _STEPS


def test_the_states_are_these() -> None:
    """Whatever says "under way" names three of them, and "over" is all others."""
    assert {one.value for one in WorkflowStatusString} == {
        *("ENQUEUED", "PENDING", "DELAYED"),
        *("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"),
    }


def test_nothing_else_hangs_on_a_workflow(bench: Bench) -> None:
    """No trigger does anything more when a row changes, and no table keeps what we leave behind."""
    assert (
        bench.rows(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'dbos.workflow_status'::regclass"
            " AND NOT tgisinternal"
        )
        == []
    )
    found = bench.rows(
        "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'dbos'"
        " AND column_name IN ('workflow_uuid', 'destination_uuid')"
    )
    assert {row["table_name"] for row in found} == _HANGING_ON_A_WORKFLOW


def test_no_other_statement_writes_there() -> None:
    """Whoever adds one adds its test."""
    written = re.compile(r"(?:UPDATE|DELETE FROM|INSERT INTO)\s+dbos\.\w+")
    package = Path(sweep.__file__).parents[1]
    files = [*package.rglob("*.py"), *package.rglob("*.sql")]
    counts = {
        file.stem: len(found)
        for file in files
        if (found := written.findall(file.read_text("utf-8"))) and "migrations" not in file.parts
    }
    assert counts == {
        "drain": 1,
        "sweep": 1,
        "replaced": 2,
        "lanes": 1,
        "probing": 2,
        "retention": 4,
    }


class Walk:
    """A job whose page is held back as often as somebody asks for it."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.go_on = threading.Event()

    async def answer(self, slice_: str, cursor: JSON) -> Page:
        self.asked.release()
        await asyncio.to_thread(self.go_on.wait, 30)
        return Page([Record("a", b"1")], None, more=False)


@pytest.fixture
def walk(bench: Bench, probe: Any, running: Running) -> Iterator[tuple[str, Walk]]:
    """A job in the middle of its page; at the end it is over, and its page is there once."""
    mine = Walk()
    probe.scripts["held"] = mine.answer
    job = bench.submit(bench.connect(script="held"))
    with running():
        assert mine.asked.acquire(timeout=30)
        yield job, mine
        mine.go_on.set()
        bench.settled(job)
        bench.until(lambda: not private.running())
    row = bench.job(job)
    assert (row["status"], row["turn"], row["attempts"]) == ("SUCCEEDED", 1, 0)
    assert bench.numbers() == [("a", 1)]
    assert _workflow(bench, job)["status"] == "SUCCESS"


def test_what_is_handed_over_goes_on_where_it_was(bench: Bench, walk: tuple[str, Walk]) -> None:
    """By whoever takes it next, in the same workflow: its steps are not done again, the delivery is
    counted once, and the one who had it before can write nothing down any more."""
    job, held = walk
    me, steps = _workflow(bench, job)["executor_id"], _steps(bench, job)
    assert steps
    values = {"me": me, "ids": [job], "all": False}
    with bench.database.connection() as session:
        assert session.execute(drain._HAND_OVER, {**values, "me": "another"}).rowcount == 0
        assert session.execute(drain._HAND_OVER, values).rowcount == 1
    assert held.asked.acquire(timeout=30), "nobody took it up"
    row = _workflow(bench, job)
    assert (row["status"], row["executor_id"], row["recovery_attempts"]) == ("PENDING", me, 1)
    assert _steps(bench, job)[: len(steps)] == steps


def test_what_is_forgotten_is_put_back(bench: Bench, walk: tuple[str, Walk]) -> None:
    """It was begun by a process of which nothing is known: another one goes on with it."""
    job, held = walk
    bench.rows("UPDATE dbos.workflow_status SET executor_id = 'nobody' RETURNING 1 AS n")
    values = {"queues": list(QUEUES), "quiet": 0}
    with bench.database.connection() as session:
        assert session.execute(sweep._FORGOTTEN, values).rowcount == 1
    assert held.asked.acquire(timeout=30), "nobody took it up"
    assert _workflow(bench, job)["executor_id"] != "nobody"


@pytest.fixture
def engine(running: Running) -> Iterator[None]:
    """Somebody who takes what there is to take."""
    with running():
        yield


def test_what_is_cancelled_is_over_for_the_engine(bench: Bench, engine: None) -> None:
    """Nobody takes it, recovers it or puts it back, and whoever waits for it is told."""
    nowhere = DBOS.register_queue("nowhere", worker_concurrency=2)
    _put(bench, "left", "nowhere")
    with bench.database.connection() as session:
        session.execute(replaced._CANCEL, [["left"]])
    assert private.take(nowhere, 2) == 0
    assert not private.requeue("left", "")
    assert private.recover([""]) == 0
    waited: Any = DBOS.retrieve_workflow("left")
    assert waited.get_status().status == "CANCELLED"
    with pytest.raises(Exception, match="cancelled"):
        waited.get_result()


def test_what_is_adopted_is_run_here(bench: Bench, engine: None) -> None:
    """Of another version it is nobody's; of this one it is taken like any other."""
    _put(bench, "adopted", "nowhere", version="older")
    nowhere = DBOS.register_queue("nowhere", worker_concurrency=2)
    assert private.take(nowhere, 2) == 0
    with bench.database.connection() as session:
        session.execute(replaced._ADOPT, [VERSION, ["adopted"]])
    assert private.take(nowhere, 2) == 1
    bench.until(lambda: _workflow(bench, "adopted")["status"] == "SUCCESS")


def test_the_lowest_number_is_taken_first(bench: Bench, engine: None) -> None:
    """That is all that moving up does."""
    nowhere = DBOS.register_queue("nowhere", worker_concurrency=2)
    _put(bench, "first", "nowhere", priority="urgent")
    _put(bench, "late", "nowhere", priority="low")
    bench.rows(_OLDER, "late")
    with bench.database.connection() as session:
        assert lanes.move_up(session, ["nowhere"]) == 1
    assert private.take(nowhere, 1) == 1
    bench.until(lambda: _workflow(bench, "late")["status"] == "SUCCESS")
    assert _workflow(bench, "first")["status"] == "ENQUEUED"


def test_what_is_deleted_has_never_been(bench: Bench, engine: None) -> None:
    """A probe that is withdrawn, and a workflow that retention removes: nothing of them is left,
    and the same ids run anew."""
    nowhere = DBOS.register_queue("nowhere", worker_concurrency=2)
    for number in range(2):
        _put(bench, "withdrawn", "nowhere")
        with bench.database.connection() as session:
            session.execute(probing._WITHDRAW, [["withdrawn"]])
        assert _left(bench, "withdrawn") == {}
        assert private.take(nowhere, 1) == 0
        _put(bench, "removed", "nowhere")
        assert private.take(nowhere, 1) == 1, number
        bench.until(lambda: _workflow(bench, "removed")["status"] == "SUCCESS")
        bench.until(lambda: not private.running())
        assert _left(bench, "removed")["workflow_status"] == 1
        removing = f"WITH doomed AS (SELECT %s AS id), {query('retention', 'workflows_go')}"
        assert bench.rows(f"{removing} SELECT FROM gone", "removed") == [{}]
        assert _left(bench, "removed") == {}


_OLDER = "UPDATE dbos.workflow_status SET created_at = 1 WHERE workflow_uuid = %s RETURNING 1 AS n"


def _put(
    bench: Bench, name: str, queue: str, *, priority: str = "medium", version: str = VERSION
) -> None:
    with bench.database.transaction() as session:
        enqueue(session, "headrace.probe", name, queue=queue, priority=priority)
        session.execute(
            "UPDATE dbos.workflow_status SET application_version = %s WHERE workflow_uuid = %s",
            [version, name],
        )


def _workflow(bench: Bench, name: str) -> dict[str, Any]:
    [row] = bench.rows("SELECT * FROM dbos.workflow_status WHERE workflow_uuid = %s", name)
    return row


def _steps(bench: Bench, name: str) -> list[dict[str, Any]]:
    return bench.rows(
        "SELECT * FROM dbos.operation_outputs WHERE workflow_uuid = %s ORDER BY function_id", name
    )


def _left(bench: Bench, name: str) -> dict[str, int]:
    """How many rows there are of a workflow, by table."""
    counts = {
        table: bench.one(f"SELECT count(*) FROM dbos.{table} WHERE workflow_uuid = %s", name)
        for table in _HANGING_ON_A_WORKFLOW - {"notifications"}
    }
    return {table: number for table, number in counts.items() if number}
