"""The pool: the same times anywhere, plain words when nobody answers, and back after a loss."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest

from headrace.errors import Unavailable
from headrace.store.database import Database, as_owner, unavailable

if TYPE_CHECKING:
    from tests.store.conftest import Desk


def test_times_are_utc_whatever_the_server_thinks(database: str) -> None:
    """Covers C9: a server in another zone, or one that is moved, changes no row that is made."""
    name = urlsplit(database).path[1:]
    with psycopg.connect(database) as connection:
        connection.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Kathmandu'".encode())
    opened = Database(database).open()
    with opened.connection() as session:
        [row] = session.execute("SELECT timestamptz '2026-05-01 12:00Z' AS at").fetchall()
    opened.close()
    assert row["at"].utcoffset() == timedelta(0)
    assert row["at"].hour == 12


def test_a_lost_connection_is_replaced(store: Database) -> None:
    """Covers A2.34: whoever asks next is given one that works."""
    with store.connection() as session:
        pid = session.info.backend_pid
    with psycopg.connect(store.url) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    with store.connection() as session:
        assert session.execute("SELECT 1 AS one").fetchone() == {"one": 1}


def test_nobody_answers() -> None:
    """Covers A1.54: what happened and what to do, in the server's own words."""
    with pytest.raises(Unavailable, match="does not answer") as failed:
        Database("postgresql://127.0.0.1:1/nothing").open()
    assert "DATABASE_URL" in failed.value.hint


def test_a_full_disk_is_said_to_be_full() -> None:
    """Covers A1.54: nothing is lost, and it goes on when there is room."""
    assert "full" in unavailable(psycopg.errors.DiskFull("could not extend file")).message


def test_an_empty_error_still_says_something() -> None:
    assert "OperationalError" in unavailable(psycopg.OperationalError()).message


def test_the_owners_rights_are_lent_for_one_thing(desk: Desk) -> None:
    """Covers A1.20: in between, the rows of others are seen again; after it they are not."""
    count = "SELECT count(*) AS n FROM headrace.jobs"
    with desk.store.people("other", None) as session:
        assert session.execute(count).fetchone() == {"n": 0}
        with as_owner(session):
            assert session.execute(count).fetchone() == {"n": 1}
        assert session.execute(count).fetchone() == {"n": 0}
        with pytest.raises(ZeroDivisionError), as_owner(session):
            raise ZeroDivisionError
        assert session.execute(count).fetchone() == {"n": 0}


def test_an_owner_stays_the_owner(desk: Desk) -> None:
    with desk.store.transaction() as session:
        with as_owner(session):
            pass
        row = session.execute("SELECT current_setting('role') AS role").fetchone()
    assert row == {"role": "none"}
