"""People as rows hold them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from headrace.mail.addresses import Address
from headrace.mail.automated import author_of, is_list, nobodys
from headrace.mail.event import CalendarEvent, Guest
from headrace.mail.headers import Headers
from headrace.mail.message import Mail
from headrace.mail.signatures import phones_in
from headrace.rows import Person

as_json = msgspec.json.Encoder().encode
"""People, or guests, as a row holds them."""

_NOBODY = frozenset({"list", "no-reply", "bot"})
"""Why a mail is automated where its sender is no person either."""


def of_mail(mail: Mail, automated: str | None, signature: str | None, own: bool) -> list[Person]:
    """Who wrote a mail, to whom, and by which numbers its sender can be called. `own`: it is the
    account's owner who wrote it."""
    people: list[Person] = []
    sender = author_of(mail.headers) or mail.sender
    if sender is not None:
        why = automated if automated in _NOBODY else None
        people.append(_email("from", sender.address, sender.name, why))
    # Where programs, and lists, want answers to go is not where somebody is.
    listed = bool(mail.headers.raw(b"list-id") or mail.headers.raw(b"list-post"))
    if automated is None and not own and not listed:
        people += [one for one in _emails("reply_to", mail.reply_to) if one.automated is None]
    for role, addresses in (("to", mail.to), ("cc", mail.cc), ("bcc", mail.bcc)):
        people += _emails(role, addresses, mail.headers if listed else None)
    if signature is not None and sender is not None and automated is None:
        people += [Person("from", "phone", one, sender.name) for one in phones_in(signature)]
    return people


def of_event(event: CalendarEvent) -> list[Person]:
    """Who has asked whom to an event, and what they have answered."""
    organizer = event.by or event.organizer
    people = [] if organizer is None else [_guest("organizer", organizer)]
    people += [_guest("attendee", one) for one in event.guests]
    return people


def _guest(role: str, one: Guest) -> Person:
    why = "room" if one.room else nobodys(one.address)
    answer = one.answer if role == "attendee" else None
    return Person(role, "email", one.address, one.name, answer, why)


def _email(role: str, address: str, name: str | None, why: str | None = None) -> Person:
    return Person(role, "email", address, name, automated=nobodys(address) or why)


def _emails(
    role: str, addresses: Iterable[Address], headers: Headers | None = None
) -> list[Person]:
    """Several in one role; `headers` are those of a mail that came by a list."""
    return [
        _email(
            role,
            one.address,
            one.name,
            "list" if headers is not None and is_list(headers, one.address) else None,
        )
        for one in addresses
    ]
