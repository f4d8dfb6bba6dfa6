"""Uploads in PostgreSQL: where every machine that runs jobs can read them."""

from __future__ import annotations

import os
from itertools import count
from typing import IO, Any

from psycopg.sql import SQL

from headrace.errors import HeadraceError
from headrace.files.place import LAST
from headrace.files.uploads import Upload
from headrace.store.database import Connection, Database, as_owner
from headrace.store.sql import query

_PIECE = 1 << 20
"""Bytes that are sent at once. PostgreSQL's library moves what it has not sent yet with each
packet: one value of 256 MB takes it 8 seconds, and twice the room."""


class NoRoom(HeadraceError):
    """A file would take a tenant's uploads beyond its quota."""


def put(
    connection: Connection,
    tenant: str,
    user: str,
    name: str,
    content: IO[bytes],
    sha256: bytes,
    *,
    quota: int | None = None,
) -> tuple[Upload, bool]:
    """Keep a file under a name, in place of what had it; and whether nothing had. The rest of the
    transaction may take as long as a large file needs, which is longer than a question may. Raises
    NoRoom where all uploads of the tenant would then have more bytes than `quota`; None: whatever
    it takes."""
    values = {"tenant": tenant, "user": user, "name": name, "sha256": sha256}
    row = connection.execute(query("uploads", "same"), values).fetchone()
    if row is not None:
        return _upload(row), False
    connection.execute(query("uploads", "patience"))
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    if quota is not None:
        _check_room(connection, values, size, quota)
    as_bytes = SQL("%(content)b")
    if size <= _PIECE:
        values |= {"content": content.read()}
    else:
        with as_owner(connection):
            _stage(connection, content)
        as_bytes = SQL(query("uploads", "joined"))
    text = SQL(query("uploads", "put")).format(content=as_bytes)
    row = connection.execute(text, {**values, "size": size}).fetchone()
    assert row is not None, "an upsert returns its row"
    return _upload(row), bool(row["new"])


def _check_room(connection: Connection, values: dict[str, Any], size: int, quota: int) -> None:
    connection.execute(query("uploads", "one_at_a_time"), values)
    with as_owner(connection):  # another user's are not to be seen, and count
        row = connection.execute(query("uploads", "others"), values).fetchone()
    assert row is not None, "a sum without groups is one row"
    if row["size"] + size > quota:
        raise NoRoom(
            f"There is no room for this upload of {size:,} bytes: the tenant's others have"
            f" {row['size']:,} of the {quota:,} that it may have.",
            hint="Delete uploads that are no longer needed, or have the operator raise"
            " HEADRACE_UPLOAD_QUOTA.",
        )


def _stage(connection: Connection, content: IO[bytes]) -> None:
    """Send it in pieces to a table of this session's, which is empty again after the commit."""
    connection.execute(query("uploads", "make_pieces"))
    connection.execute(query("uploads", "open_pieces"))
    with connection.cursor().copy(query("uploads", "copy_pieces")) as copy:
        copy.set_types(["int4", "bytea"])
        for at in count():
            piece = content.read(_PIECE)
            if not piece:
                break
            copy.write_row((at, piece))


def listing(
    connection: Connection, tenant: str, user: str, *, prefix: str, after: str, limit: int
) -> list[Upload]:
    """A user's uploads whose names begin with `prefix` and are greater than `after`, in order."""
    values = {"tenant": tenant, "user": user, "prefix": prefix, "below": prefix + LAST}
    values |= {"after": after}
    rows = connection.execute(query("uploads", "listing"), {**values, "limit": limit}).fetchall()
    return [_upload(row) for row in rows]


def delete(connection: Connection, tenant: str, user: str, name: str) -> bool:
    """Delete an upload. Returns whether there was one."""
    values = {"tenant": tenant, "user": user, "name": name}
    return connection.execute(query("uploads", "delete"), values).rowcount > 0


class OwnUploads:
    """One user's uploads, as a provider reads them: see `headrace.files.uploads.Kept`."""

    def __init__(self, database: Database, tenant: str, user: str) -> None:
        self._database = database
        self._tenant = tenant
        self._user = user

    def list(self, prefix: str, after: str, limit: int) -> list[Upload]:
        """See `Kept`."""
        with self._database.people(self._tenant, self._user) as session:
            return listing(
                session, self._tenant, self._user, prefix=prefix, after=after, limit=limit
            )

    def read(self, name: str) -> tuple[Upload, bytes] | None:
        """See `Kept`."""
        values = {"tenant": self._tenant, "user": self._user, "name": name}
        with self._database.people(self._tenant, self._user) as session:
            # Binary: as text, bytes take twice the room.
            row = session.execute(query("uploads", "read"), values, binary=True).fetchone()
        return None if row is None else (_upload(row), row["content"])


def _upload(row: dict[str, Any]) -> Upload:
    return Upload(row["name"], row["sha256"].hex(), row["size"], row["uploaded_at"])
