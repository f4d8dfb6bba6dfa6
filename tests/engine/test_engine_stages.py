"""Stages under the real engine: tried again, isolated, given up, and never in anybody's way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

from headrace import Page, Record
from headrace.engine import cascade
from headrace.provider import JSON

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

Running = Callable[..., AbstractContextManager[Any]]

_ATTEMPTS = "SELECT count(*) FROM dbos.workflow_status WHERE workflow_uuid LIKE 'stage:%%'"


@pytest.fixture
def records(bench: Bench, probe: Any) -> Callable[..., str]:
    """`records(a=b"1")`: a job that lands these."""

    def submit(**payloads: bytes) -> str:
        async def answer(slice_: str, cursor: JSON) -> Page:
            return Page([Record(*one) for one in payloads.items()], None, more=False)

        probe.scripts["records"] = answer
        return bench.submit(bench.connect(script="records"))

    return submit


def settle(bench: Bench, job: str) -> None:
    """Until everything has been worked through; whatever waits to be tried again need not."""

    def settled() -> bool:
        bench.hurry()
        runs = len(bench.rows("SELECT batch_id FROM headrace.stage_runs"))
        return runs == 1 and bool(bench.job(job)["status"] == "SUCCEEDED")

    bench.until(settled)


def letters(bench: Bench) -> list[tuple[Any, ...]]:
    rows = bench.rows("SELECT stage, source_id, state FROM headrace.dead_letters ORDER BY 2")
    return [tuple(row.values()) for row in rows]


def test_a_refused_record_is_a_dead_letter(
    bench: Bench, records: Callable[..., str], running: Running
) -> None:
    """Covers X1, X5: the job has succeeded, and the letter is there to be seen."""
    job = records(a=b"1", b=b"refuse", c=b"3")
    with running():
        bench.settled(job)
    assert bench.job(job)["status"] == "SUCCEEDED"
    assert letters(bench) == [("probe_numbers", "b", "open")]
    assert bench.one("SELECT count(*) FROM headrace.events") == 2


def test_a_bug_is_isolated_at_the_last_attempt(
    bench: Bench, records: Callable[..., str], running: Running
) -> None:
    """Covers A1.12, X5, A1.54: five attempts, then the one record alone; the rest goes on."""
    job = records(a=b"1", b=b"bug", c=b"nul\0", d=b"4")
    with running():
        settle(bench, job)
    assert bench.one(_ATTEMPTS) == cascade.ATTEMPTS
    assert letters(bench) == [("probe_numbers", "b", "open"), ("probe_numbers", "c", "open")]
    assert bench.one("SELECT count(*) FROM headrace.events") == 2


def test_a_batch_that_cannot_be_worked_through_is_given_up(
    bench: Bench, records: Callable[..., str], running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A2.44, X5: after its attempts the batch is one dead letter, and blocks nothing."""

    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("the reader is broken")

    monkeypatch.setattr(cascade, "transform", broken)
    job = records(a=b"1")
    with running():
        settle(bench, job)
        [(stage, source_id, _)] = letters(bench)
        assert (stage, source_id.split("/")[0]) == ("probe_numbers", "batch")
        assert "the reader is broken" in bench.one("SELECT error FROM headrace.stage_runs")
        monkeypatch.undo()
        other = bench.submit(bench.connect("other", total=10))
        bench.settled(other)
    assert bench.one("SELECT count(*) FROM headrace.events") == 10


def test_edits_reach_the_projection(
    bench: Bench, records: Callable[..., str], running: Running
) -> None:
    """Covers X9: changed at the source, it is changed here; the older version is kept below."""
    with running():
        bench.settled(records(a=b"1", b=b"1"))
        bench.settled(records(a=b"2", b=b"1"))
    rows = bench.rows("SELECT source_id, version, name FROM headrace.events ORDER BY 1")
    assert [tuple(row.values()) for row in rows] == [("a", 2, "2"), ("b", 1, "1")]
    assert bench.one("SELECT count(*) FROM headrace.raw_events") == 3
