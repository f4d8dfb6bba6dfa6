"""From a path that a person gave to the sources in it. Looks, opens, and reads first bytes only."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from headrace.errors import BadInput
from headrace.mailbox import archives, sniff
from headrace.mailbox.files import explained, open_plain, read_up_to, show
from headrace.mailbox.limits import FOLDER_DEPTH, FOLDER_ENTRIES
from headrace.mailbox.listing import MAIL_ENDINGS
from headrace.mailbox.names import distinct, printable
from headrace.mailbox.walk import Source

# Files with other endings are not opened: a home folder is full of them.
_MBOX = {".mbox", ".mbx"}
_LOOKED_INTO = _MBOX | {"", ".ics", ".ical", ".zip", ".gz", ".tgz"}


def find(path: Path) -> list[Source]:
    """The sources at `path`, ordered and named without repetition.

    Raises BadInput when there is no mail or calendar in it, with what it is instead.
    """
    with explained(path):
        mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        found = list(_in_folder(path))
        if not found:
            raise BadInput(f"{show(path)} holds no mail.", hint=sniff.ACCEPTED)
    else:
        found = list(_in_file(path, printable(path.name), follow=True))
    if all(source.kind == "unusable" for source in found):
        raise BadInput(found[0].problem, hint=found[0].hint)
    taken: set[str] = set()
    found.sort(key=lambda source: source.name)
    return [msgspec.structs.replace(one, name=distinct(one.name, taken)) for one in found]


def _in_file(path: Path, name: str, *, follow: bool) -> Iterator[Source]:
    """The sources in one file; BadInput if it is nothing that is read here."""
    with open_plain(path, follow=follow) as file, explained(path):
        first = read_up_to(file, sniff.FIRST)
    form = sniff.form(first)
    if form in ("mbox", "eml", "ics"):
        yield Source(name=name, kind=form, path=path, follow=follow)
    elif form == "zip":
        yield from archives.in_zip(path, name, follow=follow)
    elif form == "gz":
        yield archives.in_gz(path, name, follow=follow)
    elif form == "empty":
        raise BadInput(f"{show(path)} is empty.", hint=sniff.ACCEPTED)
    else:
        what, hint = sniff.describe(first)
        raise BadInput(f"{show(path)} is {what}.", hint=hint)


def _in_folder(root: Path) -> Iterator[Source]:
    """Walk down without following links. What cannot be read in a folder does not hide the rest."""
    entries = 0
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        name = printable(folder.relative_to(root).as_posix() if folder != root else root.name)
        with explained(folder), os.scandir(folder) as listed:
            inside = {item.name: item for item in listed}
        entries += len(inside)
        if entries > FOLDER_ENTRIES:
            raise BadInput(
                f"{show(root)} holds more than {FOLDER_ENTRIES:,} files.",
                hint="Name the folder with the mail in it.",
            )
        maildir = all(part in inside and inside[part].is_dir() for part in ("cur", "new"))
        if maildir:
            yield Source(name=name, kind="maildir", path=folder)
        if any(os.fsencode(item.lower()).endswith(MAIL_ENDINGS) for item in inside):
            yield Source(name=name, kind="eml", path=folder)
        for item in inside.values():
            if item.is_dir(follow_symlinks=False):
                if depth < FOLDER_DEPTH and not (maildir and item.name in ("cur", "new", "tmp")):
                    waiting.append((folder / item.name, depth + 1))
            elif item.is_file(follow_symlinks=False) and not item.name.startswith("."):
                yield from _among_others(root, folder / item.name)


def _among_others(root: Path, path: Path) -> Iterator[Source]:
    if path.suffix.lower() not in _LOOKED_INTO:
        return
    name = printable(path.relative_to(root).as_posix())
    if path.suffix.lower() in _MBOX and path.lstat().st_size == 0:
        yield Source(name=name, kind="mbox", path=path)  # an empty mailbox that may fill up
        return
    try:
        yield from _in_file(path, name, follow=False)
    except BadInput as problem:
        # Only what calls itself a mailbox is worth a complaint among other files.
        if path.suffix:
            yield Source(
                name=name, kind="unusable", path=path, problem=problem.message, hint=problem.hint
            )
