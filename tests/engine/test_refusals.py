"""Records that PostgreSQL cannot hold: they are found, buried alone, and the rest lands."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from headrace.provider import BadRecord, Page, Record

if TYPE_CHECKING:
    from tests.engine.conftest import Trail

# What cannot be compressed; an index does compress what is long and dull, and then it fits.
LONG = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=3_000))
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)

IMPOSSIBLE = {
    "NUL in the id": Record("a\0b", b"raw"),
    "half a character in the id": Record("a\ud800b", b"raw"),
    "an id of three kilobytes": Record(LONG, b"raw"),
    "a time without a zone": Record("naive", b"raw", NOON.replace(tzinfo=None)),
    "a time that UTC puts past the year 9999": Record(
        "late", b"raw", datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-12)))
    ),
    "a time that UTC puts before the year 1": Record(
        "early", b"raw", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    ),
}


@pytest.mark.parametrize("bad", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
async def test_an_impossible_record_is_buried_alone(trail: Trail, bad: Record) -> None:
    """Covers R12, R14, G14, X5: with its bytes and the reason; its page lands, and balances."""
    good = [Record("first", b"1", NOON), bad, Record("last", b"2")]
    trail.answers(lambda _: Page(good, "top", more=False))
    assert (await trail.leg()).state == "done"
    assert trail.raw() == ["first", "last"]
    [batch] = trail.batches()
    assert (batch["fetched"], batch["inserted"], batch["dead_lettered"]) == (3, 2, 1)
    [letter] = trail.bench.rows("SELECT raw, reason, hint, stage FROM headrace.dead_letters")
    assert (letter["raw"], letter["stage"]) == (b"raw", "landing")
    assert letter["reason"].startswith("PostgreSQL cannot hold it.")
    assert trail.checkpoint()["cursor"] == "top"


async def test_all_of_them_at_once_beside_known_records(trail: Trail) -> None:
    """Covers X5: by way of staging as well, and beside records the provider found bad itself."""
    trail.answers(lambda _: Page([Record("known", b"1")], "a", more=False))
    assert (await trail.leg()).state == "done"
    trail.next_job()
    records = [Record("known", b"1"), *IMPOSSIBLE.values(), Record("new", b"2")]
    page = Page(records, "b", more=False, bad=[BadRecord(b"?", "No id.")])
    trail.answers(lambda _: page)
    assert (await trail.leg()).state == "done"
    batch = trail.batches()[-1]
    assert (batch["fetched"], batch["inserted"], batch["unchanged"], batch["dead_lettered"]) == (
        len(records) + 1,
        1,
        1,
        len(IMPOSSIBLE) + 1,
    )
    assert trail.raw() == ["known", "new"]


async def test_the_first_and_last_times_that_fit(trail: Trail) -> None:
    """Everything that lands can be read again: a time that cannot would stop its stage."""
    times = [
        datetime(1, 1, 3, tzinfo=UTC),
        datetime(9999, 12, 30, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    ]
    records = [Record(f"{n}", b"", at) for n, at in enumerate(times)]
    trail.answers(lambda _: Page(records, None, more=False))
    assert (await trail.leg()).state == "done"
    rows = trail.bench.rows("SELECT occurred_at FROM headrace.raw_events ORDER BY source_id")
    assert [row["occurred_at"] for row in rows] == times


async def test_a_refusal_nobody_can_explain_is_an_error(trail: Trail) -> None:
    """Covers A2.36: a cursor that is not JSON to PostgreSQL; no record is blamed for it."""
    trail.answers(lambda _: Page([Record("a", b"")], float("nan"), more=True))
    ended = await trail.leg()
    assert (ended.state, "no record in it can be blamed" in ended.error) == ("human", True)
    assert trail.raw() == []
