"""Jobs that wait for jobs: released once, by whoever ends last; called off with the reason; and a
thousand of them cost no more statements than one."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

import headrace
from headrace.engine import again, graph, jobs, sweep
from headrace.engine.graph import Member
from headrace.engine.sync import Outcome
from headrace.errors import BadInput

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

DONE, FAILED = Outcome("done"), Outcome("human", error="No.", hint="Ask.")
MANY = 1000
CIRCLE = "The jobs are to wait for one another in a circle"


def make(bench: Bench, *members: Member) -> dict[str, str]:
    """A graph of these; its ids by key."""
    with bench.database.transaction() as session:
        return graph.submit(session, "acme", members)[0]


def job(key: str, *after: str, **more: Any) -> Member:
    return Member(key, "ann", "probe_sync", after=list(after), **more)


def end(bench: Bench, job_id: str, ended: Outcome = DONE) -> str:
    """Run a job's turn to this end."""
    turn = bench.job(job_id)["turn"]
    run = jobs.begin(bench.database, job_id, turn, minutes=10)
    assert run is not None
    return jobs.conclude(bench.database, job_id, turn, run, ended)


def waits(bench: Bench) -> set[str]:
    return {row["job_id"] for row in bench.rows("SELECT job_id FROM headrace.jobs WHERE waits")}


def queued(bench: Bench) -> list[str]:
    rows = bench.rows("SELECT workflow_uuid FROM dbos.workflow_status ORDER BY created_at")
    return [row["workflow_uuid"] for row in rows]


def test_out_and_in(bench: Bench) -> None:
    """Covers A3.44: what waits is on no queue, and cannot be begun; the last end releases it."""
    ids = make(bench, job("a"), job("b", "a"), job("c", "a"), job("d", "b", "c"))
    assert queued(bench) == [ids["a"]]
    assert waits(bench) == {ids["b"], ids["c"], ids["d"]}
    assert jobs.begin(bench.database, ids["b"], 1, minutes=10) is None
    end(bench, ids["a"])
    assert set(queued(bench)) == {ids["a"], ids["b"], ids["c"]}
    end(bench, ids["c"])
    assert waits(bench) == {ids["d"]}
    end(bench, ids["b"])
    assert not waits(bench)
    assert end(bench, ids["d"]) == "SUCCEEDED"
    assert sorted(queued(bench)) == sorted(ids.values())


def test_a_failure_calls_off_all_the_way_down(bench: Bench) -> None:
    """With a sentence that names the job; but what waits for any end goes on."""
    ids = make(bench, job("a"), job("b", "a"), job("c", "b"), job("tidy", "c", regardless=True))
    end(bench, ids["a"], FAILED)
    for key in "bc":
        row = bench.job(ids[key])
        assert (row["status"], row["stopped_by"]) == ("CANCELLED", ids["a"])
        assert row["last_error"] == f"It waited for job {ids['a']}, which failed."
        assert row["hint"] == "Retry that one, and this one goes on with it."
    assert end(bench, ids["tidy"]) == "SUCCEEDED"


def test_what_a_person_cancelled_stays_so(bench: Bench) -> None:
    """A retry takes up what was called off because of the failure, and nothing else."""
    ids = make(bench, job("a"), job("b", "a"), job("c", "a"), job("d", "c"))
    with bench.database.people("acme", "ann") as session:
        again.cancel(session, ids["b"])
    end(bench, ids["a"], FAILED)
    with bench.database.people("acme", "ann") as session:
        with pytest.raises(BadInput, match=f"it waits for job {ids['a']}"):
            again.retry(session, ids["d"])
        again.retry(session, ids["a"])
    assert waits(bench) == {ids["c"], ids["d"]}
    assert bench.job(ids["b"])["status"] == "CANCELLED"
    for key in "acd":
        end(bench, ids[key])
    with bench.database.people("acme", "ann") as session:
        assert again.retry_tree(session, ids["a"]) == [ids["b"]]


def test_a_tree_is_cancelled_with_what_tidies_up(bench: Bench) -> None:
    ids = make(bench, job("a"), job("b", "a"), job("tidy", "b", regardless=True), job("other"))
    end(bench, ids["a"])
    with bench.database.people("acme", "ann") as session:
        assert set(again.cancel_tree(session, ids["a"])) == {ids["b"], ids["tidy"]}
        with pytest.raises(BadInput, match="cannot be cancelled"):
            again.cancel_tree(session, ids["a"])
    assert bench.job(ids["other"])["status"] == "PENDING"


def test_one_job_at_a_time_for_a_connection(bench: Bench) -> None:
    """Covers X10: what waits is not the connection's job; when it is its turn, it waits for the one
    that is under way."""
    connection = bench.connect()
    first = bench.submit(connection)
    member = {"connection_id": connection["connection_id"]}
    ids = make(bench, job("a", **member), job("b", **member))
    assert waits(bench) == set(ids.values())
    assert bench.submit(connection) == first
    for done in (first, *ids.values()):
        end(bench, done)
    assert queued(bench) == [first, *ids.values()]


def test_a_lost_release_is_found(bench: Bench) -> None:
    """Covers A3.47: whatever has ended a job without saying so; and what waits is not stalled."""
    ids = make(bench, job("a"), job("b", "a"), job("c"), job("d", "c"))
    assert sweep.sweep(bench.database, quiet=0) == (0, 0)
    for key, status in (("a", "SUCCEEDED"), ("c", "FAILED")):
        bench.rows(
            "UPDATE headrace.jobs SET status = %s, completed_at = now() WHERE job_id = %s"
            " RETURNING job_id",
            status,
            ids[key],
        )
    assert sweep.sweep(bench.database, quiet=0) == (2, 0)
    assert ids["b"] in queued(bench)
    assert bench.job(ids["d"])["stopped_by"] == ids["c"]
    assert sweep.sweep(bench.database, quiet=0) == (0, 0)


def test_ends_at_the_same_moment(bench: Bench) -> None:
    """Whoever ends last releases, though none of them sees the others yet; and a job that is asked
    for in that moment is released too."""
    keys = [f"k{number}" for number in range(6)]
    for _ in range(5):
        ids = make(bench, *(job(key) for key in keys), job("last", *keys))
        before = [ids[key] for key in keys]

        def later(_: int, before: list[str] = before) -> str:
            with bench.database.transaction() as session:
                row, _new = jobs.submit(
                    session, tenant="acme", user="ann", kind="probe_sync", after=before
                )
            return str(row["job_id"])

        with ThreadPoolExecutor(8) as pool:
            ends = [pool.submit(end, bench, one) for one in before]
            asked = list(pool.map(later, range(4)))
            assert {one.result() for one in ends} == {"SUCCEEDED"}
        assert not waits(bench)
        assert set(queued(bench)) >= {ids["last"], *asked}
        assert len(queued(bench)) == len(set(queued(bench)))


class Counting:
    """Counts the statements of this thread: the pool makes connections ready in others."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        execute, here = psycopg.Connection.execute, threading.get_ident()

        def counted(connection: Any, *asked: Any, **more: Any) -> Any:
            self.count += threading.get_ident() == here
            return execute(connection, *asked, **more)

        monkeypatch.setattr(psycopg.Connection, "execute", counted)

    def of(self, what: Any, *arguments: Any) -> int:
        before = self.count
        what(*arguments)
        return self.count - before


def test_a_thousand_cost_no_more_statements(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fanned out or one below the other: made, released, called off and taken up again in a few
    statements, whatever their number."""
    counting = Counting(monkeypatch)
    few, many = ([job(f"k{at}", *(["k0"] if at else [])) for at in range(n)] for n in (3, MANY))
    ids: list[dict[str, str]] = []
    made = [counting.of(lambda g=g: ids.append(make(bench, *g))) for g in (few, many)]
    assert made[0] == made[1] < 20
    released = [counting.of(end, bench, one["k0"]) for one in ids]
    assert released[0] == released[1] < 20
    assert len(queued(bench)) == MANY + 3
    chain = make(bench, *(job(f"k{at}", *([f"k{at - 1}"] if at else [])) for at in range(MANY)))
    assert counting.of(end, bench, chain["k0"], FAILED) < 20
    off = "SELECT count(*) FROM headrace.jobs WHERE stopped_by = %s"
    assert bench.one(off, chain["k0"]) == MANY - 1

    def take_up() -> None:
        with bench.database.people("acme", "ann") as session:
            again.retry(session, chain["k0"])

    assert counting.of(take_up) < 20
    assert len(waits(bench)) == MANY - 1


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([job("a", "a")], "Job 'a' is to wait for itself."),
        ([job("a"), job("a")], "Two jobs of the graph have the key 'a'."),
        (
            [job("x", "a"), job("a", "c"), job("b", "a"), job("c", "b")],
            f"{CIRCLE}: 'a' waits for 'c' waits for 'b' waits for 'a'.",
        ),
        ([job("a", "nobody")], "Job 'a' is to wait for 'nobody', which there is not."),
    ],
    ids=["itself", "twice", "circle", "unknown"],
)
def test_what_is_no_graph(bench: Bench, members: list[Member], said: str) -> None:
    """One sentence each, and nothing is made."""
    with pytest.raises(BadInput) as told, bench.database.transaction() as session:
        graph.submit(session, "acme", members)
    assert told.value.message == said
    assert bench.one("SELECT count(*) FROM headrace.jobs") == 0


def test_what_is_over_already(bench: Bench) -> None:
    """What has succeeded is waited for no longer; what has failed is refused, unless its end will
    do."""
    ids = make(bench, job("a"), job("b"))
    end(bench, ids["a"])
    end(bench, ids["b"], FAILED)
    after = make(bench, job("c", ids["a"]), job("d", ids["b"], regardless=True))
    assert set(queued(bench)) >= set(after.values())
    with pytest.raises(BadInput, match=f"{ids['b']}, which is to be waited for, has failed"):
        make(bench, job("e", ids["b"]))


def test_every_end_passes_through_one_function() -> None:
    """A job that is ended in another way than `needs.ended` would leave others waiting."""
    source = Path(headrace.__file__).parent
    calls = re.compile(r"(?<!def )(?<!\.)\bnotify\(")
    found = {
        file.relative_to(source).as_posix()
        for file in source.rglob("*.py")
        if calls.search(file.read_text("utf-8"))
    }
    assert found == {"engine/needs.py"}
