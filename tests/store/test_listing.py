"""What a look at the connections says of them, without going through their batches."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

from tests.store.conftest import TENANT, USER, Desk

from headrace.provider import BadRecord
from headrace.store import connections
from headrace.store.reland import reland

ADDED_UP = """
SELECT count(*) AS batches, coalesce(sum(inserted), 0)::bigint AS records,
  max(committed_at) AS landed_at FROM headrace.batches
"""


def shown(desk: Desk) -> dict[str, Any]:
    """What is said of the one connection."""
    with desk.store.people(TENANT, USER) as session:
        [row] = connections.listing(session)
        [same] = connections.listing(session, row["connection_id"])
        assert connections.listing(session, "another") == []
    assert row == same
    return {name: row[name] for name in ("batches", "records", "landed_at")}


def added_up(desk: Desk) -> dict[str, Any]:
    """The same from the batches."""
    [row] = desk.rows(ADDED_UP)
    return dict(zip(("batches", "records", "landed_at"), row, strict=True))


def test_it_is_what_the_batches_come_to(desk: Desk) -> None:
    """Covers X5: new, unchanged, refused, landed again after a mend, in several slices at once."""
    assert shown(desk) == added_up(desk) == {"batches": 0, "records": 0, "landed_at": None}
    desk.land(desk.record("a"), desk.record("b"))
    desk.land(desk.record("a"), desk.record("b", "{1}"), straight=False)
    desk.land(bad=[BadRecord(b"x", "It is broken.", "", "c")])
    assert shown(desk) == added_up(desk)
    assert shown(desk)["records"] == 3
    with desk.store.transaction() as session:
        keys: dict[str, Any] = {"tenant": TENANT, "user": USER, "stream_id": desk.part.stream_id}
        again = [desk.record("c")]
        reland(session, **keys, origin=1, records=again, follow_up=lambda *_: None)
    parts = desk.plan("cut", *(f"{n}" for n in range(4)))
    landings = [desk.landing(desk.claim(part)) for part in parts]

    def land(number: int) -> None:
        for at in range(5):
            landings[number].land(desk.gathered(desk.record(f"{number}/{at}")))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(land, range(4)))
    assert shown(desk) == added_up(desk)
    assert (shown(desk)["records"], shown(desk)["batches"]) == (24, 24)


def test_what_was_there_before_it_was_counted_is_counted(desk: Desk) -> None:
    """As the migration does it."""
    for number in range(3):
        desk.land(desk.record(f"a{number}"))
    nothing = "UPDATE headrace.checkpoints SET batches = 0, records = 0, landed_at = NULL"
    with desk.store.transaction() as session:
        session.execute(nothing)
    assert shown(desk) != added_up(desk)
    migration = import_module("headrace.store.migrations.versions.0023_landed")
    with desk.store.transaction() as session:
        session.execute(migration.SO_FAR)
    assert shown(desk) == added_up(desk)


def test_a_commit_that_is_undone_is_not_counted(desk: Desk) -> None:
    desk.land(desk.record("a"))
    before = shown(desk)
    try:
        with desk.store.transaction() as session:
            session.execute(
                "INSERT INTO headrace.batches (tenant_id, user_id, stream_id, slice, walk, job_id,"
                " epoch, pages, fetched, inserted, unchanged, dead_lettered, payload_bytes,"
                " cursor_hashes) SELECT tenant_id, user_id, stream_id, slice, walk, job_id, epoch,"
                " pages, fetched, inserted, unchanged, dead_lettered, payload_bytes, cursor_hashes"
                " FROM headrace.batches"
            )
            raise RuntimeError
    except RuntimeError:
        pass
    assert shown(desk) == before
