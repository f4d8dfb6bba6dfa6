"""Stages that follow one another: run by one workflow, waited for, found when stranded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headrace import plugins
from headrace.engine import state, sweep
from headrace.engine.cascade import give_up, run_stage
from headrace.engine.settle import lacks_stages
from headrace.provider import Page, Record
from headrace.rows import Chunks, EventRow, Texts, Vectors
from headrace.settings import Settings
from headrace.stage import Batch, Made, RawEvent, Stage, StageError, stage
from headrace.store.database import Connection, Database
from headrace.vault import Vault
from headrace.wiring import order, prove

if TYPE_CHECKING:
    from tests.engine.conftest import Bench, Trail

NAME = "probe_numbers"
Seen = list[str]


class Counts:
    """What the second stage writes."""


class Sums:
    """What the third stage writes."""


@pytest.fixture
def seen(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Two more stages after the probe's own; what they did, in order."""
    done: Seen = []

    def second(batch: Batch[EventRow]) -> Made[Counts]:
        found = batch.read(
            "SELECT count(*) AS n FROM headrace.events WHERE tenant_id = %(tenant)s"
            " AND batch_id = %(batch_id)s",
            batch.keys(),
        )

        def write(connection: Connection) -> int:
            done.append(f"second of {found[0]['n']}")
            return int(found[0]["n"])

        return Made(int(found[0]["n"]), write)

    def third(batch: Batch[Counts]) -> Made[Sums]:
        def write(connection: Connection) -> int:
            done.append("third")
            return 0

        return Made(0, write)

    known = plugins.stages()
    for made in (stage(version=1)(second), stage(version=1)(third)):
        monkeypatch.setitem(known, made.name, made)
    prove(known.values())
    return done


def ran(bench: Bench) -> list[tuple[str, str | None]]:
    rows = bench.rows("SELECT stage, error FROM headrace.stage_runs ORDER BY finished_at, stage")
    return [(row["stage"], row["error"]) for row in rows]


def test_one_after_the_other(
    trail: Trail, seen: Seen, running: Callable[..., AbstractContextManager[Any]]
) -> None:
    """A batch that lands is worked through to the end of the chain, by one workflow."""
    trail.answers(lambda _: Page([Record("a", b"1"), Record("b", b"2")], None, more=False))
    bench = trail.bench
    with running():
        job_id = bench.submit(trail.connection)
        bench.settled(job_id)
    assert seen == ["second of 2", "third"]
    assert [name for name, _ in ran(bench)] == [NAME, "second", "third"]
    asked = bench.rows(
        "SELECT workflow_uuid FROM dbos.workflow_status WHERE name = 'headrace.stage'"
    )
    assert len(asked) == 1


def test_what_hangs_on_a_stage_runs_again_with_it(trail: Trail, seen: Seen, tmp_path: Path) -> None:
    made = Settings(_env_file=None, headrace_home=tmp_path)
    state.enter(state.State(trail.bench.database, made, Vault.from_settings(made)))
    trail.land_one()
    number = trail.batches()[0]["batch_id"]
    for name in (NAME, "second", "third"):
        run_stage(trail.bench.database, name, number)
    assert not waiting(trail)
    run_stage(trail.bench.database, NAME, number)
    assert waiting(trail)


def test_given_up_nobody_waits_for_the_rest(trail: Trail, seen: Seen) -> None:
    trail.land_one()
    number = trail.batches()[0]["batch_id"]
    give_up(trail.bench.database, NAME, number, "it broke")
    assert not waiting(trail)
    assert {error for _, error in ran(trail.bench)} == {"it broke"}


def test_a_chain_that_was_cut_is_found(trail: Trail, seen: Seen) -> None:
    """The first stage is done, and whoever would have gone on is gone: the sweeper asks for the
    second, not for the third, and for nothing while the first is on its way."""
    trail.land_one()
    bench, number = trail.bench, trail.batches()[0]["batch_id"]
    assert [sweep.sweep(bench.database, quiet=0)[1] for _ in range(2)] == [1, 0]
    bench.rows("DELETE FROM dbos.workflow_status RETURNING 1 AS n")
    run_stage(bench.database, NAME, number)
    assert sweep.sweep(bench.database, quiet=0)[1] == 1
    asked = bench.rows(
        "SELECT workflow_uuid FROM dbos.workflow_status WHERE name = 'headrace.stage'"
    )
    assert [row["workflow_uuid"] for row in asked] == [f"stage:second:1:{number}:1"]


def waiting(trail: Trail) -> bool:
    database: Database = trail.bench.database
    with database.connection() as connection:
        return lacks_stages(connection, "acme", trail.batches()[0]["job_id"])


def test_order_and_fan_in_come_of_the_types() -> None:
    """Covers A3.11, X8: a stage runs after all that write what it reads, and what stands apart
    comes last; the order in which they were declared says nothing."""

    def never(batch: Any) -> Any:
        raise AssertionError("it is only wired")

    def made(name: str, reads: type, writes: type, *, apart: bool = False) -> Stage:
        content = "a/b" if reads is RawEvent else None
        return Stage(name, 1, "batch", (reads,), (writes,), content, apart, never)

    last = Stage("last", 1, "batch", (Counts, Sums), (Vectors,), None, False, never)
    known = (
        last,
        made("aside", Texts, Chunks, apart=True),
        made("sums", Texts, Sums),
        made("counts", Texts, Counts),
        made("texts", RawEvent, Texts),
    )
    steps = {step.stage.name: step for step in order(known, "a/b")}
    assert list(steps) == ["texts", "counts", "sums", "last", "aside"]
    assert [one.name for one in steps["last"].before] == ["sums", "counts"]
    assert {one.name for one in steps["last"].lineage} == {"texts", "counts", "sums", "last"}
    assert not order(known, "c/d")


def lost(batch: Batch[Counts]) -> Made[Sums]:
    raise AssertionError("it is only wired")


def round_about(batch: Batch[Counts | RawEvent]) -> Made[Counts | Sums]:
    raise AssertionError("it is only wired")


def back(batch: Batch[Sums]) -> Made[Counts]:
    raise AssertionError("it is only wired")


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ([stage(version=1)(lost)], "Counts, which no stage writes"),
        ([stage(version=1, content="a/b")(lost)], "must say of which content"),
        ([stage(version=1)(round_about)], "must say of which content"),
        ([stage(version=1, content="a/b")(round_about), stage(version=1)(back)], "wait for one"),
    ],
)
def test_chains_that_lead_nowhere_are_refused(made: list[Stage], why: str) -> None:
    """Covers X8."""
    with pytest.raises(StageError, match=why):
        prove(made)
