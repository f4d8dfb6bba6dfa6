"""The line that separates messages in an mbox: `From sender Thu Nov 26 10:00:00 2026`.

Writers differ, so three shapes count, by how much vouches for each:

    after a blank line, with a date                         every careful writer
    after a blank line, without a date, a header follows    Thunderbird's bare `From `
    no blank line before, with a date, a header follows     exports cut off mid-message

Anything else that starts with `From ` is a sentence in somebody's mail.
"""

from __future__ import annotations

import re
from datetime import datetime

from headrace.mail.dates import parse_date

LONGEST = 1024
"""A separator is not looked for beyond this many bytes of a line."""
WINDOW = LONGEST + 256
"""Bytes after a candidate's newline that suffice to judge it."""

_DAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_TIME = rb"\d{1,2}:\d\d(?::\d\d)?"
_DATE = re.compile(
    rb"[ \t](" + _DAY + rb",?[ ]{1,2}"
    # asctime with an optional zone on either side of the year, or the order of a Date header
    rb"(?:" + _MONTH + rb"[ ]{1,2}\d{1,2}[ ]{1,2}" + _TIME + rb"(?:[ ]{1,2}[A-Z0-9+\-]{1,9}){1,2}"
    rb"|\d{1,2}[ ]{1,2}" + _MONTH + rb"[ ]{1,2}\d{4}[ ]{1,2}" + _TIME + rb"(?:[ ][A-Z0-9+\-]{1,9})?"
    rb"))(?: remote from [^ ]{1,255})?[ \t]*\r?\Z"
)
_HEADER = re.compile(rb">From |[!-9;-~]{1,128}[ \t]*:")


def dated(line: bytes) -> bool:
    """Whether a line that starts with `From ` ends in a date, as separators do."""
    return _DATE.search(line) is not None


def separates(line: bytes, following: bytes, *, after_blank: bool) -> bool:
    """Whether `line` (which starts with `From `) begins a message; `following` is what is next."""
    if dated(line):
        return after_blank or _HEADER.match(following) is not None
    return after_blank and _HEADER.match(following) is not None


def line_date(line: bytes) -> datetime | None:
    """The delivery time a separator states, taken as UTC unless it names a zone; None if absurd.

    Exporters that do not know write the epoch itself, which is therefore no date either.
    """
    found = _DATE.search(line)
    when = parse_date(found[1]) if found else None
    return when if when is not None and when.timestamp() > 0 else None
