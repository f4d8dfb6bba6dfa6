"""Whether a person wrote a mail, or a program did; and whether an address is a person's at all.

What a mail says of itself and what its sender is are two things. Somebody who accepts an invitation
sends a mail that no person has written, and is a person; a newsletter comes from an address where
none is.
"""

from __future__ import annotations

import re
from typing import Literal

from headrace.mail.addresses import Address, parse_addresses
from headrace.mail.headers import Headers

Reason = Literal["list", "no-reply", "auto-reply", "bot", "calendar"]

_SPLIT = re.compile(r"[._+=-]+")
_NO_REPLY = re.compile(
    r"(?:^|[._+=-])(?:no|not|do[._-]?not|never|dont)[._-]?(?:reply|respond|answer)(?:$|[\d._+=-])"
    r"|(?:^|[._+=-])(?:ne[._-]?pas[._-]?repondre|nicht[._-]?antworten|keine[._-]?antwort"
    r"|no[._-]?responder|nao[._-]?responda|non[._-]?rispondere|niet[._-]?beantwoorden)"
)
_ALWAYS = frozenset({"bounce", "bounces", "notification", "notifications", "newsletter"})
"""Words of an address that no person bears."""
_ALONE = frozenset(
    {
        "mailer-daemon", "mailer_daemon", "mailerdaemon", "postmaster", "notify", "newsletters",
        "alert", "alerts", "nobody", "cron",
    }
)  # fmt: skip
"""Addresses that are this word alone."""
_CALENDARS = (".calendar.google.com", "@calendar.google.com")
_BOTS = (b"x-gitlab-project", b"x-jira-fingerprint", b"x-jenkins-job", b"x-travis-build",
         b"x-bugzilla-reason", b"x-launchpad-message-rationale", b"x-phabricator-to")  # fmt: skip
_ANSWERS = (b"x-autoreply", b"x-autorespond", b"x-autoresponder", b"x-autoreply-from")
_LISTS = (b"list-id", b"list-unsubscribe", b"list-post")
_VIA = re.compile(r"\svia\s|\s\(via\s", re.IGNORECASE)


def nobodys(address: str) -> Reason | None:
    """Why nobody reads what is sent to an address; None where somebody may."""
    local, _, domain = address.rpartition("@")
    if f"@{domain}".endswith(_CALENDARS):
        return "calendar"
    words = _SPLIT.split(local)
    if _ALWAYS.intersection(words) or local in _ALONE or _NO_REPLY.search(local):
        return "no-reply"
    # `bounces+token`, `prvs=token`: made for one mail each.
    return "no-reply" if local.startswith(("reply+", "prvs=", "srs0=")) else None


def why_automated(
    headers: Headers, sender: Address | None, own: bool, invites: bool
) -> Reason | None:
    """Why no person has written a mail. `own`: its sender is the account's owner, who is no list;
    `invites`: it carries an invitation, or the answer to one."""
    if invites:
        return "calendar"
    address = sender.address if sender is not None else ""
    if address and not own and (why := nobodys(address)) is not None:
        return why
    if _answers_by_itself(headers):
        return "auto-reply"
    if own:
        return None
    if any(headers.raw(name) for name in _BOTS):
        return "bot"
    return "list" if _bulk(headers, sender) else None


def author_of(headers: Headers) -> Address | None:
    """Who wrote to a list that puts its own address in the place of theirs, if it tells."""
    for name in (b"x-original-from", b"x-original-sender"):
        if found := parse_addresses(headers.first(name)):
            return found[0]
    return None


def _answers_by_itself(headers: Headers) -> bool:
    said = headers.first(b"auto-submitted").partition(";")[0].strip().lower()
    return (
        said not in ("", "no")
        or headers.first(b"precedence").lower() == "auto_reply"
        or headers.first(b"return-path") == "<>"
        or headers.first(b"content-type")[:16].lower() == "multipart/report"
        or any(headers.raw(name) for name in _ANSWERS)
    )


def _bulk(headers: Headers, sender: Address | None) -> bool:
    """Whether it is a mail to many that nobody wrote to anybody: a newsletter, a notification.

    People write to lists as well. Their mails name an address that takes letters to the list, or
    answer another mail; and the sender is not the list itself.
    """
    precedence = headers.first(b"precedence").lower()
    if precedence in ("bulk", "junk"):
        return True
    if precedence != "list" and not any(headers.raw(name) for name in _LISTS):
        return False
    if sender is None or is_list(headers, sender.address) or _VIA.search(sender.name or ""):
        return author_of(headers) is None
    posts = headers.first(b"list-post").lower()
    return "mailto:" not in posts and not headers.raw(b"in-reply-to")


def is_list(headers: Headers, address: str) -> bool:
    """Whether an address is that of the list which a mail came by."""
    if f"mailto:{address}" in headers.first(b"list-post").lower():
        return True
    name = headers.first(b"list-id").rpartition("<")[2].rstrip("> ").lower()
    return bool(name) and address.replace("@", ".") == name
