"""One commit: everything of it, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from headrace.provider import JSON, BadRecord
from headrace.store.checkpoints import seen_cursors
from headrace.store.database import Connection

if TYPE_CHECKING:
    from tests.store.conftest import Desk


class Boom(Exception):
    """Anything that goes wrong inside the transaction."""


def test_everything_of_a_page_is_one_commit(desk: Desk) -> None:
    """Covers A2.14, A2.20, A3.20, A2.21, A2.27, X11: rows, batch and cursor."""
    records = [desk.record(str(n), f'{{"n": {n}}}') for n in range(100)]
    landed = desk.land(*records, cursor="after", hashes=[b"12345678"])
    assert (landed.fetched, landed.inserted, landed.unchanged) == (100, 100, 0)
    assert len(desk.raw()) == 100
    point = desk.checkpoint()
    assert (point["cursor"], point["pages"], point["walk"]) == ("after", 1, 1)
    assert desk.rows(
        "SELECT batch_id, job_id, epoch, pages, cursor_before::text, cursor_after::text,"
        " payload_bytes, cursor_hashes FROM headrace.batches"
    ) == [
        (
            landed.batch_id,
            desk.job["job_id"],
            1,
            1,
            None,
            '"after"',
            sum(len(one.payload) for one in records),
            b"12345678",
        )
    ]


@pytest.mark.parametrize("straight", [True, False])
def test_a_failure_at_the_end_leaves_nothing(desk: Desk, straight: bool) -> None:
    """Covers A2.28, X11: the follow-up work fails, so rows, batch, cursor and letters are gone."""
    desk.land(desk.record("old"), cursor="one")

    def fail(connection: Connection, batch_id: int) -> None:
        connection.execute("SELECT 1")
        raise Boom

    landing = desk.landing(follow_up=fail, straight=straight)
    with pytest.raises(Boom):
        landing.land(desk.gathered(desk.record("new"), bad=[BadRecord(b"x", "no")], cursor="two"))
    assert [row[0] for row in desk.raw()] == ["old"]
    assert (desk.count("batches"), desk.count("dead_letters")) == (1, 0)
    assert (desk.checkpoint()["cursor"], desk.checkpoint()["pages"]) == ("one", 1)


def test_follow_up_work_is_asked_for_only_when_there_is_something_new(desk: Desk) -> None:
    """Covers A3.1: a batch that brought nothing needs no stage."""
    asked: list[int] = []
    landing = desk.landing(follow_up=lambda _, batch_id: asked.append(batch_id))
    first = landing.land(desk.gathered(desk.record("a")))
    landing.land(desk.gathered(desk.record("a")))
    landing.land(desk.gathered())
    assert asked == [first.batch_id]
    assert desk.count("batches") == 3


def test_edits_are_versions_and_repeats_are_not(desk: Desk) -> None:
    """Covers A1.19, X9, R3: A, B, A across commits is three versions, A, A is one."""
    for payload, inserted in (("A", 1), ("A", 0), ("B", 1), ("A", 1)):
        assert desk.land(desk.record("x", payload)).inserted == inserted
    assert desk.raw() == [("x", 1, b"A"), ("x", 2, b"B"), ("x", 3, b"A")]


def test_edits_inside_one_commit_are_versions_too(desk: Desk) -> None:
    """Covers X9, R3: the same inside one commit, where some is known already."""
    desk.land(desk.record("x", "A"), desk.record("y", "A"))
    landed = desk.land(
        *(desk.record("x", payload) for payload in "ABBA"),
        *(desk.record("y", payload) for payload in "BA"),
        *(desk.record("z", payload) for payload in "AAB"),
    )
    assert (landed.fetched, landed.inserted, landed.unchanged) == (9, 6, 3)
    assert [(name, version, bytes(p)) for name, version, p in desk.raw()] == [
        ("x", 1, b"A"),
        ("x", 2, b"B"),
        ("x", 3, b"A"),
        ("y", 1, b"A"),
        ("y", 2, b"B"),
        ("y", 3, b"A"),
        ("z", 1, b"A"),
        ("z", 2, b"B"),
    ]


def test_the_straight_way_gives_way_to_staging(desk: Desk) -> None:
    """A page with one known record lands whole, in the same call."""
    desk.land(desk.record("known"))
    landing = desk.landing()
    landed = landing.land(desk.gathered(desk.record("known"), desk.record("new")))
    assert (landed.inserted, landed.unchanged) == (1, 1)
    assert landing._caution > 0  # and does not try the straight way again at once
    assert landing.land(desk.gathered(desk.record("newer"))).inserted == 1


def test_payloads_are_kept_to_the_byte(desk: Desk) -> None:
    """Covers R12: NUL, invalid UTF-8, every byte; and nothing at all."""
    every = bytes(range(256)) * 3
    records = [("all", every), ("none", b""), ("nul", b'{"a":"\\u0000\x00"}')]
    for straight in (True, False):
        part = desk.plan(f"straight {straight}")[0]
        desk.landing(desk.claim(part), straight=straight).land(
            desk.gathered(*(desk.record(*one) for one in records))
        )
    assert desk.raw() == sorted([(name, 1, payload) for name, payload in records] * 2)


def test_ids_are_any_text(desk: Desk) -> None:
    """Covers R14: ids differ by case, by space, by normal form, and none is another's."""
    ids = ["a", "A", " a", "a ", "é", "e\N{COMBINING ACUTE ACCENT}", "😀", "\\N", "x\ty\n", "0"]
    for straight in (True, False):
        landed = desk.land(*(desk.record(one) for one in ids), straight=straight)
        assert landed.inserted == (len(ids) if straight else 0)
    assert {name for name, *_ in desk.raw()} == set(ids)


CURSORS: list[JSON] = [
    "next",
    "",
    "0",
    0,
    2**63 + 5,
    -1,
    1.5,
    True,
    False,
    {"page": 3, "nested": {"a": [1, None]}},
    {},
    [],
    ["a", 1],
    "nul \0 and \ud800 half a character",
    "e" * 100_000,
    None,
]


def test_a_cursor_comes_back_as_it_was(desk: Desk) -> None:
    """Covers A2.26, G2: opaque, whatever JSON it is; a number keeps all of its digits."""
    before: JSON = None
    for at, cursor in enumerate(CURSORS):
        desk.land(desk.record(str(at)), before=before, cursor=cursor)
        claimed = desk.claim()
        assert claimed.cursor == cursor
        assert type(claimed.cursor) is type(cursor)
        before = cursor


def test_the_high_water_mark_only_rises(desk: Desk) -> None:
    """Covers A1.15: the newest time that was landed, in whatever order and zone times come."""
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    later = noon.astimezone(timezone(timedelta(hours=-9))) + timedelta(hours=1)
    expected: list[Any] = []
    for times in ([None], [noon], [noon - timedelta(days=1), None], [noon, later], []):
        desk.land(*(desk.record(str(n), at=at) for n, at in enumerate(times)))
        expected.append(desk.checkpoint()["high_water"])
    assert expected == [None, noon, noon, later, later]


def test_a_completed_walk_is_counted_and_begins_anew(desk: Desk) -> None:
    """Covers R2: the cursors seen belong to one walk; the end of it forgets them."""
    landing = desk.landing()
    landing.land(desk.gathered(desk.record("a"), cursor="p2", hashes=[b"a" * 8]))
    landing.land(desk.gathered(desk.record("b"), cursor="p3", hashes=[b"b" * 8, b"c" * 8]))
    with desk.store.connection() as session:
        assert seen_cursors(session, desk.claim()) == {b"a" * 8, b"b" * 8, b"c" * 8}
    desk.land(desk.record("c"), cursor="top", complete=True)
    point = desk.checkpoint()
    assert (point["walk"], point["done_by"], point["cursor"]) == (2, desk.job["job_id"], "top")
    with desk.store.connection() as session:
        assert seen_cursors(session, desk.claim()) == set()


def test_every_commit_balances(desk: Desk) -> None:
    """Covers X5, A1.22: fetched = inserted + unchanged + dead-lettered, checked by PostgreSQL."""
    desk.land(desk.record("a"))
    landed = desk.land(
        desk.record("a"), desk.record("b"), bad=[BadRecord(b"1", "r"), BadRecord(b"2", "r")]
    )
    assert (landed.fetched, landed.inserted, landed.unchanged, landed.dead_lettered) == (4, 1, 1, 2)
    with (
        pytest.raises(Exception, match="batches_balance"),
        desk.store.transaction() as session,
    ):
        session.execute("UPDATE headrace.batches SET inserted = inserted + 1")
