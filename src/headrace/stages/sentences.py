"""What happened, in one plain sentence of bounded length: who did what, and what it was about.

Ann Lee wrote: Q3 report (attached: q3.pdf)
You replied to Ann Lee and 2 others: Q3 report
Meeting with Ann Lee: Planning
Ann Lee opened pull request #12: Faster start
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import msgspec

from headrace.mail.direction import canonical
from headrace.rows import InteractionRow, Person
from headrace.text import one_line

LONGEST = 300
"""Characters of a sentence."""

_NAME, _ABOUT, _EXCERPT, _FILE = 60, 160, 120, 60  # characters of each
_READ = 600  # characters of a text that an excerpt is made of

_PREFIX = re.compile(
    r"\s*(?:(?P<reply>re|aw|sv|antw|ref|rif|odp|ynt|res|回复|答复|回覆|返信)"
    r"|(?P<forward>fwd?|wg|tr|rv|vl|enc|doorst|转发|轉寄|転送))"
    r"\s?(?:\[\d{1,3}\]|\(\d{1,3}\))?\s?[:\uff1a]",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9-]{0,20}(?:\s[^<>]{0,300})?/?>")
_LINK = re.compile(r"!?\[([^\[\]]{0,200})\]\([^()\s]{0,1000}\)")
_QUOTED = re.compile(r"^\s{0,3}(?:>|```|~~~|[-*_]{3,}\s*$).*$", re.MULTILINE)
_LEADING = re.compile(r"^\s{0,8}(?:#{1,6}\s|[-*+]\s(?:\[[ xX]\]\s)?)", re.MULTILINE)
_MARKS = re.compile(r"\*{1,3}|`{1,3}|~~|(?<!\w)_{1,2}(?=\w)|(?<=\w)_{1,2}(?!\w)")

_VERDICTS = {
    "approved": "approved",
    "changes_requested": "asked for changes in",
    "dismissed": "reviewed",
}


class About(msgspec.Struct):
    """A subject without what mail programs put in front of it, which says how it was meant."""

    text: str
    verb: str


def sentence(row: InteractionRow, people: Sequence[Person], own: Collection[str]) -> str:
    """One sentence about an interaction. `own` are the owner's addresses, canonical."""
    if row.source == "github":
        told = _github(row, people)
    elif row.kind.startswith("meeting"):
        told = _meeting(row, people, own)
    else:
        told = _message(row, people, own)
    return one_line(told, LONGEST)


def about(row: InteractionRow) -> About:
    """What a message is about: its subject, or else its first words."""
    text, found = (row.subject or "")[:_READ], []
    while prefix := _PREFIX.match(text):
        found.append("replied" if prefix["reply"] else "forwarded")
        text = text[prefix.end() :]
    text = one_line(_untagged(text), _ABOUT) or excerpt(row)
    return About(text, found[0] if found else "wrote")


def excerpt(row: InteractionRow) -> str:
    """The first words of what somebody said, without markup."""
    text = (row.unquoted or row.body)[:_READ]
    if row.source == "github":
        text = _LINK.sub(r"\1", _QUOTED.sub("", _COMMENT.sub("", text)))
        text = _MARKS.sub("", _LEADING.sub("", text))
    return one_line(_untagged(text), _EXCERPT)


def _message(row: InteractionRow, people: Sequence[Person], own: Collection[str]) -> str:
    sender = _first(people, "from") or _plain(row.from_name or row.from_address) or "Somebody"
    said = about(row)
    if row.automated:
        who = f"Automated mail from {sender}"
    else:
        mine = row.direction == "outbound"
        to = "" if row.direction == "inbound" else _several(_others(people, own, "to", "cc"))
        who = f"{'You' if mine else sender} {said.verb}{f' to {to}' if to else ''}"
    return f"{_with(who, said.text)}{_attached(row.attachments)}"


def _meeting(row: InteractionRow, people: Sequence[Person], own: Collection[str]) -> str:
    others = _several(_others(people, own, "organizer", "attendee", "from", "to"))
    what = f"Meeting with {others}" if others else "Appointment"
    if cancelled(row):
        what = f"Cancelled: {what[0].lower()}{what[1:]}"
    return _with(what, one_line(_untagged(row.subject or ""), _ABOUT))


def cancelled(row: InteractionRow) -> bool:
    """Whether a meeting will not take place."""
    return row.kind == "meeting_cancelled" or "cancelled" in row.labels


def _github(row: InteractionRow, people: Sequence[Person]) -> str:
    who = _first(people, "author", "from") or _plain(row.from_name) or "Somebody"
    who = "You" if row.direction == "outbound" else who
    number = (row.thread_id or "").rpartition("#")[2] if "#" in (row.thread_id or "") else ""
    thread = f" #{number}" if number else ""
    title, said = one_line(_untagged(row.subject or ""), _ABOUT), excerpt(row)
    match row.kind:
        case "issue":
            return _with(f"{who} opened issue{thread}", title)
        case "pull_request":
            return _with(f"{who} opened pull request{thread}", title)
        case "comment":
            return _with(f"{who} commented{thread and f' on{thread}'}", said)
        case "review":
            verdict = _VERDICTS.get(row.labels[0] if row.labels else "", "reviewed")
            return _with(f"{who} {verdict}{thread or ' a pull request'}", said)
        case "commit":
            return _with(f"{who} committed", title or said)
        case "release":
            return f"{who} published release {title}".rstrip()
        case "notification":
            reason = next((one.replace("_", " ") for one in row.labels if one != "unread"), "")
            return _with(f"GitHub notified you{f' ({_plain(reason)})' if reason else ''}", title)
        case _:
            return _with(who, title or said)


def _first(people: Sequence[Person], *roles: str) -> str:
    return next((_named(one) for one in people if one.role in roles), "")


def _others(people: Sequence[Person], own: Collection[str], *roles: str) -> list[str]:
    """The names of those in these roles who are not the owner, each once."""
    found: dict[str, str] = {}
    for one in people:
        if one.role in roles and not (one.kind == "email" and canonical(one.value) in own):
            found.setdefault(one.value, _named(one))
    return list(found.values())


def _several(names: Sequence[str]) -> str:
    if len(names) < 3:
        return " and ".join(names)
    return f"{names[0]} and {len(names) - 1} others"


def _named(person: Person) -> str:
    return _plain(person.name) or _plain(person.value)


def _plain(text: str | None) -> str:
    return one_line(_untagged(text or ""), _NAME)


def _untagged(text: str) -> str:
    return _TAG.sub(" ", _COMMENT.sub(" ", text)) if "<" in text else text


def _with(what: str, about: str) -> str:
    return f"{what}: {about}" if about else f"{what}."


def _attached(files: Sequence[str]) -> str:
    if not files:
        return ""
    more = len(files) - 1
    rest = "" if not more else " and 1 more file" if more == 1 else f" and {more} more files"
    return f" (attached: {one_line(files[0], _FILE) or 'a file'}{rest})"
