"""Ids, times and payloads of records; a bad one is set aside, alone."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import NeedsHuman, Retry, Skip
from headrace.rest.ids import MAX_ID, canonical_id

GOOD = b'{"id":"good","time":1}'


def page(*records: bytes) -> bytes:
    return b'{"data":[' + b", ".join(records) + b'],"hasMore":true,"nextCursor":"c"}'


async def read(api: Any, *records: bytes, **spec: Any) -> Any:
    rest = api.rest(await api.always(page(*records)), **{"time": "time", **spec})
    return await rest.fetch("events", "", None)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"7", "7"),
        (b'"7"', "7"),
        (b"0", "0"),
        (b"-1", "-1"),
        (b"18446744073709551616", "18446744073709551616"),
        (b"12.0", "12"),
        (b'"a b"', "a b"),
        (b'"\xc3\xa4"', "ä"),
        (b'"\\u00e4"', "ä"),
        (b'"6f9619ff-8b86-d011-b42d-00c04fc964ff"', "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
    ],
)
async def test_ids_become_canonical_text(api: Any, raw: bytes, expected: str) -> None:
    """Covers R14: integers, text, UUIDs, 0."""
    found = await read(api, GOOD, b'{"id":' + raw + b"}")

    assert [r.source_id for r in found.records] == ["good", expected]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"{}", "The record's id (id) is missing."),
        (b'{"id":null}', "is missing"),
        (b'{"id":""}', "is empty"),
        (b'{"id":true}', "is true or false"),
        (b'{"id":1.5}', "is a fraction"),
        (b'{"id":{}}', "is not a text or a number"),
        (b'{"id":["a"]}', "is not a text or a number"),
        (b'{"id":"' + b"x" * 600 + b'"}', "is longer than 512"),
        (b'{"id":' + b"9" * 600 + b"}", "is longer than 512"),
        (b'{"id":1,"time":"yesterday"}', "The record's time (time) is not a time."),
        (b'{"id":1,"time":"9999-12-31T00:00:00Z"}', "is outside the years"),
        (b'{"id":1,"time":99999999999999999999}', "is outside the years"),
        (b'{"id":1,"time":true}', "is true or false, not a time"),
        (b'{"id":1,"time":{}}', "is an object, not a time"),
        (b'{"id":1,"time":"\\ud800"}', "is not a time"),
        (b"null", "The record is not an object."),
        (b'"text"', "is not an object"),
        (b"[1]", "is not an object"),
        (b"7", "is not an object"),
        (b'{"id":NaN}', "is not JSON"),
        (b'{"id":1,"x":Infinity}', "is not JSON"),
        (b'{"id":1,"x":01}', "is not JSON"),
        (b'{"id":1,,"x":1}', "is not JSON"),
        (b'{"id":1,"x":nothing}', "is not JSON"),
        (b'{"id":"\xff"}', "is not UTF-8"),
        (b'{"id":1,"x":' + b"[" * 3000 + b"]" * 3000 + b"}", "is nested too deep"),
    ],
)
async def test_a_bad_record_is_set_aside_alone(api: Any, record: bytes, reason: str) -> None:
    """Covers R13, R14, R11, X5, A1.54, A2.18: its bytes, a reason and a hint; the page goes on."""
    found = await read(api, GOOD, record, GOOD.replace(b"good", b"also good"))

    assert [r.source_id for r in found.records] == ["good", "also good"]
    assert [bad.raw for bad in found.bad] == [record]
    assert reason in found.bad[0].reason
    assert found.bad[0].hint
    assert found.cursor["at"] == {"cursor": "c"}


@pytest.mark.parametrize(
    "record",
    [
        b'{"id":"x", "zero":"\\u0000"}',
        b'{"id":"x","\\u0000":1}',
        b'{"id":"x","lone":"\\ud800"}',
        b'{"id":"x","\\uDFFF":"\\udc00\\ud800"}',
        b'{"id":"x","pair":"\\ud83d\\ude00"}',
        b'{ "id" : "x" ,\n "n" : 1.10, "e": 1E5 }',
        b'{"id":"x","a":1,"a":2}',
        b'{"id":"x","big":' + b"9" * 5000 + b"}",
        b'{"id":"x","tiny":1e-99999}',
    ],
)
async def test_payloads_stay_as_they_were_sent(api: Any, record: bytes) -> None:
    """Covers R12, R13: NUL, lone surrogates, spaces and unknown fields are kept to the byte."""
    found = await read(api, GOOD, record)

    assert [r.payload for r in found.records] == [GOOD, record]
    assert not found.bad


async def test_ids_that_postgresql_would_refuse(api: Any) -> None:
    """Covers R12, R14: cleaned, and still different from each other."""
    found = await read(
        api, b'{"id":"a\\u0000"}', b'{"id":"a"}', b'{"id":"a\\ud800"}', b'{"id":"a\\ud801"}'
    )
    ids = [r.source_id for r in found.records]

    assert len(set(ids)) == 4
    assert "a" in ids
    assert all(i.startswith("a") and "\0" not in i and i.encode() for i in ids)


@given(st.text(min_size=1, max_size=MAX_ID) | st.integers(-(10**30), 10**30) | st.uuids().map(str))
def test_any_id_is_text_that_postgresql_takes(value: str | int) -> None:
    """Covers R14, R12: and asking twice gives the same."""
    found = canonical_id(value)

    assert found == canonical_id(json.loads(json.dumps(value)))
    assert found
    assert "\0" not in found
    assert found.encode("utf-8")


@given(st.lists(st.text(alphabet="a\0\ud800\udfff", min_size=1, max_size=4), unique=True))
def test_different_ids_stay_different(values: list[str]) -> None:
    """Covers R14: cleaning makes no two ids one."""
    assert len({canonical_id(v) for v in values}) == len(values)


def test_a_uuid_is_kept_as_written() -> None:
    """Covers R14: no opinion about its form."""
    text = str(uuid.UUID(int=7)).upper()

    assert canonical_id(text) == text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'"2026-01-02T03:04:05Z"', datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (b'"2026-01-02T03:04:05.678Z"', datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)),
        (b'"2026-01-02T05:04:05+02:00"', datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (b'"2026-01-02 03:04:05"', datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (b'"2026-01-02"', datetime(2026, 1, 2, tzinfo=UTC)),
        (b'"20260102"', datetime(2026, 1, 2, tzinfo=UTC)),
        (b'"Fri, 02 Jan 2026 03:04:05 GMT"', datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (b"1767323045", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (b"1767323045.5", datetime(2026, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC)),
        (b"1767323045678", datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)),
        (b"1767323045678901", datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)),
        (b'"1767323045678"', datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)),
        (b"0", datetime(1970, 1, 1, tzinfo=UTC)),
        (b"-86400", datetime(1969, 12, 31, tzinfo=UTC)),
        (b"null", None),
    ],
)
async def test_times_in_every_form(api: Any, raw: bytes, expected: datetime | None) -> None:
    """Covers A2.19: ISO and Unix seconds, milliseconds or microseconds, mixed in one page."""
    mixed = [b'{"id":1,"time":"2026-01-01T00:00:00Z"}', b'{"id":2,"time":1767225600000}']
    found = await read(api, *mixed, b'{"id":3,"time":' + raw + b"}")

    assert found.records[0].occurred_at == found.records[1].occurred_at
    assert found.records[2].occurred_at == expected
    assert all(r.occurred_at is None or r.occurred_at.tzinfo is UTC for r in found.records)


async def test_ids_and_times_deep_inside(api: Any) -> None:
    """Covers A2.19: dotted paths; an absent or null object on the way is an absent value."""
    found = await read(
        api,
        b'{"meta":{"id":1,"at":{"time":0}}}',
        b'{"meta":{"id":2}}',
        b'{"meta":{"id":3,"at":null}}',
        b'{"meta":null}',
        b'{"meta":7}',
        id="meta.id",
        time="meta.at.time",
    )

    assert [r.source_id for r in found.records] == ["1", "2", "3"]
    assert [bad.reason for bad in found.bad] == ["The record's id (meta.id) is missing."] * 2


async def test_a_wrong_id_path_is_noticed_on_the_first_page(api: Any) -> None:
    """Covers R13, A2.36: one sentence with the keys that are there, instead of a dead page."""
    url = await api.always(page(b'{"uuid":1,"name":"x"}', b'{"uuid":2}'))

    with pytest.raises(NeedsHuman, match="has its id at 'id'; there is: name, uuid"):
        await api.rest(url).fetch("events", "", None)


async def test_later_pages_may_be_all_bad(api: Any) -> None:
    """Covers X5: a page of dead letters does not stop a walk that worked."""
    rest = api.rest(await api.always(page(b"{}", b"{}")))

    found = await rest.fetch("events", "", {"at": {"cursor": "b"}})

    assert (len(found.records), len(found.bad), found.more) == (0, 2, True)


async def test_everything_is_accounted_for(api: Any) -> None:
    """Covers X5: fetched = records + bad, in any mixture."""
    records = [b'{"id":%d}' % n if n % 3 else b'{"id":NaN}' for n in range(100)]

    found = await read(api, *records)

    assert len(found.records) + len(found.bad) == 100


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":[{"id":1},{"id":2}',
        b'{"data":[{"id":1},{"id":2}]',
        b'{"data":[{"id":1},{"id":"2]}',
        b'{"data":[{"id":1}],"hasMore":',
        b'{"data":[{"id":1}]]}',
        b'{"data":[{"id":1}]} trailing',
        b"{",
        b"nonsense",
        b'{"data":[{"id":NaN}],"hasMore":fals}',
    ],
)
async def test_partial_json_is_never_used(api: Any, body: bytes) -> None:
    """Covers R10: a page that breaks off is asked for again, and nothing of it lands."""
    rest = api.rest(await api.always(body))

    with pytest.raises(Retry, match="after 6 attempts"):
        await rest.fetch("events", "", None)

    assert len(api.requests) == 6


@pytest.mark.parametrize("depth", [1500, 200_000])
async def test_brackets_without_end(api: Any, depth: int) -> None:
    """Covers R11: the depth is bounded, wherever the brackets are."""
    for body in (b"[" * depth, b'{"data":' + b"[" * depth, b'{"x":' + b"[" * depth + b"]" * depth):
        with pytest.raises(Retry, match="nested too deep"):
            await api.rest(await api.always(body)).fetch("events", "", None)


async def test_a_dead_letter_is_read_again_by_the_spec_of_today(api: Any) -> None:
    """Covers A2.44, R13: once the spec is mended, its bytes become a record without a call."""
    raw = b'{"uuid":7,"time":"2026-01-01"}'
    before, after = api.rest("http://127.0.0.1:9"), api.rest("http://127.0.0.1:9", id="uuid")

    with pytest.raises(Skip, match=r"id \(id\) is missing"):
        before.reread("events", raw)
    assert after.reread("events", raw).source_id == "7"
    assert after.reread("events", raw).payload == raw
