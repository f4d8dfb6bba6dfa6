"""What the list of jobs is narrowed to, as its address says it; and what is wrong with that."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from fastapi import Depends, Query

from headrace.dashboard import asked
from headrace.engine.kinds import SOURCELESS
from headrace.errors import BadInput
from headrace.plugins import sync_kinds, unknown_kind
from headrace.store.database import Connection
from headrace.text import did_you_mean, one_line

STATUSES = ("PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED")

Part = Annotated[str, Query(max_length=8192)]


class Filters(msgspec.Struct):
    """The words of the address, each as it was written: an empty one narrows nothing."""

    status: str = ""
    kind: str = ""
    source: str = ""
    since: str = ""

    @property
    def any(self) -> bool:
        """Whether one of them narrows."""
        return any(msgspec.structs.astuple(self))

    @property
    def query(self) -> str:
        """The same as a part of an address."""
        given = {name: word for name, word in msgspec.structs.asdict(self).items() if word}
        return f"?{urlencode(given)}" if given else ""

    def read(self, session: Connection) -> tuple[dict[str, Any], list[str]]:
        """What `store.jobs.listing` is to be asked for, and sentences on what cannot be read."""
        meant: dict[str, Any] = {}
        wrong: list[str] = []
        for name, read in (("status", _status), ("kind", _kind), ("since", _since)):
            try:
                meant[name] = read(getattr(self, name).strip())
            except BadInput as error:
                wrong.append(str(error))
        try:
            named = asked.source_named(session, self.source)
            meant["source"] = named and named["connection_id"]
        except BadInput as error:
            wrong.append(str(error))
        return meant, wrong


def filters(status: Part = "", kind: Part = "", source: Part = "", since: Part = "") -> Filters:
    """Those of an address."""
    return Filters(status, kind, source, since)


Narrowed = Annotated[Filters, Depends(filters)]


def kinds() -> list[str]:
    """Every kind of job there can be."""
    return sorted({*(one.kind for one in sync_kinds().values()), *SOURCELESS})


def _status(word: str) -> str | None:
    if word and word.upper() not in STATUSES:
        hint = did_you_mean(word.upper(), STATUSES)
        raise BadInput(f"There is no status {one_line(word)!r}.", hint=hint)
    return word.upper() or None


def _kind(word: str) -> str | None:
    known = sync_kinds()
    if word and word not in known and word not in SOURCELESS:
        raise unknown_kind(word, kinds())
    return known[word].kind if word in known else word or None


def _since(word: str) -> datetime | None:
    return asked.since(word)
