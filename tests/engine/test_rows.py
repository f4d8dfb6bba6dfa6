"""Stages over rows that another stage has written."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from headrace import plugins
from headrace.engine.cascade import run_stage
from headrace.errors import Skip
from headrace.provider import Record
from headrace.rows import EventRow, TimelineRow
from headrace.stage import StreamContext, stage

if TYPE_CHECKING:
    from tests.engine.conftest import Trail

FIRST, SECOND = "probe_numbers", "told"


@pytest.fixture(autouse=True)
def second(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more stage: a sentence on each number, except on 9; it refuses 8."""

    @stage(version=1)
    def told(row: EventRow, stream: StreamContext) -> Iterable[TimelineRow]:
        if row.name == "8":
            raise Skip("It is an 8.", hint="Leave it.")
        if row.name != "9":
            yield TimelineRow(
                source_id=row.source_id,
                version=row.version,
                kind="number",
                sentence=f"{stream.stream} said {row.name}.",
                details=row.properties,
            )

    monkeypatch.setitem(plugins.stages(), SECOND, told)


def land(trail: Trail, *records: Record) -> int:
    trail.land_one(*records)
    return int(trail.batches()[-1]["batch_id"])


def sentences(trail: Trail) -> list[str]:
    rows = trail.bench.rows("SELECT sentence FROM headrace.timeline_events ORDER BY source_id")
    return [row["sentence"] for row in rows]


def test_rows_are_read_as_they_were_written(trail: Trail) -> None:
    """Covers A1.52: run twice, the same rows."""
    number = land(trail, Record("a", b"1"), Record("b", b"2"))
    run_stage(trail.bench.database, FIRST, number)
    for _ in range(2):
        assert run_stage(trail.bench.database, SECOND, number).rows == 2
    assert sentences(trail) == ["numbers said 1.", "numbers said 2."]


def test_what_it_refuses_is_alone(trail: Trail) -> None:
    """Covers X5, A1.54."""
    number = land(trail, Record("a", b"1"), Record("b", b"8"))
    for name in (FIRST, SECOND):
        run_stage(trail.bench.database, name, number)
    assert sentences(trail) == ["numbers said 1."]
    [letter] = trail.bench.rows("SELECT stage, source_id, version FROM headrace.dead_letters")
    assert letter == {"stage": SECOND, "source_id": "b", "version": 1}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_any_order_of_batches(trail: Trail, order: tuple[int, ...]) -> None:
    """Edited so that nothing is made of it any more, and deleted: nothing of the old is left,
    whichever batch is worked through first."""
    batches = [
        land(trail, Record("a", b"1"), Record("b", b"1"), Record("c", b"1"), Record("d", b"1")),
        land(trail, Record("a", b"9"), Record("b", b"", gone=True)),
        land(trail, Record("c", b"2"), Record("d", b"8")),
    ]
    for at in order:
        for name in (FIRST, SECOND):
            run_stage(trail.bench.database, name, batches[at])
    # What is refused keeps what there was of it, if it was there before.
    kept = ["numbers said 1."] if order.index(0) < order.index(2) else []
    assert sentences(trail) == ["numbers said 2.", *kept]
