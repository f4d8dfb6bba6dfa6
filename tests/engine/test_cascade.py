"""A stage on a batch: the same rows however often it runs; what it cannot take is buried alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from headrace.engine.cascade import give_up, run_stage
from headrace.engine.transform import transform
from headrace.errors import HeadraceError, Skip
from headrace.provider import Page, Record
from headrace.rows import EventRow
from headrace.stage import RawEvent, StreamContext, stage

if TYPE_CHECKING:
    from tests.engine.conftest import Bench, Trail

NAME = "probe_numbers"


def batch(trail: Trail, **payloads: bytes) -> int:
    """A batch of records with these payloads."""
    trail.land_one(*(Record(name, payload) for name, payload in payloads.items()))
    return int(trail.batches()[-1]["batch_id"])


def shown(bench: Bench) -> list[tuple[Any, ...]]:
    rows = bench.rows("SELECT source_id, version, name FROM headrace.events ORDER BY 1")
    return [tuple(row.values()) for row in rows]


def letters(bench: Bench) -> list[tuple[Any, ...]]:
    rows = bench.rows(
        "SELECT stage, source_id, version, attempts FROM headrace.dead_letters ORDER BY source_id"
    )
    return [tuple(row.values()) for row in rows]


def runs(bench: Bench) -> list[tuple[Any, ...]]:
    rows = bench.rows(
        "SELECT batch_id, stage, version, rows_in, rows_out, dead_lettered FROM headrace.stage_runs"
        " ORDER BY batch_id"
    )
    return [tuple(row.values()) for row in rows]


def test_a_stage_run_twice_leaves_the_same(trail: Trail) -> None:
    """Covers A1.52: rows, dead letters and the note that it ran."""
    number = batch(trail, a=b"1", b=b"2", c=b"refuse")
    assert run_stage(trail.bench.database, NAME, number).rows == 2
    first = (shown(trail.bench), runs(trail.bench))
    assert run_stage(trail.bench.database, NAME, number).rows == 2
    assert (shown(trail.bench), runs(trail.bench)) == first
    assert first == ([("a", 1, "1"), ("b", 1, "2")], [(number, NAME, 1, 3, 2, 1)])
    assert letters(trail.bench) == [(NAME, "c", 1, 2)]


async def test_what_is_handed_over_is_what_the_table_holds(trail: Trail) -> None:
    """A stage that runs right after landing is given the rows from memory: to the letter what it
    would read, time zones included, or a replay would make other rows of them."""
    there = datetime(2026, 5, 1, 23, 30, tzinfo=timezone(timedelta(hours=-9)))
    records = [Record("a", b"1", there), Record("b", b"2"), Record("c", b"refuse", there)]
    trail.answers(lambda _: Page(records, None, more=False))
    assert (await trail.leg()).state == "done"
    number = trail.batches()[0]["batch_id"]
    seen = []
    for _ in range(2):  # from memory, then from the table
        run_stage(trail.bench.database, NAME, number)
        seen.append(trail.bench.rows("SELECT * FROM headrace.events ORDER BY source_id"))
    assert seen[0] == seen[1]
    assert seen[0][0]["type"] == "2026-05-02T08:30:00+00:00"


def test_what_a_stage_refuses_is_buried_alone(trail: Trail) -> None:
    """Covers X5, A1.54: the letter points to the raw event, which keeps the bytes."""
    number = batch(trail, a=b"refuse", b=b"2")
    run_stage(trail.bench.database, NAME, number)
    [letter] = trail.bench.rows("SELECT * FROM headrace.dead_letters")
    assert (letter["reason"], letter["hint"]) == ("It is refused.", "Leave it.")
    assert (letter["source_id"], letter["version"], letter["batch_id"]) == ("a", 1, number)
    assert (letter["raw"], letter["job_id"]) == (b"", trail.job_id)
    assert shown(trail.bench) == [("b", 1, "2")]
    assert trail.raw() == ["a", "b"]


def test_a_record_refused_half_way_leaves_no_half(trail: Trail) -> None:
    """Covers X5: a stage that yields a row and then refuses its record has refused all of it."""
    run_stage(trail.bench.database, NAME, batch(trail, a=b"half", b=b"2"))
    assert shown(trail.bench) == [("b", 1, "2")]
    assert letters(trail.bench) == [(NAME, "a", 1, 1)]


def test_a_bug_stops_the_batch_until_it_is_isolated(trail: Trail) -> None:
    """Covers X5, G15: all or nothing at first; at the last attempt only what meets the bug."""
    number = batch(trail, a=b"1", b=b"bug", c=b"3")
    with pytest.raises(ZeroDivisionError):
        run_stage(trail.bench.database, NAME, number)
    assert (shown(trail.bench), runs(trail.bench)) == ([], [])
    assert run_stage(trail.bench.database, NAME, number, isolate=True).rows == 2
    assert shown(trail.bench) == [("a", 1, "1"), ("c", 1, "3")]
    assert letters(trail.bench) == [(NAME, "b", 1, 1)]


def test_a_row_that_postgresql_refuses_is_isolated_too(trail: Trail) -> None:
    """Covers X5, R12: one text with a NUL in it does not take thousands of rows with it."""
    payloads = {f"r{n:03}": b"%d" % n for n in range(200)} | {"r077": b"nul\0", "r150": b"nul\0"}
    number = batch(trail, **payloads)
    with pytest.raises(Exception, match="0x00"):
        run_stage(trail.bench.database, NAME, number)
    assert run_stage(trail.bench.database, NAME, number, isolate=True).rows == 198
    assert len(shown(trail.bench)) == 198
    assert letters(trail.bench) == [(NAME, "r077", 1, 1), (NAME, "r150", 1, 1)]
    assert runs(trail.bench) == [(number, NAME, 1, 200, 198, 2)]
    run_stage(trail.bench.database, NAME, number, isolate=True)
    assert len(shown(trail.bench)) == 198


def test_batches_out_of_order_end_with_the_newest(trail: Trail) -> None:
    """Covers X9, R3: the stage of the older batch runs last, and changes nothing."""
    older = batch(trail, a=b"1", b=b"1")
    newer = batch(trail, a=b"2", c=b"1")
    for number in (newer, older, newer, older):
        run_stage(trail.bench.database, NAME, number)
    assert shown(trail.bench) == [("a", 2, "2"), ("b", 1, "1"), ("c", 1, "1")]


def test_a_batch_given_up_is_one_dead_letter(trail: Trail) -> None:
    """Covers A2.44, X5: its raw events stay, its error stands beside it, nothing waits for it."""
    number = batch(trail, a=b"1")
    give_up(trail.bench.database, NAME, number, "it broke")
    assert letters(trail.bench) == [(NAME, f"batch/{number}", None, 1)]
    assert trail.bench.one("SELECT error FROM headrace.stage_runs") == "it broke"
    run_stage(trail.bench.database, NAME, number)  # mended, and run after all
    assert trail.bench.one("SELECT error FROM headrace.stage_runs") is None
    assert shown(trail.bench) == [("a", 1, "1")]


def test_there_is_no_such_batch(trail: Trail) -> None:
    with pytest.raises(HeadraceError, match="no batch 99"):
        run_stage(trail.bench.database, NAME, 99)


@stage(version=1, content="any")
def all_at_once(raws: Sequence[RawEvent], stream: StreamContext) -> Iterable[EventRow]:
    """A stage that takes whole batches, and none with a record it refuses."""
    if any(raw.payload == b"refuse" for raw in raws):
        raise Skip("It is refused.")
    for raw in raws:
        yield EventRow(source_id=raw.source_id, version=raw.version, name=f"of {len(raws)}")


def test_a_stage_over_whole_batches_falls_back_to_single_records() -> None:
    """Covers X5: fast while all is well, and alone with each record when it is not."""
    origin = StreamContext(provider="p", stream="s", content="any", config="{}")
    good = [RawEvent(f"{n}", 1, None, b"") for n in range(3)]
    rows, bad, _ = transform(all_at_once, good, origin)
    assert ([row.name for row in rows], bad) == (["of 3"] * 3, [])  # type: ignore[attr-defined]
    rows, bad, versions = transform(all_at_once, [*good, RawEvent("x", 7, None, b"refuse")], origin)
    assert [row.name for row in rows] == ["of 1"] * 3  # type: ignore[attr-defined]
    assert ([one.source_id for one in bad], versions) == (["x"], [7])
