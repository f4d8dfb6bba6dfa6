"""A message as Gmail's API gives it whole: a tree of parts whose transfer encoding is undone.

The tree becomes the parts that a message's own bytes would have been taken apart into, so that
everything else about mail is said in one place.
"""

from __future__ import annotations

import msgspec

from headrace.errors import Skip
from headrace.mail.body import attachment, name_of
from headrace.mail.headers import FIELDS_CAP, Headers
from headrace.mail.html import html_to_text
from headrace.mail.message import Mail, understand
from headrace.mail.mime import DEPTH_CAP, PARTS_CAP, Part, unbounded
from headrace.mail.params import parse_value
from headrace.mail.transfer import from_base64
from headrace.provider import Attachment
from headrace.text import clean_text

_MOST_LABELS = 200
_LONGEST_LABEL = 225


class _Said(msgspec.Struct, rename="camel", gc=False):
    """Unknown fields are passed over."""


class _Field(_Said):
    name: str
    value: str = ""


class _Body(_Said):
    data: str = ""
    attachment_id: str = ""


class _PartSaid(msgspec.Struct, rename="camel"):
    mime_type: str = ""
    filename: str = ""
    headers: list[_Field] = []
    body: _Body = msgspec.field(default_factory=_Body)
    parts: list[_PartSaid] = []


class _MessageSaid(_Said):
    thread_id: str = ""
    label_ids: list[str] = []
    label_names: dict[str, str] = {}
    snippet: str = ""
    payload: _PartSaid = msgspec.field(default_factory=_PartSaid)


def parse_gmail(data: bytes) -> Mail:
    """Understand a message's JSON. Pure; raises Skip for one whose structure has no bounds.

    Its labels and its thread are those that Gmail names. Labels are ids, by which it is told what
    the message is; of the owner's own, which mean nothing but to people, the names are beside them.
    """
    said = _read(data)
    tree = _Tree()
    part = tree.part(said.payload, 0)
    mail = understand(bytes(tree.data), part)
    mail.thread_id = clean_text(said.thread_id)[:_LONGEST_LABEL] or mail.thread_id
    mail.labels = [_label(one) for one in said.label_ids[:_MOST_LABELS]]
    mail.label_names = {_label(one): _label(name) for one, name in said.label_names.items()}
    # Of a very long text Gmail gives no more than its beginning here.
    mail.body = mail.body or clean_text(html_to_text(said.snippet)).strip()
    return mail


class Attached(msgspec.Struct):
    """What is attached to a message, or the id by which it can be asked for: it is good for the
    answer that it stands in (rule G13)."""

    attachment: Attachment
    id: str


def attached(data: bytes, number: int) -> Attached | None:
    """What is attached to a message, counted from 0 as `Mail.attachments` is. Raises Skip."""
    tree = _Tree()
    found = attachment(tree.part(_read(data).payload, 0), number)
    if found is None:
        return None
    content = bytes(tree.data[found.start : found.end])
    return Attached(Attachment(name_of(found), found.type, content), tree.ids.get(id(found), ""))


def _read(data: bytes) -> _MessageSaid:
    try:
        return msgspec.json.decode(data, type=_MessageSaid)
    except RecursionError:
        raise unbounded() from None
    except msgspec.DecodeError as wrong:
        raise Skip(
            f"Gmail's message is of another shape: {wrong}.", hint="Report it; it is kept as sent."
        ) from None


def _label(text: str) -> str:
    return clean_text(text)[:_LONGEST_LABEL]


class _Tree:
    """Parts, the bytes that their offsets point into, and what those elsewhere are asked for by."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.ids: dict[int, str] = {}
        self._left = PARTS_CAP

    def part(self, said: _PartSaid, depth: int) -> Part:
        self._left -= 1
        if self._left < 0 or depth > DEPTH_CAP or len(said.headers) > FIELDS_CAP:
            raise unbounded()
        headers = Headers(
            [(one.name.encode(), one.value.encode()) for one in said.headers],
        )
        type_ = said.mime_type.strip().lower()
        _, parameters = parse_value(headers.first(b"content-type"))
        disposition, _ = parse_value(headers.first(b"content-disposition"))
        content = from_base64(said.body.data.encode())
        start = len(self.data)
        self.data += content
        part = Part(
            headers=headers,
            start=start,
            end=len(self.data),
            type=type_ if type_.count("/") == 1 else "text/plain",
            charset=_charset(content, parameters.get("charset")),
            encoding="",
            disposition=disposition,
            filename=said.filename or None,
        )
        if said.body.attachment_id:
            self.ids[id(part)] = said.body.attachment_id
        part.inner = [self.part(inner, depth + 1) for inner in said.parts]
        if part.type.startswith("multipart/") and not part.inner:
            part.type = "text/plain"
        return part


def _charset(content: bytes, named: str | None) -> str | None:
    """Gmail has made UTF-8 of most texts, and left the header's word for them as it was."""
    if content.isascii():
        return named  # some charsets are written in ASCII alone, such as ISO-2022-JP
    try:
        content.decode()
    except UnicodeDecodeError:
        return named
    return "utf-8"
