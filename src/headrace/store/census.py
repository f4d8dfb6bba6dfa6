"""Listings of everything that a source has: whatever is on none of their pages is gone (rule G4).

What a page names is noted in the transaction that lands it, so a listing may be interrupted at any
point and goes on; only one that has come to its end sweeps. The first walk of a stream notes
nothing: there is nothing yet that could be gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headrace.provider import Census, Page, Record
from headrace.store.checkpoints import Claim
from headrace.store.database import Connection
from headrace.store.sql import query

if TYPE_CHECKING:
    from headrace.store.landing import Gathered


def joined(before: Census | None, page: Page) -> Census:
    """What the pages of one commit say together. `also` has all their ids."""
    part = page.census
    assert part is not None, "asked only of pages that belong to a listing"
    ids = [*part.also, *[one.source_id for one in page.records if not one.gone]]
    ids += [one.source_id for one in page.bad if one.source_id is not None]
    if before is None or part.first:
        return Census(first=part.first, last=part.last, also=ids)
    return Census(first=before.first, last=part.last, also=[*before.also, *ids])


def take_census(connection: Connection, claim: Claim, batch_id: int, gathered: Gathered) -> int:
    """Note what was listed; at the end of the listing, bury what was not. How many those were."""
    census = gathered.census
    if census is None or claim.walk == 1:
        return 0
    keys = {**claim.keys(), "batch_id": batch_id}
    if census.first:
        connection.execute(query("census", "begin"), keys)
    if census.also:
        connection.execute(query("census", "note"), {**keys, "ids": list(census.also)})
    if not census.last:
        return 0
    gone = [row["source_id"] for row in connection.execute(query("census", "sweep"), keys)]
    connection.execute(query("census", "begin"), keys)
    if gone:
        connection.execute(query("landing", "forget"), {**keys, "ids": gone})
    return len(gone)


def newest_copies(records: Sequence[Record]) -> list[Record]:
    """Of each record the copy with the greatest mark; the last of equal ones."""
    newest: dict[str, Record] = {}
    for record in records:
        known = newest.get(record.source_id)
        if known is None or (record.mark or "").encode() >= (known.mark or "").encode():
            newest[record.source_id] = record
    return list(newest.values())
