"""What goes wrong in a walk: every page before it is kept, and it has one of the few names."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from headrace.engine import gather, walk
from headrace.errors import Expired, NeedsHuman, Retry, Skip
from headrace.provider import JSON, Page
from headrace.store.checkpoints import claim
from headrace.store.database import Connection
from headrace.store.landing import Gathered, Landing
from headrace.store.sql import query

if TYPE_CHECKING:
    from tests.engine.conftest import Trail


def then(trail: Trail, error: Exception) -> None:
    """Two pages, and then this."""

    def answer(cursor: JSON) -> Page:
        if cursor == "3":
            raise error
        return trail.page(f"r{cursor or 1}", cursor="2" if cursor is None else "3")

    trail.answers(answer)


@pytest.mark.parametrize(
    ("error", "state", "after", "reauth"),
    [
        (Retry("Busy.", after=17, hint="Wait."), "retry", 17, False),
        (Retry("Broken.", hint="Wait."), "retry", None, False),
        (NeedsHuman("Revoked.", hint="Sign in.", reauth=True), "human", None, True),
        (NeedsHuman("Forbidden.", hint="Ask."), "human", None, False),
        (ValueError("a bug"), "failed", None, False),
        (Skip("a record", hint="not a page's error"), "human", None, False),
    ],
    ids=repr,
)
async def test_what_came_before_an_error_is_kept(
    trail: Trail, error: Exception, state: str, after: float | None, reauth: bool
) -> None:
    """Covers A1.54, A2.28, A3.49: the pages before it are committed, the cursor stands there."""
    then(trail, error)
    ended = await trail.leg()
    assert (ended.state, ended.after, ended.reauth) == (state, after, reauth)
    assert str(error.args[0]) in ended.error
    assert ended.hint
    assert trail.raw() == ["r1", "r2"]
    assert trail.checkpoint()["cursor"] == "3"


async def test_a_cursor_given_again_at_once(trail: Trail) -> None:
    """Covers R2: the source answers for ever with the cursor it was asked for."""
    trail.answers(lambda cursor: trail.page("a", cursor="same"))
    ended = await trail.leg()
    assert (ended.state, "had before" in ended.error) == ("human", True)
    assert trail.asked == [None, "same"]
    assert trail.raw() == ["a"]


async def test_a_circle_of_two_pages(trail: Trail) -> None:
    """Covers R2: A, B, A, B: no page repeats the one before it."""
    circle: dict[JSON, JSON] = {None: {"at": "A"}}

    def answer(cursor: JSON) -> Page:
        following = {"at": "B"} if cursor in (None, {"at": "A"}) and cursor else {"at": "A"}
        return trail.page(f"after {cursor}", cursor=following)

    del circle
    trail.answers(answer)
    assert (await trail.leg()).state == "human"
    assert trail.asked == [None, {"at": "A"}, {"at": "B"}]


async def test_a_circle_is_seen_across_legs(trail: Trail) -> None:
    """Covers R2: what this walk has been given is in the tables, not in a process."""
    following: dict[JSON, JSON] = {None: 1, 1: 2, 2: 3, 3: 1}
    trail.answers(lambda cursor: trail.page(f"{cursor}", cursor=following[cursor]))
    states = [(await trail.leg(records=1)).state for _ in range(4)]
    assert states == ["capped", "capped", "capped", "human"]
    assert trail.asked == [None, 1, 2, 3]


async def test_the_next_walk_may_be_given_the_same_cursors(trail: Trail) -> None:
    """Covers R2: a source read from the start each time repeats itself, and rightly."""
    following: dict[JSON, JSON] = {None: "1", "1": "2"}
    trail.answers(
        lambda cursor: trail.page(
            f"{cursor}",
            cursor=following.get(cursor),
            more=cursor != "2",
        )
    )
    for _ in range(3):
        assert (await trail.leg()).state == "done"
        trail.next_job()
    assert trail.asked == [None, "1", "2"] * 3
    assert trail.checkpoint()["walk"] == 4


async def test_an_expired_cursor_begins_the_walk_again(trail: Trail) -> None:
    """Covers R18, G3, C3: from the start, at once; what is there already is not doubled."""
    good = False

    def answer(cursor: JSON) -> Page:
        number = int(str(cursor or 1))
        if number == 3 and not good:
            raise Expired("410")
        return trail.page(f"r{number}", cursor=str(number + 1), more=number < 4)

    trail.answers(answer)
    ended = await trail.leg()
    assert (ended.state, ended.after) == ("retry", 0)
    point = trail.checkpoint()
    assert (point["cursor"], point["walk"], point["restarts"]) == (None, 2, 1)
    good = True
    assert (await trail.leg()).state == "done"
    assert trail.raw() == ["r1", "r2", "r3", "r4"]
    assert sum(one["unchanged"] for one in trail.batches()) == 2
    assert trail.checkpoint()["restarts"] == 0


async def test_a_cursor_that_always_expires_is_an_error_in_the_end(trail: Trail) -> None:
    """Covers R18: begun again a bounded number of times, then somebody has to look."""
    then(trail, Expired("410 Gone"))
    states = [(await trail.leg()).state for _ in range(walk.RESTARTS)]
    assert states == ["retry"] * walk.RESTARTS
    ended = await trail.leg()
    assert (ended.state, "410 Gone" in ended.hint) == ("human", True)


async def test_the_beginning_cannot_expire(trail: Trail) -> None:
    """Covers R18: a source that refuses to begin would be begun again for ever."""

    def answer(cursor: JSON) -> Page:
        raise Expired("400")

    trail.answers(answer)
    assert (await trail.leg()).state == "human"
    assert trail.asked == [None]


async def test_a_stream_taken_over_stops_the_walk(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A2.41, R16: another worker claims the slice between two commits."""
    monkeypatch.setattr(gather, "ROWS", 1)

    def answer(cursor: JSON) -> Page:
        if cursor == 3:
            [part] = trail.bench.rows("SELECT stream_id, slice FROM headrace.checkpoints")
            with trail.bench.database.connection() as session:
                claim(
                    session,
                    tenant="acme",
                    user="ann",
                    stream_id=part["stream_id"],
                    slice_=part["slice"],
                    job_id="another",
                )
        number = cursor if isinstance(cursor, int) else 1
        return trail.page(f"r{number}", cursor=number + 1)

    trail.answers(answer)
    assert (await trail.leg()).state == "stop"
    assert set(trail.raw()) <= {"r1", "r2"}
    assert trail.checkpoint()["cursor"] in (None, 2, 3)


async def test_a_cancelled_job_stops_its_walk(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A4.1: cancelled while it walks; what was landed stays."""
    monkeypatch.setattr(gather, "ROWS", 1)
    after_first = threading.Event()

    def answer(cursor: JSON) -> Page:
        number = cursor if isinstance(cursor, int) else 1
        if number == 5:
            with trail.bench.database.connection() as session:
                session.execute(query("jobs", "cancel"), {"job_ids": [trail.job_id]})
            after_first.set()
        return trail.page(f"r{number}", cursor=number + 1)

    trail.answers(answer)
    assert (await trail.leg()).state == "stop"
    assert after_first.is_set()
    assert len(trail.raw()) <= 4


async def test_a_database_that_goes_away_is_waited_for(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A2.34: PostgreSQL ends the session in the middle of a commit; nothing is lost."""
    real = Landing._write
    cut = iter([True])

    def write(self: Landing, connection: Connection, *rest: object) -> None:
        if next(cut, False):
            pid = connection.info.backend_pid
            trail.bench.rows("SELECT pg_terminate_backend(%s)", pid)
        real(self, connection, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Landing, "_write", write)
    trail.answers(lambda _: trail.page("a", "b", cursor=None, more=False))
    ended = await trail.leg()
    assert (ended.state, ended.after) == ("retry", 1)
    assert "PostgreSQL" in ended.error
    assert (trail.raw(), trail.batches()) == ([], [])
    assert (await trail.leg()).state == "done"
    assert trail.raw() == ["a", "b"]


async def test_a_bug_in_landing_loses_nothing_either(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A3.9: an unknown error is loud, and the fetching does not go on without it."""
    monkeypatch.setattr(gather, "ROWS", 1)

    def land(self: Landing, gathered: Gathered) -> None:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr(Landing, "land", land)

    def answer(cursor: JSON) -> Page:
        number = cursor if isinstance(cursor, int) else 1
        return trail.page(f"r{number}", cursor=number + 1)

    trail.answers(answer)
    ended = await trail.leg()
    assert (ended.state, "a bug of ours" in ended.error) == ("failed", True)
    assert trail.checkpoint()["cursor"] is None
