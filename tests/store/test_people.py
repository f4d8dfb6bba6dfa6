"""Row-level security: people see their own rows, even where a query forgets its WHERE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from headrace.model import metadata
from headrace.provider import BadRecord
from headrace.store import connections, jobs
from headrace.store.database import Database

if TYPE_CHECKING:
    from tests.store.conftest import Desk

_HIDDEN = {"api_keys", "allowances", "consents", "grants", "seen", "workers"}
_HIDDEN |= {"queue_alarms", "redis_completions", "redis_entries", "redis_offers", "redis_servers"}
_HIDDEN |= {"retention", "sessions"}
_HIDDEN |= {"alert_deliveries", "alert_looks", "stream_shapes"}


@pytest.fixture
def filled(desk: Desk) -> Database:
    """Ann's rows of tenant acme, and two strangers': the same tenant, and another one."""
    desk.land(desk.record("a"), bad=[BadRecord(b"", "r")])
    with desk.store.transaction() as session:
        for tenant, user in (("acme", "bob"), ("other", "ann")):
            connections.save(
                session, tenant=tenant, user=user, provider="rest", name="api", config={}
            )
            jobs.create(session, tenant=tenant, user=user, kind="rest_sync")
    return desk.store


def owners(store: Database, tenant: str, user: str | None, table: str) -> set[tuple[str, str]]:
    with store.people(tenant, user) as session:
        rows = session.execute(f"SELECT tenant_id, user_id FROM headrace.{table}".encode())
        return {(row["tenant_id"], row["user_id"]) for row in rows}


def test_a_person_sees_their_own_rows(filled: Database) -> None:
    """Covers A1.20, A4.8: in every table that people may read."""
    for name in sorted(metadata.tables):
        table = name.removeprefix("headrace.")
        if table not in _HIDDEN:
            assert owners(filled, "acme", "ann", table) <= {("acme", "ann")}, table
    assert owners(filled, "acme", "ann", "raw_events") == {("acme", "ann")}
    assert owners(filled, "acme", "ann", "dead_letters") == {("acme", "ann")}


def test_a_key_of_the_whole_tenant_sees_all_of_it(filled: Database) -> None:
    assert owners(filled, "acme", None, "jobs") == {("acme", "ann"), ("acme", "bob")}
    assert owners(filled, "other", None, "jobs") == {("other", "ann")}
    assert owners(filled, "nobody", None, "jobs") == set()


def test_without_a_tenant_there_is_nothing(filled: Database) -> None:
    """An empty tenant, as a forgotten setting reads, is nobody's."""
    assert owners(filled, "", None, "jobs") == set()
    with filled.transaction() as session:
        session.execute("SET LOCAL ROLE headrace_people")
        assert session.execute("SELECT * FROM headrace.jobs").fetchall() == []


def test_the_binding_ends_with_its_transaction(filled: Database) -> None:
    """The pool's next user is the writer again: no setting leaks from one request to the next."""
    for _ in range(10):
        with filled.people("acme", "ann"):
            pass
        with filled.connection() as session:
            assert len(session.execute("SELECT * FROM headrace.jobs").fetchall()) == 3


@pytest.mark.parametrize("table", sorted(_HIDDEN))
def test_keys_and_workers_are_nobodys_business(filled: Database, table: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owners(filled, "acme", "ann", table)


def test_nobody_writes_into_anothers_rows(filled: Database) -> None:
    """Covers A1.20: neither new rows in their name nor changes to those they cannot see."""
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
        filled.people("acme", "ann") as session,
    ):
        jobs.create(session, tenant="other", user="ann", kind="rest_sync")
    with filled.people("acme", "ann") as session:
        changed = session.execute("UPDATE headrace.jobs SET hint = 'mine'")
        assert changed.rowcount == 1
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        filled.people("acme", "ann") as session,
    ):
        session.execute("DELETE FROM headrace.raw_events")
