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
from headrace.settings import Settings
from headrace.stage import Batch, Made, Stage, StageError, stage
from headrace.store.database import Connection, Database
from headrace.vault import Vault

if TYPE_CHECKING:
    from tests.engine.conftest import Bench, Trail

NAME = "probe_numbers"
Seen = list[str]


@pytest.fixture
def seen(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Two more stages after the probe's own; what they did, in order."""
    done: Seen = []

    def second(batch: Batch) -> Made:
        found = batch.read(
            "SELECT count(*) AS n FROM headrace.events WHERE tenant_id = %(tenant)s"
            " AND batch_id = %(batch_id)s",
            batch.keys(),
        )

        def write(connection: Connection) -> int:
            done.append(f"second of {found[0]['n']}")
            return int(found[0]["n"])

        return Made(int(found[0]["n"]), write)

    def third(batch: Batch) -> Made:
        def write(connection: Connection) -> int:
            done.append("third")
            return 0

        return Made(0, write)

    known = plugins.stages()
    for made in (stage(version=1, after=NAME)(second), stage(version=1, after="second")(third)):
        monkeypatch.setitem(known, made.name, made)
    plugins.prove(known.values())
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


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (stage(version=1, after="nobody"), "no stage 'nobody'"),
        (stage(version=1, content="a/b", after="first"), "must say either"),
    ],
)
def test_chains_that_lead_nowhere_are_refused(
    made: Callable[[Callable[[Batch], Made]], Stage], why: str
) -> None:
    """Covers X8."""

    def lost(batch: Batch) -> Made:
        return Made(0, lambda connection: 0)

    with pytest.raises(StageError, match=why):
        plugins.prove([made(lost)])
