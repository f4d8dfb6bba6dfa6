"""Address lists in headers (RFC 5322): names, quoted commas, comments, groups, encoded words.

Names are decoded only after the list has been taken apart, so that an encoded comma separates
nothing and an encoded address is never taken for the sender's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from headrace.mail.words import decode_words
from headrace.text import clean_text

MOST = 1_000
"""Addresses read from one header; a longer list is cut there."""

_LONGEST_ADDRESS = 320
_LONGEST_NAME = 200
_LONGEST_LIST = 256 * 1024
# One token each: a quoted string, <address>, [literal], a special, a run of text (in which a
# backslash takes the next character with it, or an open quote would be tried again and again),
# white space, and whatever is left.
_TOKEN = re.compile(
    r'"((?:[^"\\]|\\.)*+)"|<([^<>]*)>|(\[[^\[\]]*\])|([,;:()])'
    r'|((?:[^",;:()<\[\s\\]|\\.)+)|(\s+)|(.)',
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_COMMENT = re.compile(r"\([^()]*\)")
_SPACES = re.compile(r"\s+")
_PLAIN_ADDRESS = re.compile(r"[^\s@<>,;:()\"]+@[^\s@<>,;:()\"]+")


class Address(msgspec.Struct, frozen=True, gc=False):
    """A mailbox: `address` is lower-cased; `name` is decoded, None if there was only an address."""

    address: str
    name: str | None = None


class _Mailbox:
    """One entry of a list while it is being read."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.comment: list[str] = []
        self.angled: str | None = None

    def finish(self) -> Address | None:
        phrase = "".join(self.words).strip()
        if self.angled is not None:
            return _address(self.angled, phrase or "".join(self.comment))
        if "@" in phrase:
            return _address(phrase, "".join(self.comment))
        # Some senders encode the whole of `Name <address>`; only then is there no address outside.
        decoded = decode_words(phrase)[:_LONGEST_NAME] if "=?" in phrase else ""
        found = _PLAIN_ADDRESS.search(decoded)
        return _address(found[0], decoded[: found.start()].rstrip(" <")) if found else None


def parse_addresses(value: str) -> list[Address]:
    """The addresses in a header's value, in order; entries without one are left out."""
    result: list[Address] = []
    for entry in _entries(value):
        address = entry.finish()
        if address is not None:
            result.append(address)
            if len(result) == MOST:
                break
    return result


def _entries(value: str) -> Iterator[_Mailbox]:
    entry, depth = _Mailbox(), 0
    grouped = ";" in value  # without one, a colon is only a careless display name
    for token in _TOKEN.finditer(value, 0, _LONGEST_LIST):
        quoted, angled, literal, special, run, _, _ = token.groups()
        if special == "(":
            depth += 1
        elif special == ")":
            depth = max(0, depth - 1)
        elif depth:
            entry.comment.append(token[0])
        elif special in (",", ";"):
            yield entry
            entry = _Mailbox()
        elif special == ":" and grouped:
            entry = _Mailbox()  # what stood before it was the name of a group
        elif angled is not None:
            if entry.angled is None:
                entry.angled = angled
        elif quoted is not None:
            entry.words.append(_ESCAPE.sub(r"\1", quoted))
        else:
            entry.words.append(literal or run or token[0])
    yield entry


def _address(text: str, name: str) -> Address | None:
    """The address if it has the shape of one, with a name worth keeping."""
    text = _COMMENT.sub("", text)
    # `<@relay,@relay:user@host>` is a route, long obsolete.
    address = _SPACES.sub("", text.rpartition(":")[2] if text.startswith("@") else text)
    address = clean_text(address.removeprefix("mailto:").strip("<>'\".")).lower()
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or len(address) > _LONGEST_ADDRESS:
        return None
    shown = clean_text(_SPACES.sub(" ", decode_words(name))).strip()
    if len(shown) > 1 and shown[0] == shown[-1] == "'":
        shown = shown[1:-1].strip()
    if not shown or shown.lower() == address:
        return Address(address)
    return Address(address, shown[:_LONGEST_NAME])
