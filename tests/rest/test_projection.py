"""From payloads to rows of `events`, and what becomes searchable."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import Skip
from headrace.rest.projection import MAX_TEXT, compile_projection
from headrace.rest.stream_spec import Stream
from headrace.rows import EventRow
from headrace.stage import RawEvent, StreamContext
from headrace.stages.normalise_events import normalize_events
from headrace.text import MAX_TERMS, lexemes, tsvector

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SPEC = Stream(path="/events", time="timestamp")


def project(payload: bytes | dict[str, Any], spec: Stream = SPEC) -> Any:
    if isinstance(payload, dict):
        payload = json.dumps(payload).encode()
    return compile_projection(spec)(payload)


def rows(config: str, *payloads: bytes, occurred_at: datetime | None = None) -> list[Any]:
    """What the stage makes of these payloads, given to it at once."""
    raws = [
        RawEvent(source_id=str(number), version=3, occurred_at=occurred_at, payload=payload)
        for number, payload in enumerate(payloads, 1)
    ]
    found: Iterable[Any] = normalize_events.run(
        raws, StreamContext("rest", "events", "application/json", config)
    )
    return list(found)


def test_an_event_of_datasync() -> None:
    """Covers A2.19, A2.20: its names are the default."""
    found = project(
        {
            "id": "evt_1",
            "type": "page_view",
            "name": "Home Page",
            "userId": "u1",
            "sessionId": "s1",
            "timestamp": 1767268800000,
            "properties": {"url": "/Shop", "n": 5, "deep": {"tags": ["Neu", 7]}},
            "session": {"browser": "Firefox"},
        }
    )

    assert (found.type, found.name, found.actor_id, found.session_id) == (
        "page_view",
        "Home Page",
        "u1",
        "s1",
    )
    assert found.occurred_at == NOON
    assert json.loads(found.properties) == {"url": "/Shop", "n": 5, "deep": {"tags": ["Neu", 7]}}
    assert found.terms == {"page_view", "home", "page", "shop", "neu"}


@pytest.mark.parametrize("time", [1767268800000, 1767268800, "2026-01-01T12:00:00Z"])
def test_times_are_mixed(time: Any) -> None:
    """Covers A2.19: ISO text and Unix time in one stream."""
    assert project({"timestamp": time}).occurred_at == NOON


def test_an_empty_event() -> None:
    """Covers R13: absent and null fields are empty columns."""
    for payload in (b"{}", b'{"type":null,"properties":null,"timestamp":null}'):
        found = project(payload)
        assert (found.type, found.occurred_at, found.properties, found.terms) == (
            None,
            None,
            b"{}",
            frozenset(),
        )


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"type":{"a":1}}', "The field type is an object, where a text belongs."),
        (b'{"userId":["a"]}', "The field userId is an array, where a text belongs."),
        (b'{"properties":"text"}', "The field properties is not an object."),
        (b'{"properties":7}', "The field properties is not an object."),
        (b'{"timestamp":"soon"}', "The field timestamp is not a time."),
        (b'{"timestamp":{"$date":1}}', "The field timestamp is an object, not a time."),
        (b'{"timestamp":1e300}', "The field timestamp is outside the years 1900 to 2199."),
        (b'{"properties":{"a":1e400}}', "The record is not JSON"),
        (b'{"properties":{"a":"\xff"}}', "The record is not UTF-8."),
        (b'{"properties":' + b"[" * 3000 + b"]" * 3000 + b"}", "The record is nested too deep."),
    ],
)
def test_a_used_field_whose_type_changed(payload: bytes, reason: str) -> None:
    """Covers R13, A2.36: the row alone is skipped, and the field is named."""
    with pytest.raises(Skip, match="The ") as caught:
        project(payload)

    assert reason in caught.value.message
    assert caught.value.hint


def test_unknown_fields_do_not_matter() -> None:
    """Covers R13: they stay in the payload."""
    assert project(b'{"type":"a","new":{"x":[1]},"session":7}').type == "a"


def test_plain_values_become_text() -> None:
    """Covers R14: numeric and boolean ids of people and sessions."""
    found = project({"userId": 7, "sessionId": 1.5, "type": True})

    assert (found.actor_id, found.session_id, found.type) == ("7", "1.5", "true")


def test_what_postgresql_refuses() -> None:
    """Covers R12: NUL and lone surrogates, in values and keys, escaped or in part."""
    found = project(
        b'{"type":"a\\u0000b","name":"x\\ud800y","userId":"\\\\u0000","sessionId":"\\ud83d\\ude00",'
        b'"properties":{"k\\u0000":"v\\udfff","slash":"\\\\u0000 \\\\ud800"}}'
    )

    assert (found.type, found.name) == ("ab", "x\ufffdy")
    assert (found.actor_id, found.session_id) == ("\\u0000", "😀")
    assert json.loads(found.properties) == {"k": "v\ufffd", "slash": "\\u0000 \\ud800"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(alphabet=st.characters()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet=st.characters()), inner),
    ),
    st.booleans(),
)
def test_properties_are_always_json_for_postgresql(value: Any, ascii_: bool) -> None:
    """Covers R12: any properties give UTF-8 without NUL, and their terms as well."""
    payload = json.dumps({"properties": {"x": value}, "name": str(value)}, ensure_ascii=ascii_)
    found = project(payload.encode("utf-8", "replace"))

    assert "\\u0000" not in found.properties.decode().replace("\\\\", "")
    assert isinstance(json.loads(found.properties), dict)
    assert all("\0" not in term and term.encode() for term in found.terms)


def test_long_values_are_cut() -> None:
    """Covers R12: an index entry has a size; the payload keeps everything."""
    found = project({"type": "x" * 5000, "properties": {"t": " ".join(map(str, range(9999)))}})

    assert found.type == "x" * MAX_TEXT
    assert len(found.terms) <= MAX_TERMS


def test_a_spec_names_its_own_fields() -> None:
    """Covers A2.19: dotted paths, and one path for two columns."""
    spec = Stream.model_validate(
        {
            "path": "/",
            "project": {
                "type": "kind",
                "name": "kind",
                "actor_id": "actor.login",
                "session_id": "actor.session",
                "properties": "payload",
                "time": "at",
            },
        }
    )

    found = project(
        {"kind": "push", "actor": {"login": "ada"}, "payload": [{"m": "Fix"}], "at": 0}, spec
    )

    assert (found.type, found.name, found.actor_id, found.session_id) == (
        "push",
        "push",
        "ada",
        None,
    )
    assert found.properties == b'[{"m": "Fix"}]'
    assert found.occurred_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert project({"kind": "a", "actor": None}, spec).actor_id is None


def test_the_stage() -> None:
    """Covers A2.20, A2.19: one row for each record, by the stream's own spec."""
    config = json.dumps(
        {
            "name": "a",
            "base_url": "http://x",
            "streams": {"events": {"path": "/e", "project": {"type": "kind"}}},
        }
    )

    found = rows(config, b'{"kind":"click","type":"other"}', occurred_at=NOON)

    assert found == [
        EventRow(
            source_id="1",
            version=3,
            type="click",
            occurred_at=NOON,
            search=tsvector(lexemes("click")),
        )
    ]
    assert (normalize_events.version, normalize_events.writes) == (1, (EventRow,))


@pytest.mark.parametrize("config", ["{}", "", '{"owner":"x"}'])
def test_a_stream_without_a_spec(config: str) -> None:
    """Covers A2.19: JSON of another provider is projected by the usual names."""
    assert rows(config, b'{"type":"click"}')[0].type == "click"


SCALAR = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "type": SCALAR,
        "name": SCALAR | st.just("x" * 600),
        "userId": SCALAR,
        "timestamp": st.none() | st.integers(0, 10**13) | st.datetimes().map(str) | st.just("soon"),
        "properties": SCALAR
        | st.lists(SCALAR, max_size=3)
        | st.dictionaries(st.text(max_size=4), SCALAR | st.lists(SCALAR), max_size=3),
    },
)


@given(st.lists(EVENT, min_size=2, max_size=4))
def test_a_batch_gives_what_its_records_give_one_by_one(events: list[dict[str, Any]]) -> None:
    """Covers A1.52, A1.54: the fast way differs in nothing but that it gives up sooner."""
    payloads = [json.dumps(event).encode() for event in events]
    config = json.dumps(
        {
            "name": "a",
            "base_url": "http://x",
            "streams": {"events": {"path": "/e", "time": "timestamp"}},
        }
    )
    try:
        together = rows(config, *payloads, occurred_at=NOON)
    except (ValueError, Skip, RecursionError):
        return  # the engine asks again, row by row
    apart = [rows(config, payload, occurred_at=NOON)[0] for payload in payloads]

    assert [_comparable(row) for row in together] == [_comparable(row) for row in apart]


def _comparable(row: EventRow) -> tuple[Any, ...]:
    words = frozenset(row.search[4:].split(b"\0\0\0"))  # a set has no order
    return (
        row.type,
        row.name,
        row.actor_id,
        row.session_id,
        row.occurred_at,
        json.loads(row.properties),
        row.search[:4],
        words,
    )
