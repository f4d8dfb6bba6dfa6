"""Uploads: files that a caller has sent to the API, by the names it gave them.

Who makes the provider hands in what they are read from: see `Kept`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import heappop, heappush
from typing import Protocol

import msgspec

from headrace.errors import BadInput, Skip
from headrace.files.archive import is_archive
from headrace.files.pattern import WILD, Selection
from headrace.files.place import INSIDE, LAST, Item
from headrace.text import one_line

SCHEME = "upload://"
LONGEST_NAME = 1_000
"""Characters of a name."""

_MOST_NAME_BYTES = 2_000  # names are keys in the database, whose index has room for 2,700
_LISTED = 2_000  # names asked for at a time
_NONE = "PUT /ingestion/uploads/NAME sends one, GET /ingestion/uploads lists them."


class Upload(msgspec.Struct, frozen=True):
    """An upload without its bytes. `sha256` is in hex, `size` in bytes."""

    name: str
    sha256: str
    size: int
    uploaded_at: datetime


class Kept(Protocol):
    """One user's uploads."""

    def list(self, prefix: str, after: str, limit: int) -> list[Upload]:
        """Up to `limit` whose names begin with `prefix` and are greater than `after`, in the order
        of the names' UTF-8 bytes."""

    def read(self, name: str) -> tuple[Upload, bytes] | None:
        """An upload with its bytes, or None when there is none of that name."""


def check_name(name: str) -> None:
    """Raises BadInput, in one sentence, for what is no name of an upload."""
    parts = name.split("/")
    said = ""
    if not 0 < len(name) <= LONGEST_NAME or len(name.encode(errors="replace")) > _MOST_NAME_BYTES:
        said = f"has 1 to {LONGEST_NAME:,} characters, and {_MOST_NAME_BYTES:,} bytes at most"
    elif name.encode(errors="replace").decode() != name:
        said = "is text, without half surrogates"
    elif "\0" in name or "\\" in name:
        said = "has no NUL character and no backslash"
    elif "" in parts or "." in parts or ".." in parts:
        said = "has no slash at its ends, and no empty, . or .. part between slashes"
    elif INSIDE in name:
        said = f"has no {INSIDE} in it, which stands before what is in an archive"
    if said:
        raise BadInput(f"The name of an upload {said}.", hint="Write it as reports/q3.pdf.")


def check_named(named: str) -> None:
    """Raises BadInput for an input that can name no uploads."""
    path = named.removeprefix(SCHEME).removesuffix("/")
    if path or named != SCHEME:
        check_name(path)


class NothingKept:
    """No uploads: what a provider has until somebody gives it some."""

    def list(self, prefix: str, after: str, limit: int) -> list[Upload]:  # noqa: ARG002
        """See `Kept`."""
        return []

    def read(self, name: str) -> tuple[Upload, bytes] | None:  # noqa: ARG002
        """See `Kept`."""
        return None


class Uploads:
    """What an input such as upload://reports/ names: the upload of that very name, those below a
    folder, those that match a pattern, or all. Ids are whole names. Nothing is there by accident:
    what is below a folder is taken whatever its ending, and what cannot be read is told."""

    def __init__(
        self, named: str, wanted: frozenset[str], exclude: Sequence[str], kept: Kept
    ) -> None:
        """`wanted` are the endings of documents, for what is in archives. Raises BadInput."""
        check_named(named)
        self._name = named.removeprefix(SCHEME)
        self._folder, pattern = _split(self._name)
        self._kept = kept
        self._sent = Selection(pattern, None, exclude)
        self._packed = Selection(pattern, wanted, exclude)
        self._packed_in_it = Selection(None, wanted, exclude)

    def items(self, after: str) -> Iterator[Item]:
        """See `Place`."""
        found = self._of_that_name()
        if found is not None:
            item = self._item(found, self._packed_in_it)
            if _behind(item, after):
                yield item
        elif not self._is_name:
            yield from self._below(after)

    def _below(self, after: str) -> Iterator[Item]:
        # An archive stands where its members do, which may be behind names that follow its own.
        waiting: list[tuple[str, Item]] = []
        for one in self._listed(_before(after)):
            while waiting and waiting[0][0] < one.name:
                yield heappop(waiting)[1]
            path = one.name.removeprefix(self._folder)
            if not (self._packed.opens(path) if is_archive(path) else self._sent.takes(path)):
                continue
            item = self._item(one, self._packed)
            if _behind(item, after):
                heappush(waiting, (item.id, item))
        while waiting:
            yield heappop(waiting)[1]

    def _listed(self, after: str) -> Iterator[Upload]:
        while some := self._kept.list(self._folder, after, _LISTED):
            yield from some
            after = some[-1].name

    def _of_that_name(self) -> Upload | None:
        """The upload that is called like the input, even where that reads as a pattern."""
        if self._name.endswith("/") or not self._name:
            return None
        first = self._kept.list(self._name, "", 1)
        return first[0] if first and first[0].name == self._name else None

    @property
    def _is_name(self) -> bool:
        return bool(self._name) and not self._name.endswith("/") and not WILD & set(self._name)

    def _item(self, one: Upload, packed: Selection) -> Item:
        item = Item(one.name, one.sha256, one.size, one.uploaded_at)
        if is_archive(one.name):
            path = one.name.removeprefix(self._folder)

            def takes(member: str) -> bool:
                return packed.takes_member(path, member.removeprefix(self._folder))

            item.id, item.takes = one.name + INSIDE, takes
        return item

    def read(self, item: Item) -> tuple[bytes, Item]:
        """See `Place`."""
        name = item.id if item.takes is None else item.id.removesuffix(INSIDE)
        found = self._kept.read(name)
        if found is None:
            raise Skip(
                f"The upload {one_line(name)} has just been deleted.",
                hint="The next run forgets it.",
            )
        upload, content = found
        return content, Item(item.id, upload.sha256, upload.size, upload.uploaded_at)

    def same(self, mark: str, other: str) -> bool:
        """See `Place`."""
        return mark == other

    def keeps(self, marks: dict[str, str], *, empty: bool) -> str | None:  # noqa: ARG002
        """See `Place`. Never: each of them was deleted by its name, none went with a mount."""
        return None

    def nothing(self) -> None:
        """See `Place`: one that is called by its name was never sent."""
        if not self._is_name:
            return
        hint = _NONE
        if self._kept.list(f"{self._name}/", "", 1):
            hint = f"There are some below it: write {SCHEME}{one_line(self._name)}/ for those."
        raise BadInput(f"There is no upload {one_line(self._name)}.", hint=hint)


def _split(name: str) -> tuple[str, str | None]:
    """The folder, with its slash, and the pattern below it, if there is one."""
    parts = name.split("/")
    fixed = next((at for at, part in enumerate(parts) if WILD & set(part)), len(parts) - 1)
    wild = bool(WILD & set(parts[fixed]))
    return "".join(f"{one}/" for one in parts[:fixed]), "/".join(parts[fixed:]) if wild else None


def _behind(item: Item, after: str) -> bool:
    return (item.id if item.takes is None else item.id + LAST) > after


def _before(after: str) -> str:
    """From where to list, so that archives that stand behind `after`, or that it lies in, are
    among what is listed though their names are in front of it."""
    for end in range(1, len(after) + 1):
        name = after[:end]
        if is_archive(name) and name + INSIDE + LAST > after:
            return name[:-1]
    return after
