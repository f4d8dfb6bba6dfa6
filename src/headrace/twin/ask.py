"""What a request for events asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from headrace.twin.cursors import Cursors, Walk
from headrace.twin.message import Refused
from headrace.twin.timeline import first_index_at

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ask:
    """`limit` events of a walk, from where it stands."""

    walk: Walk
    limit: int

    @property
    def page(self) -> range:
        """The indexes of the events that answer it."""
        return range(self.walk.at, min(self.walk.at + self.limit, self.walk.stop))


def read_ask(query: dict[str, str], cursors: Cursors, total: int) -> Ask:
    """Read `limit`, and `cursor` or the `since` (inclusive) and `until` (exclusive) of a new walk.

    Beside a cursor `since` and `until` are ignored: it knows its walk. Raises Refused (400).
    """
    # Too large a limit is capped without a word, as the original does.
    limit = min(_number("limit", query.get("limit", str(DEFAULT_LIMIT))), LARGEST_LIMIT)
    if limit < 1:
        raise _refusal("limit", "must be at least 1")
    if cursor := query.get("cursor"):
        return Ask(cursors.read(cursor), limit)
    stop = min(total, _index("until", query["until"])) if "until" in query else total
    start = min(stop, _index("since", query["since"])) if "since" in query else 0
    return Ask(Walk(start=start, stop=stop, at=start), limit)


def _index(name: str, text: str) -> int:
    """The first event at or after ISO 8601 (UTC unless it says) or Unix milliseconds."""
    if text.isdecimal():
        return first_index_at(int(text))
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise _refusal(name, "must be ISO 8601 or Unix milliseconds") from None
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    # Integers and rounded up: the first event at or after, to the millisecond, of any instant.
    return first_index_at(-((_EPOCH - instant) // timedelta(milliseconds=1)))


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _refusal(name, "must be a whole number") from None


def _refusal(name: str, problem: str) -> Refused:
    return Refused(400, f"{name} {problem}.", code="INVALID_PARAMETER")
