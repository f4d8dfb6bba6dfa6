"""Events are the same for everyone, for ever, and look like those of the original."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from headrace.twin import Events, event_bytes, event_id
from headrace.twin.timeline import BLOCK_MS, START_MS, first_index_at, occurred_ms

TYPES = {
    "click",
    "page_view",
    "api_call",
    "form_submit",
    "scroll",
    "purchase",
    "error",
    "video_play",
}
LAST = 2_999_999


def decoded(start: int, stop: int) -> list[dict[str, Any]]:
    return [json.loads(row) for row in Events(1).rows(start, stop)]


def instant_ms(timestamp: str | int) -> int:
    if isinstance(timestamp, int):
        return timestamp
    since_epoch = datetime.fromisoformat(timestamp) - datetime(1970, 1, 1, tzinfo=UTC)
    return since_epoch // timedelta(milliseconds=1)


def test_events_have_not_changed_since_they_were_published() -> None:
    """Results that name a seed must stay reproducible: a failure here breaks other people's."""
    assert Events(1).truth(0, 1_000) == {
        "from": 0,
        "to": 1_000,
        "count": 1_000,
        "idsSha256": "39b0ba7b9578546e0dc8f72b0f6d74274ce9fcf11d3f4b8345b886127c120e33",
        "payloadsSha256": "a7dd515b96fc1653cb660b949007e600fdf4df6d194a6a01508542588c5c9b4d",
    }


@pytest.mark.parametrize("index", [0, 1, 99, 100, 12_345, LAST])
def test_one_event_is_the_same_alone_and_in_a_page(index: int) -> None:
    page = list(Events(7).rows(index - index % 100, index + 1))
    assert event_bytes(7, index) == page[-1]
    assert json.loads(page[-1])["id"] == event_id(7, index)


def test_joined_rows_are_the_rows_wherever_a_page_begins() -> None:
    events = Events(3)
    for start, stop in [(0, 100), (0, 1_000), (37, 41), (95, 205), (250, 250), (LAST, LAST + 1)]:
        assert b",".join(events.joined(start, stop)) == b",".join(events.rows(start, stop))


def test_ids_are_unique_random_uuids_and_another_seed_has_others() -> None:
    ids = list(Events(1).ids(0, 100_000))
    assert len(set(ids)) == len(ids)
    assert all(str(UUID(name)) == name and UUID(name).version == 4 for name in ids[:1_000])
    assert not set(ids[:1_000]) & set(Events(2).ids(0, 1_000))


def test_events_have_the_shape_of_the_original() -> None:
    events = decoded(0, 5_000)
    for event in events:
        assert list(event) == [
            "id",
            "sessionId",
            "userId",
            "type",
            "name",
            "properties",
            "timestamp",
            "session",
        ]
        assert list(event["session"]) == ["id", "deviceType", "browser"]
        assert event["session"]["id"] == event["sessionId"]
    assert {event["type"] for event in events} == TYPES
    assert 50 < len({event["sessionId"] for event in events}) < len(events) / 5
    sizes = [len(row) for row in Events(1).rows(0, 5_000)]
    assert 450 <= sum(sizes) / len(sizes) <= 500


def test_one_page_mixes_both_forms_of_timestamp_in_time_order() -> None:
    """The original mixes ISO 8601 strings and Unix milliseconds within a page."""
    events = decoded(LAST - 999, LAST + 1)
    assert {type(event["timestamp"]) for event in events[:100]} == {str, int}
    instants = [instant_ms(event["timestamp"]) for event in events]
    assert all(earlier < later for earlier, later in pairwise(instants))
    assert instants == [occurred_ms(index) for index in range(LAST - 999, LAST + 1)]


@pytest.mark.parametrize("index", [0, 1, 57, 99, 100, LAST])
def test_an_instant_leads_to_the_first_event_at_or_after_it(index: int) -> None:
    at = occurred_ms(index)
    assert first_index_at(at) == index
    assert first_index_at(at + 1) == index + 1


def test_no_instant_comes_before_the_first_event() -> None:
    assert first_index_at(START_MS - 10 * BLOCK_MS) == 0


def test_a_revision_edits_its_share_of_events_and_no_id() -> None:
    """What a source that edits its records serves: the same ids, new content on some."""
    before, after = Events(1, edits=0.1, revision=0), Events(1, edits=0.1, revision=1)
    assert list(before.rows(0, 500)) == list(Events(1).rows(0, 500))
    assert list(before.ids(0, 10_000)) == list(after.ids(0, 10_000))
    rows = list(zip(before.rows(0, 10_000), after.rows(0, 10_000), strict=True))
    edited = [json.loads(new) for old, new in rows if old != new]
    assert 900 < len(edited) < 1_100
    assert all(event["properties"]["revision"] == 1 for event in edited)
    later = Events(1, edits=0.1, revision=2).rows(0, 10_000)
    assert [old != new for old, new in rows] == [
        old != new for (old, _), new in zip(rows, later, strict=True)
    ]


def test_making_events_takes_a_microsecond_or_two_each() -> None:
    """The twin must never be what limits a benchmark: 400,000 rows a CPU second at the least."""
    events = Events(11)
    events_made = 200_000
    began = time.process_time()
    for start in range(0, events_made, 1_000):
        b",".join(events.joined(start, start + 1_000))
    assert events_made / (time.process_time() - began) > 400_000
