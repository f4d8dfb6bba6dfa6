"""Slices of one stream that are landed side by side, and meet in the same records."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from headrace.provider import BadRecord, Record

if TYPE_CHECKING:
    from tests.store.conftest import Desk

# PostgreSQL writes what it gets by COPY a thousand rows at a time: this many are on their way into
# the table when the slices meet.
_BLOCK = 1_500


class Meeting(list[Record]):
    """Two blocks of records, between which one waits for the other slice to be there too."""

    def __init__(self, first: list[Record], second: list[Record]) -> None:
        super().__init__([*first, *second])
        self.here = threading.Event()
        self.other = threading.Event()

    def __iter__(self) -> Iterator[Record]:
        for at, one in enumerate(list.__iter__(self)):
            if at == _BLOCK:
                self.here.set()
                assert self.other.wait(30)
            yield one


@pytest.mark.parametrize("straight", [(True, True), (True, False), (False, False)])
def test_opposite_orders_do_not_deadlock(desk: Desk, straight: tuple[bool, bool]) -> None:
    """Covers A2.41, A2.42: both are in their transactions when they meet; whatever PostgreSQL makes
    of the one that comes second, it lands all the same."""
    parts = desk.plan("cut", "left", "right")
    a, b = ([desk.record(f"{name}{n:04}", b"x" * 99) for n in range(_BLOCK)] for name in "ab")
    left, right = Meeting(a, b), Meeting(b, a)
    left.other, right.other = right.here, left.here
    with ThreadPoolExecutor(2) as pool:
        running = []
        for part, records, way in zip(parts, (left, right), straight, strict=True):
            gathered = desk.gathered(cursor=part.slice)
            gathered.records = records
            landing = desk.landing(desk.claim(part), straight=way)
            running.append(pool.submit(landing.land, gathered))
        landed = [one.result(60) for one in running]
    assert sum(one.inserted for one in landed) == 2 * _BLOCK
    assert sum(one.unchanged for one in landed) == 2 * _BLOCK
    assert [row[:2] for row in desk.raw()] == [(one.source_id, 1) for one in [*a, *b]]
    assert [desk.checkpoint(part)["cursor"] for part in parts] == ["left", "right"]


def test_four_slices_of_the_same_records_land_each_once(desk: Desk) -> None:
    """Covers A2.42, R3: every slice brings everything, shuffled, in several commits."""
    parts = desk.plan("cut", "1", "2", "3", "4")
    names = [f"record {n:03}" for n in range(300)]

    def walk(at: int) -> tuple[int, int]:
        landing = desk.landing(desk.claim(parts[at]))
        order = random.Random(at).sample(names, len(names))
        landed = [
            landing.land(desk.gathered(*(desk.record(one) for one in order[at : at + 60])))
            for at in range(0, 300, 60)
        ]
        return sum(one.inserted for one in landed), sum(one.unchanged for one in landed)

    with ThreadPoolExecutor(4) as pool:
        totals = list(pool.map(walk, range(4)))
    assert [row[:2] for row in desk.raw()] == [(name, 1) for name in names]
    assert sum(inserted for inserted, _ in totals) == 300
    assert sum(unchanged for _, unchanged in totals) == 900


def test_the_same_dead_letters_in_opposite_orders(desk: Desk) -> None:
    """Covers X5: two slices that bury the same records do not stop each other."""
    parts = desk.plan("cut", "left", "right")
    bad = [BadRecord(b"%d" % n, "broken", source_id=f"{n:04}") for n in range(400)]

    def walk(at: int) -> int:
        landing = desk.landing(desk.claim(parts[at]))
        order = bad if at == 0 else bad[::-1]
        return sum(landing.land(desk.gathered(bad=order)).dead_lettered for _ in range(5))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(walk, range(2))) == [2000, 2000]
    assert desk.rows("SELECT attempts, count(*) FROM headrace.dead_letters GROUP BY 1") == [
        (10, 400)
    ]
