"""What sources say of an allowance, and what their refusals make of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from headrace.store import allowances
from headrace.store.allowances import Drawn, Window
from headrace.store.database import Connection, Database

WHO = ("acme", "ann", "rest:1")


@pytest.fixture
def session(database: str) -> Iterator[Connection]:
    """A connection in autocommit."""
    opened = Database(database, connections=1).open()
    with opened.connection() as connection:
        yield connection
    opened.close()


def draw(
    session: Connection, units: float = 1, per_minute: float | None = None, **how: Any
) -> Drawn:
    """Draw; without a rate, as only the source counts."""
    return allowances.draw(session, *WHO, units, per_minute, **how)


def learn(session: Connection, most: float, remaining: float, seconds: float, **how: Any) -> Window:
    """The source says so."""
    return allowances.learn(session, *WHO, Window(most, remaining, seconds), **how)


def test_what_is_left_is_counted_down_by_draws(session: Connection) -> None:
    """Covers G11: at whatever pace, until little is left."""
    learn(session, 100, 90, 20)
    drawn = draw(session, 1, want=20)
    assert (drawn.made, drawn.units, drawn.each) == (True, 11, 0.0)  # an eighth of what is left
    assert drawn.window is not None
    assert drawn.window.remaining == 79


@pytest.mark.parametrize(
    ("left", "seconds", "patient", "each"),
    [
        (40, 20, True, 0.5),  # a backfill uses the second half evenly,
        (40, 20, False, 0.0),  # and leaves it to the others,
        (9, 18, False, 2.0),  # who leave a tenth
        (60, 20, True, 0.0),
        (10, 3_600, True, 0.0),  # what would be a unit in six minutes is no reserve
    ],
)
def test_a_reserve_is_used_evenly(
    session: Connection, left: float, seconds: float, patient: bool, each: float
) -> None:
    """Covers G11: by the numbers of the source, until the reset and for everybody."""
    learn(session, 100, left, seconds)
    drawn = draw(session, patient=patient)
    assert drawn.each == pytest.approx(each, abs=0.05)
    assert drawn.evenly is bool(each)


def test_a_lower_rate_that_is_configured_holds(session: Connection) -> None:
    """Covers G11: the source's numbers only ever make it slower."""
    learn(session, 1_000, 9, 18)
    assert draw(session, per_minute=12).each == pytest.approx(5.0)


def test_nothing_is_drawn_of_an_empty_window(session: Connection) -> None:
    """Covers G11, H5: whoever asks is told when it is renewed; if that is soon, it waits, and what
    waits is counted in the next window."""
    learn(session, 100, 0, 600)
    drawn = draw(session)
    assert not drawn.made
    assert 599 < drawn.wait <= 600
    learn(session, 100, 0, 10)
    drawn = draw(session, 3, want=50)
    assert (drawn.made, drawn.units) == (True, 3)
    assert 9 < drawn.starts <= 10
    session.execute("UPDATE headrace.allowances SET resets_at = now(), spent_until = now()")
    drawn = draw(session)
    assert drawn.window is not None
    assert drawn.window.remaining == 100 - 3 - 1


def test_somebody_else_uses_the_account(session: Connection) -> None:
    """Covers G11: of two answers about one window the lesser holds, whichever comes last."""
    learn(session, 1_000, 900, 60)
    assert learn(session, 1_000, 300, 59).remaining == 300
    assert learn(session, 1_000, 880, 59).remaining == 300
    assert draw(session, patient=True).evenly


def test_calls_that_cost_nothing_are_given_back(session: Connection) -> None:
    """Covers H6: where a source has been saying so for a while."""
    learn(session, 1_000, 500, 60)
    assert learn(session, 1_000, 900, 60, more=True).remaining == 900 - allowances.margin(1_000)


def test_another_window(session: Connection) -> None:
    """Covers G11: what is left is what it says, though that is more."""
    learn(session, 100, 10, 5)
    assert learn(session, 100, 99, 60).remaining == 99


def test_nobody_goes_on_for_ever_without_being_told(session: Connection) -> None:
    """Covers G11: a window that is over is taken to begin again, once."""
    learn(session, 100, 50, 60)
    over = "UPDATE headrace.allowances SET resets_at = now() - interval '1 s'"
    session.execute(over)
    assert draw(session).window is not None
    session.execute(over)
    assert draw(session).window is None


def test_a_refusal_lowers_the_rate_and_it_creeps_back(session: Connection) -> None:
    """Covers G10, G11: refusals of the same moment count once."""
    assert draw(session, per_minute=60).each == pytest.approx(1.0)
    assert allowances.lower(session, *WHO) == pytest.approx(0.7)
    assert allowances.lower(session, *WHO) is None
    assert draw(session, per_minute=60).each == pytest.approx(1 / 0.7, rel=0.01)
    session.execute("UPDATE headrace.allowances SET share_at = now() - interval '5 min'")
    assert draw(session, per_minute=60).each == pytest.approx(1 / 0.8, rel=0.01)
    assert allowances.lower(session, *WHO) == pytest.approx(0.56, rel=0.01)
    session.execute("UPDATE headrace.allowances SET share_at = now() - interval '1 h'")
    assert draw(session, per_minute=60).each == pytest.approx(1.0)


def test_a_backfill_does_not_borrow(session: Connection) -> None:
    """Covers G11: it waits for what is earned, others may be served before it."""
    draw(session, 1, 60)
    assert draw(session, 1, 60, patient=True).made
    assert not draw(session, 1, 60, patient=True).made
    assert draw(session, 10, 60).made
    drawn = draw(session, 1, 60, patient=True)
    assert not drawn.made
    assert 9 < drawn.wait <= 11


def test_whether_anything_is_known(session: Connection) -> None:
    """Covers G11: of an account without a rate of its own."""
    assert not allowances.is_governed(session, WHO[0], WHO[2])
    allowances.hold_off(session, *WHO, 5)
    assert allowances.is_governed(session, WHO[0], WHO[2])
