"""Writing what stages make: the right columns, the newest version, the same rows either way."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import permutations
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ARRAY, JSON, Boolean, Column, DateTime, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import TSVECTOR

from headrace import rows
from headrace.model import metadata
from headrace.rows import EventRow, InteractionRow
from headrace.stage import Row, StageError
from headrace.store.projection import target, write
from headrace.text import lexeme, tsvector

if TYPE_CHECKING:
    from tests.store.conftest import Desk

ROW_TYPES = [
    one
    for one in vars(rows).values()
    if isinstance(one, type) and issubclass(one, Row) and one is not Row
]

_COLUMNS: dict[Any, Any] = {
    str: Text,
    int: Integer,
    bool: Boolean,
    datetime: DateTime,
    bytes: (JSON, TSVECTOR, LargeBinary),
    list[str]: ARRAY,
}
"""The column that holds a field of this type; bytes are PostgreSQL's own binary form."""

_OWNED = {"tenant_id", "user_id", "stream_id", "batch_id"}


def put(
    desk: Desk, *made: Row, batch: int = 1, merge: bool = True, stream: int | None = None
) -> None:
    with desk.store.transaction() as session:
        write(
            session,
            type(made[0]),
            made,
            tenant="acme",
            user="ann",
            stream_id=stream or desk.part.stream_id,
            batch_id=batch,
            merge=merge,
        )


def words(*terms: str) -> bytes:
    """A binary tsvector, as stages make them."""
    return tsvector(frozenset(map(lexeme, terms)))


def shown(desk: Desk) -> list[tuple[Any, ...]]:
    return desk.rows("SELECT source_id, version, name FROM headrace.events ORDER BY 1")


def test_every_row_type_is_looked_at() -> None:
    assert [one.__name__ for one in ROW_TYPES] == [
        "EventRow",
        "CalendarEventRow",
        "InteractionRow",
        "TimelineRow",
    ]


@pytest.mark.parametrize("row", ROW_TYPES, ids=lambda one: one.__name__)
def test_row_types_and_tables_are_the_same(row: type[Row]) -> None:
    """rows.py and model cannot drift: every field has a column of its type and NULLs, every
    column that must be filled has a field."""
    table = metadata.tables[f"headrace.{row.table}"]
    fields = {one.name: one.type for one in msgspec.structs.fields(row)}
    for name, type_ in fields.items():
        column: Column[Any] = table.c[name]
        bare = [one for one in get_args(type_) if one is not type(None)]
        may_be_none = type(None) in get_args(type_)
        assert isinstance(column.type, _COLUMNS[bare[0] if may_be_none else type_]), name
        assert column.nullable == may_be_none, name
    filled = {column.name for column in table.c if not column.nullable}
    assert filled <= {*fields, *_OWNED}
    assert [column.name for column in table.primary_key] == ["tenant_id", "stream_id", *row.key]


@pytest.mark.parametrize("row", ROW_TYPES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("merge", [False, True])
def test_defaults_can_be_written(desk: Desk, row: type[Row], merge: bool) -> None:
    """A row with nothing but what it must have goes in, either way."""
    needed: dict[str, Any] = {one.name: "x" for one in msgspec.structs.fields(row) if one.required}
    put(desk, row(**{**needed, "version": 1}), merge=merge)
    assert desk.count(row.table) == 1


def test_values_arrive_as_they_were(desk: Desk) -> None:
    at = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
    for merge in (False, True):
        put(
            desk,
            EventRow(
                source_id=f"e {merge}",
                version=1,
                occurred_at=at,
                type="purchase",
                name="Zażółć 😀",
                actor_id="u",
                session_id="s",
                properties=b'{"price": 12345678901234567890.5, "a": [1, null]}',
                search=words("zażółć", "o'neil", "a", "price"),
            ),
            merge=merge,
        )
    found = desk.rows(
        "SELECT DISTINCT occurred_at, type, name, actor_id, session_id, properties::text,"
        " search::text FROM headrace.events"
    )
    assert found == [
        (
            at,
            "purchase",
            "Zażółć 😀",
            "u",
            "s",
            '{"price": 12345678901234567890.5, "a": [1, null]}',
            "'a' 'o''neil' 'price' 'zażółć'",
        )
    ]


def test_lists_and_searchable_mail(desk: Desk) -> None:
    """Covers A1.37: addresses are lists; PostgreSQL makes the mail searchable by itself."""
    put(
        desk,
        InteractionRow(
            source_id="m",
            version=1,
            source="gmail",
            kind="email_received",
            direction="inbound",
            from_address="bob@example.org",
            to_addresses=["ann@example.org", 'odd,"{}@example.org'],
            subject="Invoices",
            body="due in March",
            labels=["INBOX"],
        ),
    )
    assert desk.rows("SELECT to_addresses, labels, cc_addresses FROM headrace.interactions") == [
        (["ann@example.org", 'odd,"{}@example.org'], ["INBOX"], [])
    ]
    for word in ("invoice", "march", "ann@example.org"):
        query = "SELECT 1 FROM headrace.interactions WHERE search @@ plainto_tsquery('english', %s)"
        assert desk.rows(query, word), word


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.frozensets(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=64)))
def test_terms_are_what_postgresql_would_make_of_them(desk: Desk, terms: frozenset[str]) -> None:
    """Covers A1.33: our own binary tsvector holds every term, sorted PostgreSQL's way."""
    put(desk, EventRow(source_id="one", version=1, search=words(*terms)))
    query = "SELECT search = array_to_tsvector(%s::text[]) FROM headrace.events"
    assert desk.rows(query, sorted(terms)) == [(True,)]


def test_an_older_version_never_overwrites_a_newer_one(desk: Desk) -> None:
    """Covers X9, R3, A1.52: whatever order batches are worked through in, the newest stays."""
    for number, order in enumerate(permutations((1, 2, 3))):
        for version in order:
            row = EventRow(source_id=f"{number}", version=version, name=f"v{version}")
            put(desk, row, batch=version)
    assert shown(desk) == [(f"{n}", 3, "v3") for n in range(6)]


def test_a_message_is_one_row_of_its_source(desk: Desk) -> None:
    """Covers A1.18, A3.51: the same id of two sources, which are of one user each, is two rows; of
    one source it is one, and PostgreSQL itself sees to that."""
    message = InteractionRow(source_id="x", version=1, source="gmail", kind="email")
    for part in (desk.part, desk.plan("other")[0], desk.part):
        put(desk, message, stream=part.stream_id)
    assert desk.count("interactions") == 2
    columns = "tenant_id, user_id, stream_id, source_id, version, batch_id, source, kind"
    again = (
        f"INSERT INTO headrace.interactions ({columns}) SELECT {columns} FROM headrace.interactions"
    )
    with pytest.raises(psycopg.errors.UniqueViolation):
        desk.rows(again)


def test_versions_inside_one_batch(desk: Desk) -> None:
    """Covers X9: the newest of a batch is shown, however they are ordered in it."""
    versions = [EventRow(source_id="x", version=v, name=f"v{v}") for v in (2, 4, 1, 3)]
    put(desk, *versions)
    assert shown(desk) == [("x", 4, "v4")]


def test_the_same_version_again_is_brought_up_to_date(desk: Desk) -> None:
    """Covers A1.52: a stage run again, perhaps in a newer version of itself, has the last word."""
    put(desk, EventRow(source_id="x", version=2, name="before"), batch=1)
    put(desk, EventRow(source_id="x", version=2, name="after"), batch=1)
    assert shown(desk) == [("x", 2, "after")]


def test_straight_refuses_what_is_there(desk: Desk) -> None:
    """The fast way is right or it fails as a whole, and says so."""
    put(desk, EventRow(source_id="x", version=1), merge=False)
    with pytest.raises(psycopg.errors.UniqueViolation):
        put(
            desk,
            EventRow(source_id="new", version=1),
            EventRow(source_id="x", version=2),
            merge=False,
        )
    assert desk.count("events") == 1


def test_both_ways_end_with_the_same_rows(desk: Desk) -> None:
    """Covers A2.13: COPY into the table and the merge differ in price, not in result."""
    chance = random.Random(5)
    made = [
        EventRow(
            source_id=f"{n}",
            version=chance.randint(1, 9),
            occurred_at=chance.choice([None, datetime(2026, 1, 1, tzinfo=UTC)]),
            name=chance.choice([None, "", "x" * chance.randint(1, 5_000)]),
            properties=b'"%d"' % n,
            search=words(*chance.sample(["a", "b", "c"], 2)),
        )
        for n in range(500)
    ]
    results = []
    for merge in (False, True):
        put(desk, *made, merge=merge)
        results.append(desk.rows("SELECT e::text FROM headrace.events e ORDER BY source_id"))
        with desk.store.connection() as session:
            session.execute("DELETE FROM headrace.events")
    assert results[0] == results[1]
    assert len(results[0]) == 500


def test_no_rows_are_no_work(desk: Desk) -> None:
    with desk.store.transaction() as session:
        write(session, EventRow, [], tenant="t", user="u", stream_id=1, batch_id=1, merge=False)
    assert desk.count("events") == 0


def test_a_field_of_an_unknown_kind_is_refused_by_name() -> None:
    """A row type that cannot be written is a mistake to learn of before there are any rows."""

    class Odd(Row):
        table: ClassVar[str] = "events"
        weight: float = 0.0

    with pytest.raises(StageError, match="weight of Odd"):
        target(Odd)
