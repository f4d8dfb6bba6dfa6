"""What lies in a folder of messages: names, change times, and a digest of all of it."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from headrace.mailbox.files import stamp
from headrace.mailbox.walk import Source

MAIL_ENDINGS = (b".eml", b".emlx")

_SECOND = 1_000_000_000
_OVERLAP = 60 * _SECOND
# `:2,S` is how a Maildir notes flags; file systems without colons in names use `;` or `!`.
_FLAGS = re.compile(rb"[:;!]2,[A-Za-z]*\Z")


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One message file: `key` is its lasting name (without Maildir flags), `name` its path below
    the source's folder, `changed` its change time in ns.
    """

    key: bytes
    name: bytes
    changed: int
    stamp: str


class Listing(msgspec.Struct):
    """`queue` holds (key, name) of what there is to read, last one first; `next` is from which
    change time the next run has to read; `others` counts entries that are no plain files.
    """

    queue: list[tuple[bytes, bytes]]
    next: int
    seen: str
    others: int


def seen(source: Source) -> str:
    """Changes when any message was added, removed, renamed or (.eml) edited.

    Maildir messages are never edited, so there the stamps of its two folders say it all; .eml
    files are stat-ed one by one.
    """
    digest = hashlib.sha256()
    if source.kind == "maildir":
        for folder in folders(source):
            digest.update(stamp(folder.stat()).encode())
    else:
        for entry in sorted(entries(source), key=lambda one: one.key):
            digest.update(entry.key + b"\0" + entry.stamp.encode() + b"\0")
    return digest.hexdigest()[:32]


def take(source: Source, since: int, after: bytes | None) -> Listing:
    """List what changed at `since` or later and sorts behind `after`."""
    fingerprint = seen(source)  # before the listing: what comes during it must still count as new
    started = time.monotonic_ns()
    found: dict[bytes, bytes] = {}
    newest = others = 0
    for entry in entries(source):
        if not entry.stamp:
            others += 1
            continue
        newest = max(newest, entry.changed)
        if entry.changed >= since and (after is None or entry.key > after):
            found[entry.key] = entry.name
    # Counted on the file system's own clock. A file that came while this listing was made is at
    # most as much older than the newest one as the listing took.
    overlap = max(_OVERLAP, 2 * (time.monotonic_ns() - started))
    return Listing(
        queue=sorted(found.items(), reverse=True),
        next=max(0, newest - overlap),
        seen=fingerprint,
        others=others,
    )


def entries(source: Source) -> Iterator[Entry]:
    """Every message file of the source, in no order; `stamp` is "" for what is no plain file."""
    if source.kind == "eml" and not source.path.is_dir():
        status = source.path.stat()
        name = os.fsencode(source.path.name)
        yield Entry(name, name, status.st_ctime_ns, stamp(status))
        return
    for folder in folders(source):
        prefix = os.fsencode(folder.name) + b"/" if source.kind == "maildir" else b""
        with os.scandir(os.fsencode(folder)) as found:
            for item in found:
                if source.kind == "eml" and not is_message(item.name):
                    continue
                if item.name.startswith(b"."):
                    continue
                try:
                    status = item.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                plain = stat.S_ISREG(status.st_mode)
                key = _FLAGS.sub(b"", item.name)
                note = stamp(status) if plain else ""
                yield Entry(key, prefix + item.name, status.st_ctime_ns, note)


def is_message(name: bytes) -> bool:
    """Whether a file is called like a single message."""
    return name.lower().endswith(MAIL_ENDINGS) and not name.startswith(b".")


def folders(source: Source) -> list[Path]:
    """The directories that hold the source's files."""
    if source.kind == "maildir":
        parts = [source.path / name for name in ("new", "cur")]
        return [part for part in parts if part.is_dir() and not part.is_symlink()]
    return [source.path]
