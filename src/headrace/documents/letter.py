"""A mail as a document: who, to whom, when, about what, and what it says.

Read by `headrace.mail`; kreuzberg 4.10 runs the words of HTML mail together and keeps its entities.
"""

from __future__ import annotations

from headrace.documents.reading import LONGEST_TITLE, Reading, tidy
from headrace.mail.addresses import Address
from headrace.mail.message import parse


def read_mail(media_type: str, content: bytes) -> Reading:
    """The mail's chief headers, a blank line, its body as plain text; attachments are files of
    their own. Raises Skip for a mail whose structure has no bounds."""
    mail = parse(content)
    lines = [
        ("Subject", mail.subject),
        ("From", _shown(mail.sender) if mail.sender else None),
        ("To", ", ".join(map(_shown, mail.to))),
        ("Cc", ", ".join(map(_shown, mail.cc))),
        ("Date", mail.date.isoformat(" ", "minutes") if mail.date else None),
    ]
    head = "\n".join(f"{name}: {value}" for name, value in lines if value)
    title = tidy(mail.subject or "").strip()[:LONGEST_TITLE]
    return Reading(media_type, title or None, tidy(f"{head}\n\n{mail.body}"), [], [])


def _shown(address: Address) -> str:
    return f"{address.name} <{address.address}>" if address.name else address.address
