"""Making a job: the same wish twice is one job, and one person's wishes are not another's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from headrace.errors import BadInput
from headrace.store import jobs
from headrace.store.database import Database

if TYPE_CHECKING:
    from tests.store.conftest import Desk


def make(store: Database, tenant: str = "acme", user: str = "ann", **more: Any) -> tuple[str, bool]:
    """Ask for a job on behalf of a person, as the API does."""
    with store.people(tenant, user) as session:
        row, new = jobs.create(session, tenant=tenant, user=user, kind="rest_sync", **more)
    return row["job_id"], new


def test_one_active_job_a_connection(desk: Desk) -> None:
    """Covers A3.33, X10: asking again answers with the job under way."""
    there = desk.job["job_id"]
    wanted = {"connection_id": desk.connection["connection_id"]}
    assert make(desk.store, **wanted) == (there, False)
    with desk.store.connection() as session:
        session.execute("UPDATE headrace.jobs SET status = 'SUCCEEDED', completed_at = now()")
    made, new = make(desk.store, **wanted)
    assert new
    assert made != there


def test_the_same_key_is_the_same_job(store: Database) -> None:
    """Covers A4.4: an Idempotency-Key answers with its job, finished or not."""
    first, new = make(store, idempotency_key="k")
    assert new
    assert make(store, idempotency_key="k") == (first, False)
    with store.connection() as session:
        session.execute("UPDATE headrace.jobs SET status = 'SUCCEEDED', completed_at = now()")
    assert make(store, idempotency_key="k") == (first, False)
    assert make(store, idempotency_key="other")[1]


def test_without_a_key_every_wish_is_a_job(store: Database) -> None:
    assert len({make(store)[0] for _ in range(3)}) == 3


def test_a_key_is_one_persons_own(store: Database) -> None:
    """Covers A4.8: the same key of another user or tenant is another job, and tells nothing."""
    made = [
        make(store, tenant, user, idempotency_key="k")
        for tenant, user in (("acme", "ann"), ("acme", "bob"), ("other", "ann"))
    ]
    assert [new for _, new in made] == [True, True, True]
    assert len({job_id for job_id, _ in made}) == 3


def test_asking_at_once_makes_one_job(store: Database) -> None:
    """Covers X10: eight at the same time; nobody waits for ever, everybody gets the same."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: make(store, idempotency_key="k"), range(8)))
    assert sorted(new for _, new in made) == [False] * 7 + [True]
    assert len({job_id for job_id, _ in made}) == 1


def test_a_job_in_the_way_that_may_not_be_seen_is_an_error(desk: Desk) -> None:
    """Another user's connection: the answer is a refusal, not their job, and not silence."""
    with pytest.raises(BadInput, match="connection"):
        make(desk.store, "acme", "bob", connection_id=desk.connection["connection_id"])


def test_the_newest_jobs_are_listed_in_pages(store: Database) -> None:
    """Covers A4.1: by (created_at, job_id), so that jobs made at the same instant all appear."""
    with store.transaction() as session:
        for _ in range(5):
            jobs.create(session, tenant="acme", user="ann", kind="rest_sync")
    seen: list[str] = []
    before = None
    with store.people("acme", "ann") as session:
        while page := jobs.listing(session, before=before, limit=2):
            seen += [row["job_id"] for row in page]
            before = (page[-1]["created_at"], page[-1]["job_id"])
        assert jobs.listing(session, status="SUCCEEDED") == []
        assert len(jobs.listing(session, kind="rest_sync", status="PENDING")) == 5
    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)
