"""Raw mail to interactions: one row a message, ready to be searched and linked to contacts."""

from __future__ import annotations

from collections.abc import Iterable

from headrace.mail.automated import why_automated
from headrace.mail.direction import direction_of, is_own
from headrace.mail.meetings import meeting_in
from headrace.mail.message import Mail, parse
from headrace.mail.replies import is_forward, own_words
from headrace.rows import InteractionRow
from headrace.stage import RawEvent, StreamContext, stage
from headrace.stages.people import as_json, of_mail
from headrace.text import text_hash, text_to_embed


@stage(version=2, content="message/rfc822")
def normalize_mail(raw: RawEvent, stream: StreamContext) -> Iterable[InteractionRow]:
    """Pure and idempotent. Raises Skip for a message whose structure has no bounds."""
    mail = parse(raw.payload)
    sender = mail.sender
    direction = direction_of(
        sender.address if sender else None, mail.labels, stream.stream, stream.addresses
    )
    yield interaction(
        raw,
        mail,
        stream,
        source="mailbox",
        kind="email_sent" if direction == "outbound" else "email_received",
        direction=direction,
    )


def interaction(
    raw: RawEvent,
    mail: Mail,
    stream: StreamContext,
    *,
    source: str,
    kind: str,
    direction: str | None,
) -> InteractionRow:
    """The row of a message, whatever it came by."""
    sender = mail.sender
    own = is_own(sender.address if sender else None, stream.addresses)
    automated = why_automated(mail.headers, sender, own, mail.invites)
    said = own_words(mail.body, forwards=is_forward(mail.subject))
    text = text_to_embed(mail.subject, said.unquoted, mail.body)
    return InteractionRow(
        source_id=raw.source_id,
        version=raw.version,
        source=source,
        kind=kind,
        occurred_at=raw.occurred_at or mail.date,
        direction=direction,
        thread_id=mail.thread_id or raw.source_id,
        message_id=mail.message_id,
        from_name=sender.name if sender else None,
        from_address=sender.address if sender else None,
        to_addresses=[one.address for one in mail.to],
        cc_addresses=[one.address for one in mail.cc],
        subject=mail.subject,
        body=mail.body,
        labels=[mail.label_names.get(one, one) for one in mail.labels],
        attachments=mail.attachments,
        people=as_json(of_mail(mail, automated, said.signature, own)),
        unquoted=said.unquoted,
        signature=said.signature,
        automated=automated,
        meeting_url=meeting_in(mail.body if said.unquoted is None else said.unquoted),
        text_hash=text_hash(text) if mail.body or automated is None else None,
    )
