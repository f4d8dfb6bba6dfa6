"""Who may commit: the newest claim, and only for a job that nobody has cancelled."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from headrace.errors import HeadraceError
from headrace.store.checkpoints import Cancelled, Fenced, claim, restart_walk
from headrace.store.database import Connection
from headrace.store.sql import query

if TYPE_CHECKING:
    from tests.store.conftest import Desk


@pytest.mark.parametrize("straight", [True, False])
def test_a_claim_fences_the_one_before(desk: Desk, straight: bool) -> None:
    """Covers A2.41, R16: a worker thought dead wakes up, and can commit nothing."""
    zombie = desk.landing(straight=straight)
    zombie.land(desk.gathered(desk.record("a"), cursor="one"))
    heir = desk.claim()
    assert (heir.cursor, heir.epoch) == ("one", 2)
    with pytest.raises(Fenced):
        zombie.land(desk.gathered(desk.record("b"), cursor="stolen"))
    assert [row[0] for row in desk.raw()] == ["a"]
    assert desk.count("batches") == 1
    assert desk.checkpoint()["cursor"] == "one"
    desk.landing(heir).land(desk.gathered(desk.record("b"), cursor="two"))
    assert desk.checkpoint()["cursor"] == "two"


def test_a_claim_waits_for_the_commit_under_way(desk: Desk) -> None:
    """Covers A2.41, X10: the heir goes on after what was being committed, never before it."""
    writing, go_on = threading.Event(), threading.Event()

    def hold(connection: Connection, batch_id: int) -> None:
        writing.set()
        assert go_on.wait(30)

    landing = desk.landing(follow_up=hold)
    with ThreadPoolExecutor(2) as pool:
        landed = pool.submit(landing.land, desk.gathered(desk.record("a"), cursor="one"))
        assert writing.wait(30)
        heir = pool.submit(desk.claim)
        wait_until_blocked(desk)
        go_on.set()
        assert landed.result(30).inserted == 1
        assert heir.result(30).cursor == "one"


def test_a_cancelled_job_commits_nothing_more(desk: Desk) -> None:
    """Covers A4.1: cancelled between two pages."""
    landing = desk.landing()
    landing.land(desk.gathered(desk.record("a")))
    cancel(desk)
    with pytest.raises(Cancelled):
        landing.land(desk.gathered(desk.record("b")))
    assert [row[0] for row in desk.raw()] == ["a"]


def test_nothing_is_committed_after_the_answer_to_a_cancel(desk: Desk) -> None:
    """Covers A4.1: cancelled in the middle of a commit, the answer waits for it to end."""
    writing, go_on = threading.Event(), threading.Event()

    def hold(connection: Connection, batch_id: int) -> None:
        writing.set()
        assert go_on.wait(30)

    landing = desk.landing(follow_up=hold)
    with ThreadPoolExecutor(2) as pool:
        landed = pool.submit(landing.land, desk.gathered(desk.record("a")))
        assert writing.wait(30)
        cancelled = pool.submit(cancel, desk)
        wait_until_blocked(desk)
        assert not cancelled.done()
        go_on.set()
        cancelled.result(30)
        assert desk.count("raw_events") == 1
        landed.result(30)


def test_a_slice_that_is_not_there_cannot_be_claimed(desk: Desk) -> None:
    with pytest.raises(HeadraceError, match="no slice"), desk.store.connection() as session:
        claim(session, tenant="other", user="ann", stream_id=1, slice_="", job_id="j")


def test_a_walk_begins_again_only_for_its_holder(desk: Desk) -> None:
    """Covers R18, G3: an expired cursor is thrown away, by whoever holds the slice."""
    claimed = desk.claim()
    desk.landing(claimed).land(desk.gathered(desk.record("a"), cursor="one"))
    restart_walk(desk.store, claimed)
    assert (claimed.cursor, claimed.walk, claimed.restarts) == (None, 2, 1)
    heir = desk.claim()
    assert (heir.cursor, heir.walk, heir.restarts) == (None, 2, 1)
    with pytest.raises(Fenced):
        restart_walk(desk.store, claimed)
    desk.landing(heir).land(desk.gathered(desk.record("a"), complete=True))
    assert (desk.checkpoint()["walk"], desk.checkpoint()["restarts"]) == (3, 0)


def cancel(desk: Desk) -> None:
    with desk.store.connection() as session:
        session.execute(query("jobs", "cancel"), {"job_ids": [desk.job["job_id"]]})


def wait_until_blocked(desk: Desk) -> None:
    """Until some session waits for a lock that another one holds."""
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database()"
    deadline = threading.Event()
    for _ in range(600):
        if desk.rows(f"{waiting} AND cardinality(pg_blocking_pids(pid)) > 0"):
            return
        deadline.wait(0.02)
    pytest.fail("Nobody waits for a lock.")
