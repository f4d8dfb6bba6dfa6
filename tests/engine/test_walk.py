"""Walking a slice: what is on the wire while something is written, and what ends a walk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from headrace.engine import gather, walk
from headrace.provider import JSON, Page
from headrace.store.landing import Gathered, Landed, Landing

if TYPE_CHECKING:
    from tests.engine.conftest import Trail

Hook = Callable[[Gathered], None]


@pytest.fixture
def around_commit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`around_commit(before, after)`: have these called in the thread of every commit."""
    land = Landing.land

    def wrap(before: Hook = lambda _: None, after: Hook = lambda _: None) -> None:
        def wrapped(self: Landing, gathered: Gathered) -> Landed:
            before(gathered)
            landed = land(self, gathered)
            after(gathered)
            return landed

        monkeypatch.setattr(Landing, "land", wrapped)

    return wrap


def pages(last: int) -> Callable[[JSON], Page]:
    """A source of pages "1" to `last`, with one record each."""

    def answer(cursor: JSON) -> Page:
        number = int(str(cursor or 1))
        return Page([trail_record(number)], str(number + 1), more=number < last)

    return answer


def trail_record(number: int, payload: bytes = b"{}") -> Any:
    from headrace.provider import Record

    return Record(f"r{number:03}", payload)


async def test_the_next_page_is_fetched_while_one_is_written(
    trail: Trail, monkeypatch: pytest.MonkeyPatch, around_commit: Callable[..., None]
) -> None:
    """Covers A2.40, A2.43: each waits inside for the other; one after the other, neither ends."""
    monkeypatch.setattr(gather, "ROWS", 1)  # every page is a commit of its own
    fetching = [threading.Event() for _ in range(6)]
    committing = [threading.Event() for _ in range(6)]

    async def answer(cursor: JSON) -> Page:
        number = int(str(cursor or 1))
        fetching[number].set()
        assert await asyncio.to_thread(committing[number - 1].wait, 30)
        return Page([trail_record(number)], str(number + 1), more=number < 5)

    def before(gathered: Gathered) -> None:
        number = int(gathered.records[0].source_id[1:])
        committing[number].set()
        if number < 5:
            assert fetching[number + 1].wait(30)

    committing[0].set()
    around_commit(before)
    trail.answers(answer)
    assert (await trail.leg()).state == "done"
    assert len(trail.batches()) == 5


async def test_commits_are_in_order_and_join(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    """Covers A2.38, A2.10: each batch goes on exactly where the one before it ended."""
    monkeypatch.setattr(gather, "ROWS", 3)
    trail.answers(pages(10))
    assert (await trail.leg()).state == "done"
    found = [(one["cursor_before"], one["cursor_after"], one["pages"]) for one in trail.batches()]
    assert found == [(None, "4", 3), ("4", "7", 3), ("7", "10", 3), ("10", "11", 1)]
    assert trail.checkpoint()["cursor"] == "11"
    assert len(trail.raw()) == 10


async def test_small_pages_are_gathered(trail: Trail) -> None:
    """Covers A2.39: a hundred pages cost a few commits, and every cursor of theirs is known."""
    trail.answers(pages(100))
    assert (await trail.leg()).state == "done"
    batches = trail.batches()
    assert len(batches) < 10
    assert sum(one["pages"] for one in batches) == 100
    assert sum(len(one["cursor_hashes"]) for one in batches) == 99 * 8


async def test_a_slow_source_does_not_hold_back_what_came(
    trail: Trail, monkeypatch: pytest.MonkeyPatch, around_commit: Callable[..., None]
) -> None:
    """A page is committed within SECONDS, though the next one does not come: it waits for that."""
    monkeypatch.setattr(walk, "SECONDS", 0.02)
    committed = threading.Event()
    around_commit(after=lambda _: committed.set())

    async def answer(cursor: JSON) -> Page:
        if cursor is not None:
            assert await asyncio.to_thread(committed.wait, 30)
        return trail.page("b" if cursor else "a", cursor="2", more=cursor is None)

    trail.answers(answer)
    assert (await trail.leg()).state == "done"
    assert len(trail.batches()) == 2


async def test_a_fast_source_waits_for_a_slow_database(
    trail: Trail, monkeypatch: pytest.MonkeyPatch, around_commit: Callable[..., None]
) -> None:
    """Covers A1.2: what is fetched and not yet written is bounded by BYTES and one page."""
    limit, size = 1_000, 300
    for module in (gather, walk):
        monkeypatch.setattr(module, "BYTES", limit)
    writing, go_on = threading.Event(), threading.Event()
    most, written = 0, 0

    def answer(cursor: JSON) -> Page:
        nonlocal most
        number = int(str(cursor or 1))
        most = max(most, number * size - written)
        return Page([trail_record(number, b"x" * size)], str(number + 1), more=number < 40)

    def before(_: Gathered) -> None:
        writing.set()
        assert go_on.wait(30)

    def after(gathered: Gathered) -> None:
        nonlocal written
        written += gathered.payload_bytes

    around_commit(before, after)
    trail.answers(answer)
    leg = asyncio.create_task(trail.leg())
    assert await asyncio.to_thread(writing.wait, 30)
    for _ in range(1_000):
        await asyncio.sleep(0)  # not a wait: a thousand chances to fetch on
    assert len(trail.asked) <= limit // size + 2
    go_on.set()
    assert (await leg).state == "done"
    assert len(trail.raw()) == 40
    assert most <= limit + 2 * size


async def test_tiny_pages_wait_too(
    trail: Trail, monkeypatch: pytest.MonkeyPatch, around_commit: Callable[..., None]
) -> None:
    """Covers A1.2: pages that weigh nothing are bounded by their number."""
    monkeypatch.setattr(gather, "ROWS", 1)
    monkeypatch.setattr(walk, "_PAGES_AHEAD", 5)
    writing, go_on = threading.Event(), threading.Event()

    def before(_: Gathered) -> None:
        writing.set()
        assert go_on.wait(30)

    around_commit(before)
    trail.answers(lambda cursor: pages(20)(cursor))
    leg = asyncio.create_task(trail.leg())
    assert await asyncio.to_thread(writing.wait, 30)
    for _ in range(1_000):
        await asyncio.sleep(0)
    assert len(trail.asked) <= 7
    go_on.set()
    assert (await leg).state == "done"
    assert len(trail.raw()) == 20


async def test_empty_pages_are_not_the_end(trail: Trail) -> None:
    """Covers R1, G5: only `more` says whether there is more."""
    trail.answers(
        lambda cursor: {
            None: trail.page(cursor="1"),
            "1": trail.page("a", cursor="2"),
            "2": trail.page(cursor="3"),
            "3": trail.page("b", cursor="4"),
            "4": trail.page(cursor=None, more=False),
        }[cursor]  # type: ignore[index]
    )
    assert (await trail.leg()).state == "done"
    assert trail.raw() == ["a", "b"]
    assert trail.checkpoint()["cursor"] is None


async def test_the_budget_ends_a_leg_and_the_next_goes_on(trail: Trail) -> None:
    """Covers A1.2, A1.6, A2.16: in seconds or in records; nothing is skipped or fetched twice."""
    trail.answers(pages(5))
    assert (await trail.leg(seconds=0)).state == "more"
    assert trail.asked == []
    assert (await trail.leg(records=2)).state == "capped"
    assert trail.raw() == ["r001", "r002"]
    assert trail.checkpoint()["cursor"] == "3"
    assert (await trail.leg(records=100)).state == "done"
    assert trail.asked == [None, "2", "3", "4", "5"]
    assert trail.checkpoint()["walk"] == 2


async def test_a_walk_goes_on_where_the_last_one_ended(trail: Trail) -> None:
    """Covers A0.7, A2.16: incremental, from the cursor of the last page."""
    trail.answers(pages(2))
    assert (await trail.leg()).state == "done"
    assert (await trail.leg()).state == "done"  # this job's part is done: nothing is asked
    trail.next_job()
    trail.answers(pages(4))
    assert (await trail.leg()).state == "done"
    assert trail.asked == [None, "2", "3", "4"]
    assert len(trail.raw()) == 4
