"""One mbox in which five programs wrote: as it looks after years of moving house."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from headrace.provider import Page

Walk = Callable[..., dict[str, list[Page]]]


def test_five_writers_in_one_mbox(data: Path, walk: Walk) -> None:
    [page] = walk(data / "mixed_writers.mbox")["mixed_writers.mbox"]
    assert not page.bad
    ids = [record.source_id.split("/")[0] for record in page.records]
    assert ids == [
        "t1@example.com",
        "t2@example.com",
        "t3@example.com",
        "t4@example.com",
        "t5@example.org",
    ]
    assert b"\nFrom here on it is quoted.\n" in page.records[0].payload
    assert b"From prose, not a separator" in page.records[1].payload
    assert page.records[4].payload.endswith(b"without a newline.")


def test_when_they_happened(data: Path, walk: Walk) -> None:
    """The Date header, else the separator, else nothing. Covers G14."""
    [page] = walk(data / "mixed_writers.mbox")["mixed_writers.mbox"]
    assert [record.occurred_at for record in page.records] == [
        datetime(2026, 1, 5, 10, tzinfo=UTC),
        datetime(2026, 1, 5, 11, tzinfo=UTC),
        None,
        None,
        datetime(2026, 1, 6, 12, tzinfo=UTC),
    ]


def test_the_hand_written_mails_all_land(data: Path, walk: Walk) -> None:
    pages = walk(data)
    assert {name: len(found[0].records) for name, found in pages.items()} == {
        "data": 6,
        "mixed_writers.mbox": 5,
    }
