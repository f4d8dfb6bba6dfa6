"""The mail and calendars inside an archive, from its directory and first bytes alone."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from headrace.errors import BadInput
from headrace.mailbox import sniff
from headrace.mailbox.files import open_plain, show
from headrace.mailbox.names import printable
from headrace.mailbox.packed import Unpacked
from headrace.mailbox.walk import Kind, Source
from headrace.mailbox.zipped import fault, folder_of, open_zip, overlapping

_KINDS: dict[str, Kind] = {".mbox": "mbox", ".mbx": "mbox", ".ics": "ics", ".ical": "ics"}


def in_zip(path: Path, name: str, *, follow: bool) -> Iterator[Source]:
    """The sources in a zip. Raises BadInput if there are none, or none that can be read.

    A single bad member becomes an "unusable" source among the others. Members are taken by the
    ending of their name; an archive in an archive is left alone.
    """
    archive = open_zip(path, follow=follow)
    try:
        wanted = [
            (number, info)
            for number, info in enumerate(archive.infolist())
            if not info.is_dir() and kind_of(info.filename) is not None
        ]
    finally:
        cast("BinaryIO", archive.fp).close()
    if not wanted:
        raise sniff.NoMail(
            f"{show(path)} holds no mail and no calendar.",
            hint="In Google Takeout, choose Mail or Calendar. " + sniff.ACCEPTED,
        )
    if overlapping([info for _, info in wanted]):
        raise BadInput(
            f"{show(path)} is built like a zip bomb: its members overlap.",
            hint="If you trust it, unpack it yourself and name the folder.",
        )
    folders: set[str] = set()
    for number, info in wanted:
        kind = kind_of(info.filename) or "unusable"
        if kind == "eml":
            folder = folder_of(info.filename)
            if folder not in folders:
                folders.add(folder)
                label = printable(f"{name}!/{folder}" if folder else name)
                yield Source(label, "eml", path, "zip", entry=folder, follow=follow)
        else:
            yield _member(path, name, number, info, kind, follow=follow)


def _member(
    path: Path, name: str, number: int, info: zipfile.ZipInfo, kind: Kind, *, follow: bool
) -> Source:
    label = printable(f"{name}!/{info.filename}")
    problem = fault(info)
    if problem is not None:
        what, hint = problem
        return Source(label, "unusable", path, problem=f"{label} {what}.", hint=hint)
    return Source(label, kind, path, "zip", number, info.filename, follow)


def kind_of(entry: str) -> Kind | None:
    """What a member is by its name; None if it is neither mail nor calendar."""
    last = entry.rpartition("/")[2].lower()
    if last == "mbox":  # Apple Mail writes `Inbox.mbox/mbox`
        return "mbox"
    if last.endswith(".eml"):
        return "eml"
    ending = last[last.rfind(".") :] if "." in last else ""
    return _KINDS.get(ending)


def in_gz(path: Path, name: str, *, follow: bool) -> Source:
    """The source in a gzip file: one mbox or calendar. Raises BadInput for anything else."""
    stream = unpack_gz(path, follow=follow)
    try:
        first = stream.read(sniff.FIRST)
    finally:
        stream.close()
    form = sniff.form(first)
    if form == "mbox" or form == "ics":
        return Source(name, form, path, "gz", follow=follow)
    if first[257:262] == b"ustar":
        raise BadInput(
            f"{show(path)} is a tar archive.",
            hint="Unpack it and name the folder, or ask Google Takeout for .zip.",
        )
    what, hint = sniff.describe(first)
    raise sniff.NoMail(f"What {show(path)} unpacks to is {what}.", hint=hint)


def unpack_gz(path: Path, *, follow: bool) -> Unpacked:
    """The unpacked bytes of a gzip file."""
    packed = open_plain(path, follow=follow)
    return Unpacked(cast("BinaryIO", gzip.GzipFile(fileobj=packed, mode="rb")), packed)
