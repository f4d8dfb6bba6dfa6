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
from headrace.mailbox.fromline import LONGEST, dated
from headrace.mailbox.limits import FOLDER_DEPTH, FOLDER_ENTRIES
from headrace.mailbox.listing import is_message
from headrace.mailbox.names import distinct, printable
from headrace.mailbox.sniff import NoMail
from headrace.mailbox.walk import Source

_MBOX = {".mbox", ".mbx"}
# What calls itself a mailbox, a calendar or an archive. Other files have to prove themselves.
_NAMED = _MBOX | {".ics", ".ical", ".zip", ".gz", ".tgz"}


def find(path: Path) -> list[Source]:
    """The sources at `path`, ordered and named without repetition.

    Raises BadInput when there is no mail or calendar in it, with what it is instead.
    """
    with explained(path):
        mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        found = list(_in_folder(path))
        if not found:
            raise NoMail(f"{show(path)} holds no mail.", hint=sniff.ACCEPTED)
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
        name = _label(root, folder)
        try:
            with explained(folder), os.scandir(folder) as listed:
                inside = {item.name: item for item in listed}
        except BadInput as problem:
            yield _unusable(name, folder, problem)
            continue
        entries += len(inside)
        if entries > FOLDER_ENTRIES:
            raise BadInput(
                f"{show(root)} holds more than {FOLDER_ENTRIES:,} files.",
                hint="Name the folder with the mail in it.",
            )
        folders = {one for one, item in inside.items() if item.is_dir(follow_symlinks=False)}
        maildir = {"cur", "new"} <= folders
        if maildir:
            yield Source(name=name, kind="maildir", path=folder)
        if any(is_message(os.fsencode(one)) for one in inside.keys() - folders):
            yield Source(name=name, kind="eml", path=folder)
        if depth < FOLDER_DEPTH:
            below = folders - {"cur", "new", "tmp"} if maildir else folders
            waiting.extend((folder / one, depth + 1) for one in below)
        for item in inside.values():
            if item.is_file(follow_symlinks=False) and not is_message(os.fsencode(item.name)):
                yield from _among_others(root, folder / item.name)


def _among_others(root: Path, path: Path) -> Iterator[Source]:
    """The sources in a file that a folder holds. Most files are something else: not a word then."""
    name, ending = _label(root, path), path.suffix.lower()
    try:
        if ending not in _NAMED:
            if _proves_itself(path):
                yield Source(name=name, kind="mbox", path=path)
        elif ending in _MBOX and path.lstat().st_size == 0:
            yield Source(name=name, kind="mbox", path=path)  # it may fill up
        else:
            yield from _in_file(path, name, follow=False)
    except NoMail:
        return
    except BadInput as problem:
        if ending in _NAMED:
            yield _unusable(name, path, problem)


def _proves_itself(path: Path) -> bool:
    """Whether a file of any name is an mbox beyond doubt (Thunderbird's have no ending at all)."""
    with open_plain(path) as file, explained(path):
        line = file.read(LONGEST).partition(b"\n")[0]
    return line.startswith(b"From ") and (dated(line) or line.rstrip() in (b"From", b"From -"))


def _label(root: Path, path: Path) -> str:
    inner = path.relative_to(root).as_posix()
    return printable(inner if inner != "." else root.resolve().name or "folder")


def _unusable(name: str, path: Path, problem: BadInput) -> Source:
    return Source(name=name, kind="unusable", path=path, problem=problem.message, hint=problem.hint)
