"""What JSON records look like is learned, and when they have come to look otherwise is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.engine.test_alerts import SETTINGS, change, look, standing

from headrace.engine.alerts import drift
from headrace.engine.shape import LEARN, STREAK, Shape

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

USUAL = {"id": 1, "name": "a", "note": None, "by": {"login": "ann"}, "tags": []}


def learned(*records: Any) -> Shape:
    shape = Shape()
    see(shape, *([*records] or [USUAL]), times=LEARN)
    return shape


def see(shape: Shape, *records: Any, times: int) -> None:
    for number in range(times):
        shape.see(json.dumps(records[number % len(records)]).encode())


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in USUAL.items() if key != name}


def test_a_field_that_is_gone_and_one_of_another_type() -> None:
    """After so many records in a row; also inside of an object. As before again, it is over."""
    shape = learned()
    changed = without("name") | {"id": "1", "by": {"login": 7}}
    see(shape, changed, times=STREAK - 1)
    assert shape.drifted() == {}
    see(shape, changed, times=1)
    assert shape.drifted() == {
        "by.login": "number instead of text",
        "id": "text instead of number",
        "name": "gone",
    }
    see(shape, USUAL, times=1)
    assert shape.drifted() == {}
    see(shape, changed, times=STREAK)
    shape.accept()
    assert shape.drifted() == {}
    see(shape, changed, times=STREAK * 3)
    assert shape.drifted() == {}


def test_what_only_some_records_have_is_no_drift() -> None:
    """Not while it is learned, and not after; null is of every type, and a new field is none of a
    reader's who does not ask for it."""
    shape = learned(USUAL, without("tags"), USUAL | {"id": "x"})
    see(shape, without("tags") | {"id": "x", "new": 1}, times=STREAK * 2)
    assert shape.drifted() == {}
    see(shape, without("name"), USUAL, times=10)
    see(shape, without("name"), times=STREAK * 2)
    assert shape.drifted() == {}
    see(shape, USUAL | {"note": "text", "by": None}, times=STREAK * 2)
    assert shape.drifted() == {}


def test_what_is_no_object_says_nothing() -> None:
    shape = learned()
    for payload in (b"", b"[1]", b"{", b"\xff", b'"text"', b"1"):
        for _ in range(STREAK):
            shape.see(payload)
    assert shape.drifted() == {}
    assert shape.records == LEARN


def test_a_stream_that_drifts_is_an_alert_and_its_samples_are_few(bench: Bench) -> None:
    """Raised once, over when records are as before; after a week the new shape is the usual one."""
    source = bench.connect("shop")
    change(
        bench,
        "INSERT INTO headrace.streams (tenant_id, user_id, connection_id, name, content)"
        " SELECT tenant_id, user_id, connection_id, 'orders', 'application/json'"
        " FROM headrace.connections",
    )

    def land(record: Any, times: int = 1) -> list[tuple[int, int]]:
        done = []
        for _ in range(times):
            change(
                bench,
                "WITH b AS (INSERT INTO headrace.batches (tenant_id, user_id, stream_id, slice,"
                " walk, job_id, epoch, pages, fetched, inserted, unchanged, dead_lettered,"
                " payload_bytes, cursor_hashes) SELECT tenant_id, user_id, stream_id, '', 1, 'j',"
                " 1, 1, 50, 50, 0, 0, 1, '' FROM headrace.streams RETURNING *)"
                " INSERT INTO headrace.raw_events (tenant_id, user_id, stream_id, source_id,"
                " version, content_hash, batch_id, payload) SELECT tenant_id, user_id, stream_id,"
                " batch_id || '/' || n, 1, 'x', batch_id, %s FROM b, generate_series(1, 50) n",
                json.dumps(record).encode(),
            )
            done.append(look(bench))
        return done

    batches = LEARN // drift.RECORDS
    assert land(USUAL, batches) == [(0, 0)] * batches
    assert bench.one("SELECT shape ->> 'records' FROM headrace.stream_shapes") == str(LEARN)
    assert land(without("name")) == [(1, 0)]
    assert [rule for rule, _ in standing(bench)] == ["drift"]
    row = bench.rows("SELECT said, link FROM headrace.incidents")[0]
    said = "Records of shop, orders, look otherwise than before: name (gone)."
    assert row == {"said": said, "link": f"/sources/{source['connection_id']}"}
    assert land(USUAL) == [(0, 1)]
    assert land(without("name"), 2) == [(1, 0), (0, 0)]
    change(bench, "UPDATE headrace.stream_shapes SET drifted_at = now() - interval '8 days'")
    assert land(without("name"), 3) == [(0, 1), (0, 0), (0, 0)]
    assert SETTINGS.headrace_alert_drift


def test_names_are_such_as_postgresql_takes() -> None:
    """One source's odd field must not end the looks at all others."""
    shape = Shape()
    shape.see(b'{"a\\u0000b": 1}')
    assert list(shape.fields) == ["ab"]
