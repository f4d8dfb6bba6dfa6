"""One allowance for all workers: however many draw from it, nobody uses more than there is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from headrace.store import allowances
from headrace.store.database import Connection, Database

WHO = ("acme", "ann", "gmail:1")
THREADS = 8


@pytest.fixture
def pool(database: str) -> Iterator[Database]:
    """A pool with a connection for each thread."""
    opened = Database(database, connections=THREADS).open()
    yield opened
    opened.close()


def take(pool: Database, units: float, per_minute: float = 60.0) -> tuple[bool, float]:
    """Draw; at 60 units a minute one is a second's worth."""
    with pool.connection() as session:
        drawn = allowances.draw(session, *WHO, units, per_minute)
    return drawn.made, used_from(drawn)


def used_from(drawn: allowances.Drawn) -> float:
    """Seconds to wait: before using all of it, or before asking again."""
    return max(0.0, drawn.starts + drawn.units * drawn.each) if drawn.made else drawn.wait


def clock(session: Connection) -> float:
    """The database's, in seconds since 1970."""
    row = session.execute("SELECT extract(epoch FROM clock_timestamp())::float8 AS at").fetchone()
    assert row is not None
    return float(row["at"])


def test_many_workers_never_use_more_than_there_is(pool: Database) -> None:
    """Covers G11: in no window, however it is cut, are more units used than have been earned in
    it, and a burst. By the database's clock: from just before a draw to just after it."""
    per_minute, units, draws = 1_200.0, 1.0, 8  # a draw is a twentieth of a second's worth
    together = Barrier(THREADS)

    def work(_: int) -> list[tuple[float, float]]:
        found = []
        together.wait(30)
        for _draw in range(draws):
            with pool.connection() as session:
                before = clock(session)
                drawn = allowances.draw(session, *WHO, units, per_minute)
                after = clock(session)
            assert drawn.made
            wait = used_from(drawn)
            found.append((before + wait, after + wait))
            time.sleep(wait)
        return found

    began = time.monotonic()
    with ThreadPoolExecutor(THREADS) as threads:
        used = sorted(one for each in threads.map(work, range(THREADS)) for one in each)
    lasted = time.monotonic() - began
    cost = 60 * units / per_minute
    for first in range(len(used)):
        until = 0.0  # the latest moment at which any of the window's may have been used
        for last in range(first, len(used)):
            until = max(until, used[last][1])
            assert (last - first + 1) * cost <= until - used[first][0] + allowances.BURST
    # And what there is they do use: nobody waits for longer than all of it takes.
    assert lasted < len(used) * cost + 1


def test_after_a_pause_one_burst_is_free(pool: Database) -> None:
    """Covers G11: a second's worth at once, and not the hour's that nobody drew."""
    take(pool, 0.001)
    with pool.connection() as session:
        session.execute("UPDATE headrace.allowances SET spent_until = now() - interval '1 hour'")
    assert [take(pool, 0.5) for _ in range(2)] == [(True, 0.0), (True, 0.0)]
    drawn, wait = take(pool, 0.5)
    assert drawn
    assert 0.3 < wait <= 0.5


def test_what_has_to_be_waited_for_too_long_is_not_drawn(pool: Database) -> None:
    """Covers G11: and whoever asks in vain takes nothing from the others."""
    assert take(pool, 20)[0]
    drawn, wait = take(pool, 12)
    assert not drawn
    assert 18 < wait <= 19
    before = spent_until(pool)
    for _ in range(3):
        assert not take(pool, 12)[0]
    assert spent_until(pool) == before
    drawn, wait = take(pool, 10)
    assert drawn
    assert 28 < wait <= 29


def test_no_draw_is_too_large_for_ever(pool: Database) -> None:
    """Covers G11: what costs more than the longest wait is drawn when nothing else is owed."""
    drawn, wait = take(pool, 100)
    assert drawn
    assert 98 < wait <= 99
    assert not take(pool, 100)[0]
    with pool.connection() as session:
        session.execute("UPDATE headrace.allowances SET spent_until = now()")
    assert take(pool, 100)[0]


def test_one_s_allowance_is_nobody_else_s(pool: Database) -> None:
    """Covers G11: another account's and another tenant's are their own."""
    assert take(pool, 25)[0]
    assert not take(pool, 25)[0]
    with pool.connection() as session:
        for others in (("acme", "ann", "gmail:2"), ("other", "ann", WHO[2])):
            drawn = allowances.draw(session, *others, 1, 60)
            assert (drawn.made, used_from(drawn)) == (True, 0.0)


def spent_until(pool: Database) -> object:
    """Until when everything that was drawn is paid off."""
    with pool.connection() as session:
        row = session.execute("SELECT spent_until FROM headrace.allowances").fetchone()
    assert row is not None
    return row["spent_until"]


def test_a_refusal_moves_it_for_everybody_and_never_back(pool: Database) -> None:
    """Covers G10: the longest wait that was asked for holds; also where nobody has drawn yet."""
    with pool.connection() as session:
        allowances.hold_off(session, *WHO, 20)
        allowances.hold_off(session, *WHO, 5)
    drawn, wait = take(pool, 1)
    assert drawn
    assert 19 < wait <= 21.5
    with pool.connection() as session:
        allowances.hold_off(session, *WHO, 600)
    drawn, wait = take(pool, 1)
    assert not drawn
    assert 590 < wait <= 600
