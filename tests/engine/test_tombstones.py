"""What a source has deleted goes, in whatever order the batches are worked through."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from headrace import plugins
from headrace.engine import redrive
from headrace.engine.cascade import run_stage
from headrace.errors import Skip
from headrace.provider import Record
from headrace.rows import EventRow, TimelineRow
from headrace.stage import RawEvent, StreamContext, stage
from headrace.store.forget import hold

if TYPE_CHECKING:
    from tests.engine.conftest import Bench, Trail

NAME = "probe_numbers"


def land(trail: Trail, *records: Record) -> int:
    trail.land_one(*records)
    return int(trail.batches()[-1]["batch_id"])


def shown(bench: Bench) -> list[tuple[str, int]]:
    rows = bench.rows("SELECT source_id, version FROM headrace.events ORDER BY 1")
    return [(row["source_id"], row["version"]) for row in rows]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_any_order(trail: Trail, order: tuple[int, ...]) -> None:
    """Made, deleted, and another one edited: the same rows, whichever batch comes first."""
    batches = [
        land(trail, Record("a", b"1"), Record("b", b"1")),
        land(trail, Record("a", b"", gone=True)),
        land(trail, Record("b", b"2")),
    ]
    for at in order:
        run_stage(trail.bench.database, NAME, batches[at])
    assert shown(trail.bench) == [("b", 2)]


@pytest.fixture
def silent(probe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stage makes an event and a sentence; of some numbers only one of them, or neither."""

    @stage(version=1, content="application/x-probe")
    def probe_numbers(raw: RawEvent, stream: StreamContext) -> Iterable[EventRow | TimelineRow]:
        if raw.payload == b"refuse":
            raise Skip("It is refused.")
        named: dict[str, Any] = {"source_id": raw.source_id, "version": raw.version}
        if raw.payload not in (b"nothing", b"told"):
            yield EventRow(**named, name=raw.payload.decode())
        if raw.payload not in (b"nothing", b"shown"):
            yield TimelineRow(**named, kind="number", sentence="It was told.")

    monkeypatch.setitem(plugins.stages(), NAME, probe_numbers)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_what_nothing_is_made_any_more_nothing_stays(
    trail: Trail, silent: None, order: tuple[int, ...]
) -> None:
    """A later version of which the stage makes nothing, or not all that it made of an earlier one,
    also where it is worked through first; one that is refused takes nothing away."""
    batches = [
        land(trail, *[Record(name, b"1") for name in "abcdef"], Record("g", b"nothing")),
        land(trail, Record("a", b"nothing"), Record("b", b"shown"), Record("c", b"told"),
             Record("e", b"nothing"), Record("f", b"nothing"), Record("f", b"3")),
        land(trail, Record("d", b"refuse"), Record("e", b"shown"), Record("g", b"2"),
             Record("h", b"1"), Record("h", b"nothing")),
    ]  # fmt: skip
    for at in order:
        run_stage(trail.bench.database, NAME, batches[at])
    assert shown(trail.bench) == [("b", 2), ("d", 1), ("e", 3), ("f", 3), ("g", 2)]
    told = trail.bench.rows("SELECT source_id, version FROM headrace.timeline_events ORDER BY 1")
    assert [tuple(row.values()) for row in told] == [("c", 2), ("d", 1), ("f", 3), ("g", 2)]


def test_a_dead_letter_that_is_retried_late(
    trail: Trail, silent: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a later version has taken away meanwhile stays away; and a later version that is retried
    takes away what it says nothing of."""
    batches = [
        land(trail, *[Record(name, b"refuse") for name in "abc"], Record("d", b"1")),
        land(trail, Record("a", b"nothing"), Record("b", b"", gone=True), Record("d", b"refuse")),
    ]
    database = trail.bench.database
    for number in batches:
        run_stage(database, NAME, number)
    assert shown(trail.bench) == [("d", 1)]

    @stage(version=1, content="application/x-probe")
    def mended(raw: RawEvent, stream: StreamContext) -> Iterable[EventRow | TimelineRow]:
        if raw.payload != b"nothing" and raw.source_id != "d":
            yield EventRow(source_id=raw.source_id, version=raw.version)

    monkeypatch.setitem(plugins.stages(), NAME, msgspec.structs.replace(mended, name=NAME))
    for row in trail.bench.rows("SELECT dead_letter_id FROM headrace.dead_letters ORDER BY 1"):
        assert redrive.again(database, "acme", "ann", row["dead_letter_id"]).state == "retried"
    assert shown(trail.bench) == [("c", 1)]
    assert trail.bench.rows("SELECT 1 AS n FROM headrace.timeline_events") == []


def test_what_comes_back_is_there_again(trail: Trail) -> None:
    """Deleted and made anew, with the very same content: three versions, and the last one shown."""
    batches = [
        land(trail, Record("a", b"1")),
        land(trail, Record("a", b"", gone=True)),
        land(trail, Record("a", b"1")),
    ]
    for number in reversed(batches):
        run_stage(trail.bench.database, NAME, number)
    assert shown(trail.bench) == [("a", 3)]
    versions = trail.bench.rows("SELECT content_hash = '' AS gone FROM headrace.raw_events")
    assert [row["gone"] for row in versions].count(True) == 1


def test_said_twice_it_is_one_version(trail: Trail) -> None:
    land(trail, Record("a", b"1"))
    land(trail, Record("a", b"", gone=True))
    number = land(trail, Record("a", b"", gone=True))
    [row] = [one for one in trail.batches() if one["batch_id"] == number]
    assert (row["inserted"], row["unchanged"]) == (0, 1)


def test_marks_are_kept_and_forgotten(trail: Trail) -> None:
    """A mark lands with its record, changes without it, and goes with it."""
    land(trail, Record("a", b"1", mark="x"), Record("b", b"1", mark="x"))
    land(trail, Record("a", b"1", mark="y"), Record("b", b"", gone=True))
    marks = trail.bench.rows("SELECT source_id, mark FROM headrace.marks")
    assert marks == [{"source_id": "a", "mark": "y"}]


def test_a_stage_that_writes_and_one_that_deletes_do_not_pass(trail: Trail) -> None:
    """The stream is held: shared by those that write, alone by the one that deletes."""
    land(trail, Record("a", b"1"))
    keys = {"tenant": "acme", "stream_id": trail.batches()[0]["stream_id"]}
    database = trail.bench.database
    with database.transaction() as one, database.transaction() as other:
        assert hold(one, keys, alone=False) is False
        assert hold(other, keys, alone=False) is False
        with database.transaction() as deleting:
            deleting.execute("SET LOCAL lock_timeout = '50ms'")
            with pytest.raises(Exception, match="lock timeout"):
                hold(deleting, keys, alone=True)
