"""Saying what a file is from its first bytes: file names are only a hint, and often a wrong one."""

from __future__ import annotations

import re
from typing import Literal

from headrace.errors import BadInput


class NoMail(BadInput):
    """It can be read, and there is no mail in it: among other files that is nothing to tell."""


Form = Literal["mbox", "eml", "ics", "zip", "gz", "empty", "other"]

FIRST = 64 * 1024
"""How many bytes of a file suffice."""

_HEADER = re.compile(rb"[!-9;-~]{1,76}[ \t]*:")
_MAIL_HEADER = re.compile(
    rb"^(?:from|to|date|subject|message-id|received|return-path|delivered-to|mime-version)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_KNOWN = (
    (b"%PDF", "a PDF document"),
    (b"!BDN", "an Outlook data file (.pst)"),
    (b"\xd0\xcf\x11\xe0", "an Outlook message or an old Office document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x7fELF", "a program"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
    (b"{", "JSON"),
)
_EXTRACT = {
    "an Outlook data file (.pst)": "Convert it with readpst, which writes mbox files.",
    "an Outlook message or an old Office document": "Save the message as .eml in Outlook.",
    "a RAR archive": "Unpack it and name the folder.",
    "a 7-Zip archive": "Unpack it and name the folder.",
    "an xz archive": "Unpack it and name the folder.",
}

ACCEPTED = (
    "Give an mbox file, a Maildir, a folder of .eml files, an .ics calendar"
    " or a Google Takeout .zip."
)


def form(first: bytes) -> Form:
    """The form of a file that begins with `first` (its first 64 KiB, or all of it)."""
    if not first:
        return "empty"
    if first.startswith((b"PK\3\4", b"PK\5\6")):
        return "zip"
    if first.startswith(b"\x1f\x8b"):
        return "gz"
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if text.startswith(b"From "):
        return "mbox"
    if text[:15].upper() == b"BEGIN:VCALENDAR":
        return "ics"
    head = re.split(rb"\r?\n\r?\n", text, maxsplit=1)[0]
    if b"\0" not in head[:1024] and _HEADER.match(head) and _MAIL_HEADER.search(head):
        return "eml"
    return "other"


def describe(first: bytes) -> tuple[str, str]:
    """What a file that is no mailbox seems to be, and what to do about it."""
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, name in _KNOWN:
        if text[: len(magic)].upper() == magic.upper():
            return name, _EXTRACT.get(name, ACCEPTED)
    return "no mailbox", ACCEPTED
