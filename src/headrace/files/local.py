"""Files of this machine: a file, a folder, or what a pattern matches.

Nothing outside of the folder is ever read, whatever its links say; nothing but regular files. The
order is that of the paths' bytes, so that a walk can go on anywhere and be held against what is
known.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from headrace.errors import BadInput, NeedsHuman, Skip
from headrace.files.pattern import matcher
from headrace.files.place import MOST_BYTES, Item
from headrace.text import one_line

_YOUNG_SECONDS = 2.0
"""A file written to within this time may not be complete yet."""

_MANY = 10
"""Files whose disappearing at once, with nothing left, is taken for a mount that is not there."""


class LocalFiles:
    """Files below `root` whose path from there matches `pattern` (None: all documents)."""

    def __init__(
        self,
        root: Path,
        pattern: str | None,
        wanted: frozenset[str],
        exclude: Sequence[str] = (),
    ) -> None:
        """`wanted` are the endings of the files that are documents, such as ".pdf"; with a pattern
        that names an ending itself, that decides."""
        self._root = root
        self._pattern = pattern
        self._wanted = wanted
        self._exclude = [matcher(one) for one in exclude]

    def items(self, after: str) -> Iterator[Item]:
        """See `Place`."""
        if self._root.is_file():
            named = self._item(self._root.name, self._root)
            if named is not None and named.id > after:
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
        # A folder sorts as its path with the slash, so whole paths come in their own order; that of
        # characters is that of their UTF-8 bytes.
        named = [(one.name + "/" * one.is_dir(follow_symlinks=False), one.path) for one in entries]
        for name, path_ in sorted(named):
            if name.startswith((".", "~$")) or not _text(name):
                continue
            path = prefix + name
            if name.endswith("/"):
                # What the walk has passed is not looked into again.
                if not after or path + "\U0010ffff" > after:
                    yield from self._below(Path(path_), path, after)
            elif path > after and self._matches(path):
                item = self._item(path, Path(path_))
                if item is not None:
                    yield item

    def _matches(self, path: str) -> bool:
        if any(excluded(path) for excluded in self._exclude):
            return False
        ending = os.path.splitext(path)[1].lower()  # noqa: PTH122 - a name, not a file
        if self._pattern is None:
            return ending in self._wanted
        named = bool(os.path.splitext(self._pattern)[1].strip(".*"))  # noqa: PTH122 - as above
        return bool(matcher(self._pattern)(path)) and (named or ending in self._wanted)

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
        path = self._root if self._root.is_file() else self._root / item.id
        try:
            return self._read(item.id, path)
        except OSError as error:
            raise Skip(
                f"{one_line(item.id)} cannot be read: {error.strerror or error}.",
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
            if moved or len(marks) >= _MANY:
                return f"{self._root} is empty, and {len(marks)} files are known of it"
        for name, mark in marks.items():
            folder = self._nearest(name)
            try:
                vanished = _device(mark) != folder.stat().st_dev and not any(folder.iterdir())
            except OSError:
                continue
            if vanished:
                return f"{folder} is empty, and was another device when its files were read"
        return None

    def _nearest(self, name: str) -> Path:
        folder = (self._root / name).parent
        while not folder.is_dir() and folder != self._root:
            folder = folder.parent
        return folder


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
