"""Gmail's messages to interactions: one row a message, as raw mail makes them."""

from __future__ import annotations

from collections.abc import Iterable

from headrace.mail.direction import direction_of
from headrace.mail.gmail import parse_gmail
from headrace.rows import InteractionRow
from headrace.stage import RawEvent, StreamContext, stage
from headrace.stages.normalise_mail import interaction


@stage(version=2, content="application/vnd.gmail.message+json")
def normalize_google_email(raw: RawEvent, stream: StreamContext) -> Iterable[InteractionRow]:
    """Pure and idempotent. Raises Skip for a message whose structure has no bounds.

    A draft has no direction yet. What it is its labels' ids say: one of the owner's own may be
    called anything.
    """
    mail = parse_gmail(raw.payload)
    sender = mail.sender
    draft = "DRAFT" in mail.labels
    direction = direction_of(sender.address if sender else None, mail.labels, "", stream.addresses)
    kind = "email_sent" if direction == "outbound" else "email_received"
    yield interaction(
        raw,
        mail,
        stream,
        source="gmail",
        kind="email_draft" if draft else kind,
        direction=None if draft else direction,
    )
