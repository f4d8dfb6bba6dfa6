"""The contract of a place where files lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol

import msgspec

MOST_BYTES = 256 << 20
"""The largest file that is read: it is held in memory, and PostgreSQL keeps it as one value."""


INSIDE = "!/"
"""What stands between the path of an archive and that of a member."""

LAST = "\U0010ffff"
"""Sorts behind everything that a path is followed by."""


class Item(msgspec.Struct):
    """A file that is there. `id` names it within its place; `mark` changes whenever it does.

    An archive whose members are documents has `takes`, which says of a member's id whether it is
    one of them. Its own id ends with `INSIDE`, so that it stands where its members do.
    """

    id: str
    mark: str
    size: int
    modified: datetime | None = None
    takes: Callable[[str], bool] | None = None


class Place(Protocol):
    """A folder, a file, a bucket, uploads."""

    def items(self, after: str) -> Iterator[Item]:
        """What is there with ids greater than `after`, in the order of the ids' UTF-8 bytes, and an
        archive that `after` lies in. Raises BadInput when there is no such place, NeedsHuman when
        it may not be read."""

    def read(self, item: Item) -> tuple[bytes, Item]:
        """A file's bytes, and how it stood when they were read. Raises Skip for one that cannot be
        read, or is gone or too large."""

    def same(self, mark: str, other: str) -> bool:
        """Whether two marks of one id say that the file has not changed."""

    def keeps(self, marks: dict[str, str], *, empty: bool) -> str | None:
        """Why files that are known and no longer there must not be taken for deleted, or None.
        `marks` are theirs; `empty` says that nothing else is there either."""

    def nothing(self) -> None:
        """Nothing is there, and nothing is known of it. Raises BadInput where that is a mistake."""
