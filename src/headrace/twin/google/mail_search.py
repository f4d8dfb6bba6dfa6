"""The part of Gmail's search language that a sync needs; the rest is refused, never ignored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from headrace.twin.google.mail import HIDDEN, Mail
from headrace.twin.google.mailbox import Mailbox
from headrace.twin.google.problem import bad_parameter

Test = Callable[[Mail], bool]
_IS = {"unread": "UNREAD", "starred": "STARRED", "important": "IMPORTANT"}
_IN = {"drafts": "DRAFT", "draft": "DRAFT", "chats": "CHAT"}


def search(box: Mailbox, q: str, label_ids: tuple[str, ...], *, include_hidden: bool) -> Test:
    """Which messages a list holds. Raises Problem (400) for a search it does not understand."""
    tests: list[Test] = []
    for word in q.split():
        test, shows_hidden = _term(box, word)
        include_hidden |= shows_hidden
        tests.append(test)
    wanted = frozenset(label_ids)
    if unknown := wanted - box.labels.keys():
        raise bad_parameter("labelIds", f"Invalid label: {min(unknown)}")
    include_hidden |= bool(wanted & HIDDEN)

    def matches(mail: Mail) -> bool:
        return (
            wanted <= mail.labels
            and (include_hidden or not mail.labels & HIDDEN)
            and all(test(mail) for test in tests)
        )

    return matches


def _term(box: Mailbox, word: str) -> tuple[Test, bool]:
    """The test of one word, and whether it asks for spam and trash as well."""
    negated, word = word.startswith("-"), word.removeprefix("-")
    operator, _, value = word.partition(":")
    shows_hidden = False
    if operator in ("after", "newer"):
        test = _since(_instant_ms(value))
    elif operator in ("before", "older"):
        since = _since(_instant_ms(value))
        test = _not(since)
    elif word == "in:anywhere":
        return _everything, True
    elif operator in ("in", "is", "label"):
        label = _label(box, operator, value)
        shows_hidden = label in HIDDEN and not negated
        test = _labelled(label)
    else:
        raise bad_parameter("q", f"This stand-in does not know how to search for {word}.")
    return (_not(test) if negated else test), shows_hidden


def _label(box: Mailbox, operator: str, value: str) -> str:
    if operator == "is" and value in _IS:
        return _IS[value]
    if operator != "is":
        for label, name in box.labels.items():
            if value.lower() in (label.lower(), name.lower().replace(" ", "-")):
                return label
        if value in _IN:
            return _IN[value]
    raise bad_parameter("q", f"This stand-in does not know {operator}:{value}.")


def _instant_ms(text: str) -> int:
    """Unix milliseconds of epoch seconds, or of a day such as 2025/01/31."""
    if text.isdecimal():
        return int(text) * 1_000
    try:
        day = datetime.fromisoformat(text.replace("/", "-")).replace(tzinfo=UTC)
    except ValueError:
        raise bad_parameter("q", f"{text} is no date.") from None
    return int(day.timestamp()) * 1_000


def _since(ms: int) -> Test:
    return lambda mail: mail.ms >= ms


def _labelled(label: str) -> Test:
    return lambda mail: label in mail.labels


def _not(test: Test) -> Test:
    return lambda mail: not test(mail)


def _everything(_mail: Mail) -> bool:
    return True
