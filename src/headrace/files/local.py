"""Files of this machine: a file, a folder, or what a pattern matches.

Nothing outside of the folder is ever read, whatever its links say; nothing but regular files. The
order is that of the paths' bytes, so that a walk can go on anywhere and be held against what is
known.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from headrace.errors import BadInput, NeedsHuman, Skip
from headrace.files.archive import is_archive
from headrace.files.pattern import Selection, hidden
from headrace.files.place import INSIDE, LAST, MOST_BYTES, Item
from headrace.text import one_line

_YOUNG_SECONDS = 2.0
"""A file written to within this time may not be complete yet."""

MANY = 10
"""Files whose disappearing at once, with nothing left, is taken for a mount that is not there."""


class LocalFiles:
    """Files below `root` that are selected; a root that is a file itself is taken always."""

    def __init__(self, root: Path, selection: Selection) -> None:
        self._root = root
        self._selection = selection

    def items(self, after: str) -> Iterator[Item]:
        """See `Place`."""
        if self._root.is_file():
            name = self._root.name
            if is_archive(name):
                yield from self._archive(name, self._root, after)
            elif name > after and (named := self._item(name, self._root)) is not None:
                yield named
            return
        if not self._root.is_dir():
            raise BadInput(
                f"There is no folder {self._root}.",
                hint="Check the path; if it is a mount, mount it. What has landed stays.",
            )
        yield from self._below(self._root, "", after)

    def _below(self, folder: Path, prefix: str, after: str) -> Iterator[Item]:
        try:
            entries = list(os.scandir(folder))
        except PermissionError:
            if not prefix:
                raise NeedsHuman(
                    f"The folder {folder} may not be read by the account Headrace runs under.",
                    hint="Give it the right to read there, or name another folder.",
                ) from None
            return
        except OSError:
            return  # it went away a moment ago
        for name, path_ in sorted(_listed(entries)):
            if hidden(name) or not _text(name):
                continue
            path = prefix + name
            if name.endswith("/"):
                # What the walk has passed is not looked into again.
                if after and path + LAST <= after:
                    continue
                if Path(path_).is_dir() and not Path(path_).is_symlink():
                    yield from self._below(Path(path_), path, after)
                elif self._selection.opens(path.removesuffix(INSIDE)):
                    yield from self._archive(path.removesuffix(INSIDE), Path(path_), after)
            elif path > after and self._selection.takes(path):
                item = self._item(path, Path(path_))
                if item is not None:
                    yield item

    def _archive(self, name: str, path: Path, after: str) -> Iterator[Item]:
        item = self._item(name, path)
        if item is not None and name + INSIDE + LAST > after:
            item.id = name + INSIDE
            item.takes = partial(self._selection.takes_member, name)
            yield item

    def _item(self, name: str, path: Path) -> Item | None:
        try:
            # A link to a file inside is that file; one that leads outside is none of ours.
            if path != self._root and not path.resolve().is_relative_to(self._root.resolve()):
                return None
            now = path.stat()
        except (OSError, RuntimeError):
            return None
        return _describe(name, now) if stat.S_ISREG(now.st_mode) else None

    def read(self, item: Item) -> tuple[bytes, Item]:
        """See `Place`."""
        name = item.id if item.takes is None else item.id.removesuffix(INSIDE)
        path = self._root if self._root.is_file() else self._root / name
        try:
            return self._read(name, path)
        except OSError as error:
            raise Skip(
                f"{one_line(name)} cannot be read: {error.strerror or error}.",
                hint="Check that it is there and may be read; the next run tries again.",
            ) from None

    def _read(self, name: str, path: Path) -> tuple[bytes, Item]:
        # Not waiting, should it be a pipe by now.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode) or not self._inside(file.fileno(), path):
                raise Skip(f"{one_line(name)} is no file of this folder.", hint="Remove the link.")
            age = time.time() - before.st_mtime
            if 0 <= age < _YOUNG_SECONDS:
                time.sleep(_YOUNG_SECONDS - age)
                before = os.fstat(file.fileno())
            if before.st_size > MOST_BYTES:
                raise Skip(
                    f"{one_line(name)} is larger than {MOST_BYTES >> 20} MB.",
                    hint="Split it, or leave it out by a pattern.",
                )
            content = file.read(MOST_BYTES + 1)
            after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise Skip(
                f"{one_line(name)} is being written.",
                hint="The next run takes it, once it is done.",
            )
        return content, _describe(name, after)

    def _inside(self, descriptor: int, path: Path) -> bool:
        """Whether what was opened lies below the root, whatever was renamed meanwhile."""
        link = Path(f"/proc/self/fd/{descriptor}")
        real = link.readlink() if link.exists() else path.resolve()
        root = self._root.resolve()
        return real == root or real.is_relative_to(root)

    def same(self, mark: str, other: str) -> bool:
        """See `Place`. On which device it lies is not a change."""
        return mark.partition("@")[0] == other.partition("@")[0]

    def keeps(self, marks: dict[str, str], *, empty: bool) -> str | None:
        """See `Place`: a mount that has vanished leaves an empty folder, on another device."""
        if empty:
            moved = any(_device(mark) != self._root.stat().st_dev for mark in marks.values())
            if moved or len(marks) >= MANY:
                return f"{self._root} is empty, and {len(marks)} files are known of it"
        devices = {self._nearest(name): _device(mark) for name, mark in marks.items()}
        for folder, device in devices.items():
            try:
                vanished = not any(folder.iterdir()) and device != folder.stat().st_dev
            except OSError as error:
                return f"{folder} cannot be read ({error.strerror})"
            if vanished:
                return f"{folder} is empty, and was another device when its files were read"
        return None

    def nothing(self) -> None:
        """See `Place`: it may fill up."""

    def _nearest(self, name: str) -> Path:
        folder = (self._root / name).parent
        while not folder.is_dir() and folder != self._root:
            folder = folder.parent
        return folder


def _listed(entries: list[os.DirEntry[str]]) -> Iterator[tuple[str, str]]:
    """Names and paths. A folder sorts as its path with the slash, an archive as its members do, so
    that whole paths come in their own order; that of characters is that of their UTF-8 bytes."""
    names = {one.name for one in entries}
    for one in entries:
        if one.is_dir(follow_symlinks=False):
            yield f"{one.name}/", one.path
        elif is_archive(one.name) and f"{one.name}!" not in names:
            yield one.name + INSIDE, one.path
        else:
            yield one.name, one.path


def _describe(name: str, now: os.stat_result) -> Item:
    # Not the time alone: it is coarse, can go back, and an edit may keep the size.
    mark = f"{now.st_size}:{now.st_mtime_ns}:{now.st_ctime_ns}:{now.st_ino}@{now.st_dev}"
    try:
        modified = datetime.fromtimestamp(now.st_mtime, UTC)
    except (ValueError, OverflowError, OSError):
        modified = None
    return Item(name, mark, now.st_size, modified)


def _device(mark: str) -> int:
    return int(mark.partition("@")[2] or 0)


def _text(name: str) -> bool:
    """Whether a name is text at all: names on Linux are bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
