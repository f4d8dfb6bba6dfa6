"""The feed of changes: one order, nothing left out, nothing twice."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from tests.store.test_outbox import endpoint

from headrace.errors import Expired
from headrace.provider import Record
from headrace.store import changes
from headrace.store.changes import START, Changed, Place
from headrace.store.database import Database

if TYPE_CHECKING:
    from tests.store.conftest import Desk

Seen = tuple[str, str, int]


def read(store: Database, after: Place = START, limit: int = 100) -> Changed:
    changes.number(store)
    with store.people("acme", "ann") as session:
        return changes.page(session, after, limit)


def through(store: Database, after: Place = START, limit: int = 100) -> list[Seen]:
    """All that follows, a page at a time."""
    seen: list[Seen] = []
    while True:
        found = read(store, after, limit)
        seen += [(row["change"], row["source_id"], row["version"]) for row in found.rows]
        assert len(found.rows) <= limit
        after = found.place
        if not found.more:
            return seen


def gone(source_id: str) -> Record:
    return Record(source_id, b"", None, gone=True)


def test_what_happened_to_a_record_is_said(desk: Desk) -> None:
    """Added, updated, deleted, and added again; what is unchanged is no news."""
    desk.land(desk.record("a"), desk.record("b"))
    desk.land(desk.record("a"), desk.record("b", "other"))
    desk.land(gone("a"))
    desk.land(desk.record("a", "again"))
    expected = [("added", "a", 1), ("added", "b", 1), ("updated", "b", 2)]
    expected += [("deleted", "a", 2), ("added", "a", 3)]
    for limit in (1, 2, 3, 100):
        assert through(desk.store, limit=limit) == expected
    end = read(desk.store).place
    assert read(desk.store, end).rows == []
    desk.land(desk.record("c"))
    assert through(desk.store, end) == [("added", "c", 1)]


def test_a_batch_that_commits_late_is_not_left_out(desk: Desk) -> None:
    """The batch whose number is smaller commits after the reader has read the larger one."""
    first, second = desk.plan("events", "x", "y")
    late = desk.claim(first)
    begun, go = threading.Event(), threading.Event()

    def hold(*_: object) -> None:
        begun.set()
        assert go.wait(60)

    landing = desk.landing(late, hold)
    held = threading.Thread(target=lambda: landing.land(desk.gathered(desk.record("late"))))
    held.start()
    assert begun.wait(60)
    desk.landing(desk.claim(second)).land(desk.gathered(desk.record("early")))
    found = read(desk.store)
    assert [row["source_id"] for row in found.rows] == ["early"]
    go.set()
    held.join(60)
    assert through(desk.store, found.place) == [("added", "late", 1)]
    batches = desk.rows("SELECT batch_id FROM headrace.batches ORDER BY feed")
    assert batches == sorted(batches, reverse=True)


def test_readers_that_race_with_writers_see_everything_once(desk: Desk) -> None:
    """Four writers and two readers, who both number."""
    parts = desk.plan("events", "a", "b", "c", "d")
    claims = [desk.claim(part) for part in parts]
    over = threading.Event()

    def write(at: int) -> None:
        landing = desk.landing(claims[at])
        for n in range(25):
            landing.land(desk.gathered(desk.record(f"{at}-{n}"), desk.record(f"{at}-{n}+")))

    def follow(into: list[Seen]) -> None:
        place = START
        last = False
        while True:
            found = read(desk.store, place, 7)
            into += [(row["change"], row["source_id"], row["version"]) for row in found.rows]
            place = found.place
            if last and not found.rows and not found.more:
                return
            last = over.is_set()

    seen: list[list[Seen]] = [[], []]
    readers = [threading.Thread(target=follow, args=[one]) for one in seen]
    writers = [threading.Thread(target=write, args=[at]) for at in range(4)]
    for one in [*readers, *writers]:
        one.start()
    for one in writers:
        one.join(60)
    over.set()
    for one in readers:
        one.join(60)
    expected = {
        ("added", f"{at}-{n}{more}", 1) for at in range(4) for n in range(25) for more in ("", "+")
    }
    for found in seen:
        assert len(found) == len(expected)
        assert set(found) == expected
    assert seen[0] == seen[1]


def test_webhooks_are_told_of_a_batch_once_and_in_order(desk: Desk) -> None:
    """By the transaction that numbers it, whoever does."""
    endpoint(desk.store, "hook", "records.changed")
    endpoint(desk.store, "bob's", "records.changed", user="bob")
    desk.land(desk.record("a"), desk.record("b"), cursor={"at": "\0one\ud800"})
    desk.land(desk.record("a", "other"), gone("b"), before={"at": 1}, cursor={"at": 2})
    threads = [threading.Thread(target=changes.number, args=[desk.store]) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    rows = desk.rows(
        "SELECT webhook_id, subject, data FROM headrace.webhook_deliveries ORDER BY delivery_id"
    )
    assert [row[:2] for row in rows] == [("hook", f"stream/{desk.part.stream_id}")] * 2
    first, second = (row[2] for row in rows)
    assert (first["added"], first["updated"], first["deleted"]) == (2, 0, 0)
    assert (second["added"], second["updated"], second["deleted"]) == (0, 1, 1)
    assert second["checkpoint"] == {"from": {"at": 1}, "to": {"at": 2}}


def test_who_comes_later_is_not_told_of_what_was(desk: Desk) -> None:
    desk.land(desk.record("a"))
    endpoint(desk.store, "hook", "records.changed")
    changes.number(desk.store)
    assert desk.count("webhook_deliveries") == 0
    desk.land(desk.record("b"))
    changes.number(desk.store)
    assert desk.count("webhook_deliveries") == 1


def test_a_place_that_the_feed_has_not_reached_is_refused(desk: Desk) -> None:
    """An older backup was restored: what comes now must not be taken for what was seen."""
    assert read(desk.store).rows == []
    desk.land(desk.record("a"))
    end = read(desk.store).place
    assert read(desk.store, end).rows == []
    with pytest.raises(Expired, match="older backup"):
        read(desk.store, Place(end.feed + 1, "", 0))


def test_who_uses_no_feed_pays_for_none(desk: Desk) -> None:
    """Workers number nothing until somebody has read, or a webhook wants to be told."""

    def due() -> bool:
        return bool(desk.rows(f"SELECT {changes.DUE}")[0][0])

    desk.land(desk.record("a"))
    assert not due()
    endpoint(desk.store, "other", "job.failed")
    assert not due()
    endpoint(desk.store, "hook", "records.changed")
    assert due()
    changes.number(desk.store)
    assert not due()
    desk.rows("DELETE FROM headrace.webhooks RETURNING 1")
    desk.land(desk.record("b"))
    assert due(), "what has begun goes on: somebody may be reading"


def test_a_lot_is_numbered_in_pieces(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first reader of a large database is not kept waiting for all of it."""
    monkeypatch.setattr(changes, "MOST", 2)
    for name in "abcde":
        desk.land(desk.record(name))
    assert not changes.number(desk.store, 1)
    assert desk.count("batches WHERE feed IS NOT NULL") == 2
    assert not changes.number(desk.store, 1)
    assert changes.number(desk.store, 1)
    assert [one[1] for one in through(desk.store)] == list("abcde")
