"""Interactions to what happened when, each in a sentence: what a person reads of somebody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from headrace.mail.direction import canonical
from headrace.mail.unsent import unsent
from headrace.rows import InteractionRow, Person, TimelineRow
from headrace.stage import StreamContext, stage
from headrace.stages.sentences import about, cancelled, excerpt, sentence

_GITHUB = {
    "issue": "issue_opened",
    "pull_request": "pull_request_opened",
    "comment": "commented",
    "review": "reviewed",
    "commit": "committed",
    "release": "released",
    "notification": "notified",
}

_MOST = 20  # people and files that are listed of one interaction

_PEOPLE = msgspec.json.Decoder(list[Person])


class Details(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What a program may want to know beside the sentence. At most 20 people and files each;
    `others` is how many people more there were."""

    source: str
    subject: str | None = None
    excerpt: str | None = None
    verb: str | None = None
    direction: str | None = None
    thread_id: str | None = None
    people: list[Person] = []
    others: int = 0
    attachments: list[str] = []
    meeting_url: str | None = None
    automated: str | None = None


_ENCODER = msgspec.json.Encoder()


@stage(version=1)
def timeline(rows: Sequence[InteractionRow], stream: StreamContext) -> Iterable[TimelineRow]:
    """One sentence for each interaction; none for a draft and for spam. Pure and idempotent."""
    own = _canonical(stream.addresses)
    return [_told(row, own) for row in rows if not _left_out(row, stream.stream)]


def _told(row: InteractionRow, own: frozenset[str]) -> TimelineRow:
    people = _PEOPLE.decode(row.people)
    mail = row.kind.startswith("email")
    details = Details(
        source=row.source,
        subject=row.subject[:1000] if row.subject else None,
        excerpt=excerpt(row) or None,
        verb=about(row).verb if mail else None,
        direction=row.direction,
        thread_id=row.thread_id,
        people=people[:_MOST],
        others=max(0, len(people) - _MOST),
        attachments=row.attachments[:_MOST],
        meeting_url=row.meeting_url,
        automated=row.automated,
    )
    return TimelineRow(
        source_id=row.source_id,
        version=row.version,
        occurred_at=row.occurred_at,
        kind=_kind(row),
        sentence=sentence(row, people, own),
        details=_ENCODER.encode(details),
    )


def _kind(row: InteractionRow) -> str:
    if row.source == "github":
        return _GITHUB.get(row.kind, row.kind)
    if row.kind.startswith("meeting"):
        return "meeting_cancelled" if cancelled(row) else "meeting"
    return "automated_email" if row.automated and row.kind.startswith("email") else row.kind


def _left_out(row: InteractionRow, stream: str) -> bool:
    if row.source == "github":
        return row.kind == "release" and "draft" in row.labels
    return row.kind.startswith("email") and (
        row.kind == "email_draft" or unsent(row.labels, stream)
    )


@lru_cache(maxsize=64)
def _canonical(addresses: frozenset[str]) -> frozenset[str]:
    return frozenset(canonical(one) for one in addresses)
