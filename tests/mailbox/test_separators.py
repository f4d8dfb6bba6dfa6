"""Which lines separate messages, as writers really write them, and which dates they state."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from headrace.mail.dates import parse_date
from headrace.mailbox.fromline import dated, line_date, separates

REAL = [
    b"From MAILER-DAEMON Thu Jan  1 00:00:00 1970",
    b"From 1446353535352356@xxx Thu Oct 02 12:00:00 +0000 2014",  # Google Takeout
    b"From - Mon Jan 05 10:00:00 2026",  # Thunderbird
    b"From joe at example.com  Fri Feb 13 23:31:30 2009",  # Mailman's archives
    b"From joe@example.com Fri Feb 13 23:31 2009",
    b"From joe@example.com Fri Feb 13 23:31:30 PST 2009",
    b"From joe@example.com Fri Feb 13 23:31:30 2009 +0100",
    b"From joe@example.com Fri, 13 Feb 2009 23:31:30 +0100",
    b"From uunet!joe Fri Feb 13 23:31:30 2009 remote from uunet",
    b'From "john doe"@example.com Fri Feb 13 23:31:30 2009\r',
]
PROSE = [
    b"From now on we meet on Mondays.",
    b"From what I heard on Fri Feb 13 it was late",
    b"From Oslo to Bergen: Mon Jan 05 10:00:00 2026 is the departure",
    b"From ",
    b"From: joe@example.com",
]


@pytest.mark.parametrize("line", REAL)
def test_separators_of_real_writers(line: bytes) -> None:
    assert dated(line)
    assert separates(line, b"anything", after_blank=True)
    assert separates(line, b"Subject: x", after_blank=False)


@pytest.mark.parametrize("line", REAL)
def test_without_a_blank_line_before_a_header_has_to_follow(line: bytes) -> None:
    assert not separates(line, b"and then he said", after_blank=False)


@pytest.mark.parametrize("line", PROSE)
def test_sentences_do_not_separate(line: bytes) -> None:
    assert not dated(line)
    assert not separates(line, b"more prose\n", after_blank=True)
    assert not separates(line, b"Subject: x\n", after_blank=False)


def test_thunderbirds_bare_separator_counts_where_headers_follow() -> None:
    assert separates(b"From ", b"X-Mozilla-Status: 0001\n", after_blank=True)
    assert separates(b"From - ", b">From joe Mon Jan 5 2026\n", after_blank=True)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (REAL[1], datetime(2014, 10, 2, 12, tzinfo=UTC)),
        (REAL[2], datetime(2026, 1, 5, 10, tzinfo=UTC)),
        (REAL[6], datetime(2009, 2, 13, 22, 31, 30, tzinfo=UTC)),
        (REAL[7], datetime(2009, 2, 13, 22, 31, 30, tzinfo=UTC)),
        (REAL[0], None),  # the epoch is what those write who do not know
        (b"From x Mon Jan 05 10:00:00 1901", None),
        (b"From x", None),
    ],
)
def test_dates_of_separators(line: bytes, expected: datetime | None) -> None:
    assert line_date(line) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b" Thu, 26 Nov 2026 10:00:00 +0530", datetime(2026, 11, 26, 4, 30, tzinfo=UTC)),
        (b"26 Nov 2026 10:00 -0000 (comment)", datetime(2026, 11, 26, 10, tzinfo=UTC)),
        (b"Thu, 26 Nov 2026 10:00:60 GMT", datetime(2026, 11, 26, 10, 0, 59, tzinfo=UTC)),
        (b"Thu, 26 Nov 2026 10:00:00 EST", datetime(2026, 11, 26, 15, tzinfo=UTC)),
        (b"Thu, 26 Nov 26 10:00:00 +0000", datetime(2026, 11, 26, 10, tzinfo=UTC)),
        (b"Thu,\r\n 26 Nov 2026 10:00:00 +0000", datetime(2026, 11, 26, 10, tzinfo=UTC)),
        (b"Fri, 31 Dec 9999 23:59:59 -2359", None),
        (b"Mon, 99 Xyz 9999 77:99", None),
        (b"Thu, 01 Jan 1970 00:00:00 +0001", None),
        (b"Fri, 01 Jan 2100 00:00:00 +0000", None),
        (b"Thu, 31 Feb 2026 10:00:00 +0000", None),
        (b"Thu, 26 Nov 2026 10:00:00 +9999", None),
        (b"", None),
        (b"\xff\0\xfe", None),
        (b"9" * 100_000, None),
        (b"Thu, " * 50_000, None),
    ],
)
def test_dates_are_bounded(value: bytes, expected: datetime | None) -> None:
    """G14: a Date header is the sender's claim; absurd ones are none. Covers G14."""
    assert parse_date(value) == expected
