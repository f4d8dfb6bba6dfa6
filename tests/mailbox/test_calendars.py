"""Calendar files: each event lands alone, with what it needs of its calendar."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.mailbox import ics
from headrace.mailbox.walk import Filling
from headrace.provider import BadRecord, Page, Record

Walk = Callable[..., dict[str, list[Page]]]

ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:{}\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\n"
    "TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)


def event(uid: str, *lines: str) -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT", ""])


def calendar(*parts: str) -> bytes:
    head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nX-WR-CALNAME:Work\r\n"
    return (head + "".join(parts) + "END:VCALENDAR\r\n").encode()


def cut(data: bytes) -> list[Record | BadRecord]:
    return list(ics.records(ics.cut(data), 0, "a.ics"))


def test_an_event_stands_alone_with_the_zones_it_names() -> None:
    data = calendar(
        ZONE.format("Here"),
        ZONE.format("Elsewhere"),
        event("1", "DTSTART;TZID=Here:20260105T100000", "SUMMARY:One"),
        event("2", 'DTSTART;TZID="Elsewhere":20260105T100000'),
    )
    first, second = cut(data)
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    text = first.payload.decode()
    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n")
    assert "TZID:Here" in text
    assert "Elsewhere" not in text
    assert event("1", "DTSTART;TZID=Here:20260105T100000", "SUMMARY:One") in text
    assert b"TZID:Elsewhere" in second.payload


def test_a_changed_occurrence_is_a_record_of_its_own() -> None:
    series = event("s@x", "DTSTART:20260105T100000Z", "RRULE:FREQ=DAILY")
    moved = event("s@x", "RECURRENCE-ID:20260106T100000Z", "DTSTART:20260106T120000Z")
    ids = [record.source_id for record in cut(calendar(series, moved))]
    assert ids == ["s@x", "s@x/20260106T100000Z"]


def test_a_folded_uid_and_an_alarms_uid() -> None:
    alarm = "BEGIN:VALARM\r\nUID:alarm\r\nTRIGGER:-PT5M\r\nEND:VALARM"
    [first] = cut(calendar(event("long-\r\n uid", alarm)))
    assert first.source_id == "long-uid"
    data = calendar("BEGIN:VEVENT\r\n" + alarm + "\r\nSUMMARY:x\r\nEND:VEVENT\r\n")
    [second] = cut(data)
    assert str(second.source_id).startswith("sha256:")


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("DTSTART:20260105T100000Z", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ("DTSTART;TZID=Europe/Berlin:20260705T100000", datetime(2026, 7, 5, 8, tzinfo=UTC)),
        ("DTSTART;VALUE=DATE:20260105", datetime(2026, 1, 5, tzinfo=UTC)),
        ("DTSTART:20260105T100000", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ("DTSTART;TZID=../../etc/passwd:20260105T100000", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ("DTSTART:99991231T235959Z", None),
        ("DTSTART:16010101T000000", None),
        ("DTSTART:20261399", None),
        ("DTSTART:tomorrow", None),
        ("SUMMARY:no start", None),
    ],
)
def test_when_an_event_starts(start: str, expected: datetime | None) -> None:
    [record] = cut(calendar(event("1", start)))
    assert isinstance(record, Record)
    assert record.occurred_at == expected


def test_an_event_that_is_not_closed_is_a_bad_record_and_hides_none() -> None:
    data = calendar("BEGIN:VEVENT\r\nUID:open\r\n", event("2")) + b"BEGIN:VEVENT\r\nUID:cut"
    good, *bad = cut(data)
    assert good.source_id == "2"
    assert [type(one) for one in bad] == [BadRecord, BadRecord]
    assert "not closed" in bad[0].reason  # type: ignore[union-attr]


@given(
    st.lists(
        st.sampled_from(
            ["BEGIN:VEVENT", "END:VEVENT", "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VALARM",
             "END:VALARM", "UID:1", "x", "BEGIN:VTIMEZONE", "TZID:Z", "END:VTIMEZONE", "", "END:X"]
        ),
        max_size=25,
    )
)  # fmt: skip
def test_no_event_is_ever_left_out(lines: list[str]) -> None:
    """Whatever is nested in whatever: each BEGIN:VEVENT is in one record or bad record."""
    data = "\r\n".join(lines).encode()
    items = cut(data)
    bodies = b"".join(
        item.payload.partition(b"\r\nBEGIN:VEVENT")[1] if isinstance(item, Record) else item.raw
        for item in items
    )
    assert bodies.count(b"BEGIN:VEVENT") >= lines.count("BEGIN:VEVENT")


def test_a_frame_does_not_multiply() -> None:
    """A large calendar property or zone would be repeated in every event."""
    data = calendar("X-BIG:" + "y" * 100_000 + "\r\n", ZONE.format("Here") + event("0"))
    fat = ZONE.format("Here").replace(
        "END:VTIMEZONE", "X-FAT:" + "z" * 100_000 + "\r\nEND:VTIMEZONE"
    )
    data += calendar(fat, *(event(str(n), "DTSTART;TZID=Here:20260105T100000") for n in range(50)))
    assert sum(len(item.payload) for item in cut(data) if isinstance(item, Record)) < 20_000


def test_walking_a_calendar_page_by_page(
    tmp_path: Path, walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """68 events is what the original synced first. Covers A3.50."""
    monkeypatch.setattr(Filling, "messages", 10)
    path = tmp_path / "work.ics"
    path.write_bytes(
        calendar(*(event(f"{n}@x") for n in range(68)), "BEGIN:VTODO\r\nEND:VTODO\r\n")
    )
    pages = walk(path, afresh=True)["work.ics"]
    found = [record.source_id for page in pages for record in page.records]
    assert found == [f"{n}@x" for n in range(68)]
    assert pages[-1].notes == {"ignored": "1 components that are no events"}
    [page] = walk(path, {"work.ics": pages[-1].cursor})["work.ics"]
    assert not page.records
    path.write_bytes(calendar(event("new@x")))
    [page] = walk(path, {"work.ics": pages[3].cursor})["work.ics"]
    assert [record.source_id for record in page.records] == ["new@x"]


def test_mail_and_calendar_of_one_takeout(
    tmp_path: Path, walk: Walk, mboxrd: Callable[..., bytes], mail: Callable[..., bytes]
) -> None:
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Takeout/Calendar/Work.ics", calendar(event("1"), event("2")))
        archive.writestr("Takeout/Mail/Inbox.mbox", mboxrd([mail(1)]))
    pages = walk(path)
    assert {name: len(found[0].records) for name, found in pages.items()} == {
        "t.zip!/Takeout/Calendar/Work.ics": 2,
        "t.zip!/Takeout/Mail/Inbox.mbox": 1,
    }
