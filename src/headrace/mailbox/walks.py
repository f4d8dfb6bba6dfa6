"""From a source to the walk that reads it."""

from __future__ import annotations

from headrace.errors import BadInput
from headrace.mailbox import zipped
from headrace.mailbox.archives import unpack_gz
from headrace.mailbox.files import open_plain
from headrace.mailbox.packed import Packed, Unpacked
from headrace.mailbox.walk import Source, Walk
from headrace.mailbox.walk_events import Events
from headrace.mailbox.walk_folder import Folder
from headrace.mailbox.walk_mbox import PackedMbox, PlainMbox
from headrace.mailbox.walk_zip import ZipFolder


def open_walk(source: Source) -> Walk:
    """A walk over `source`. Raises BadInput, saying why, for one that cannot be read."""
    if source.kind == "unusable":
        raise BadInput(source.problem, hint=source.hint)
    if source.kind == "ics":
        return Events(source, _packing(source))
    if source.kind == "mbox":
        return PackedMbox(source, _packing(source)) if source.packing else PlainMbox(source)
    return ZipFolder(source) if source.packing else Folder(source)


def _packing(source: Source) -> Packed:
    path, follow, member, entry = source.path, source.follow, source.member, source.entry
    if source.packing == "zip":
        return Packed(
            path,
            lambda: zipped.unpack(path, member, entry, follow=follow),
            lambda: zipped.identify(path, member, entry, follow=follow),
        )
    if source.packing == "gz":
        return Packed(path, lambda: unpack_gz(path, follow=follow))

    def plain() -> Unpacked:
        file = open_plain(path, follow=follow)
        return Unpacked(file, file)

    return Packed(path, plain)
