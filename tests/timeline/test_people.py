"""Whose timeline it is: by any identity, page by page, and what was new of late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from headrace.engine import recent
from headrace.errors import BadInput
from headrace.out.people import identities, known
from headrace.out.timeline import recent as heard_of
from headrace.out.timeline import timeline
from headrace.store.database import Database
from headrace.store.listings import Place

TIME = datetime(2026, 1, 1, tzinfo=UTC)
ANN = ("acme", "me")

_IDENTITY = """
INSERT INTO headrace.contact_identities (tenant_id, user_id, identity_id, kind, value, name,
  contact_id, batch_id) VALUES (%s, %s, %s, 'email', %s, %s, %s, 1)
"""
_HAPPENED = """
WITH told AS (
  INSERT INTO headrace.timeline_events (tenant_id, user_id, stream_id, source_id, version, batch_id,
    occurred_at, kind, sentence) VALUES (%(tenant)s, %(user)s, 1, %(id)s, 1, 1, %(at)s, %(kind)s,
    'It happened.')
), said AS (
  INSERT INTO headrace.interactions (tenant_id, user_id, stream_id, source_id, version, batch_id,
    source, kind, occurred_at, direction)
  VALUES (%(tenant)s, %(user)s, 1, %(id)s, 1, 1, 'gmail', 'x', %(at)s, %(direction)s)
)
INSERT INTO headrace.participants (tenant_id, user_id, stream_id, source_id, role, identity_id,
  version, batch_id, occurred_at)
SELECT %(tenant)s, %(user)s, 1, %(id)s, role, identity_id, 1, 1, %(at)s
FROM unnest(%(roles)s::text[], %(who)s::uuid[]) AS p (role, identity_id)
"""


def number(at: int) -> UUID:
    return UUID(int=at)


class Past:
    """People, and what they took part in."""

    def __init__(self, store: Database) -> None:
        self.store = store

    def identity(
        self,
        at: int,
        value: str,
        name: str | None = None,
        contact: int | None = None,
        who: tuple[str, str] = ANN,
    ) -> None:
        values = [*who, number(at), value, name, None if contact is None else number(contact)]
        with self.store.transaction() as session:
            session.execute(_IDENTITY, values)

    def happened(
        self, id_: str, at: datetime | None, who: dict[str, int], kind: str = "email_received",
        direction: str = "inbound",
    ) -> None:  # fmt: skip
        """`who`: by their roles."""
        values: dict[str, Any] = {"tenant": ANN[0], "user": ANN[1], "id": id_, "at": at}
        values |= {"kind": kind, "direction": direction, "roles": list(who)}
        with self.store.transaction() as session:
            session.execute(_HAPPENED, {**values, "who": [number(one) for one in who.values()]})

    def of(self, named: str | None, limit: int = 50, **more: Any) -> list[str]:
        with self.store.people(*ANN) as session:
            whose = None if named is None else known(session, named)
            rows = timeline(session, identities=whose, limit=limit, **more)
        return [row["source_id"] for row in rows]

    def who(self, named: str, user: tuple[str, str | None] = ANN) -> list[int]:
        with self.store.people(*user) as session:
            return [one.int for one in identities(session, named)]


@pytest.fixture
def past(database: str) -> Iterator[Past]:
    """Ann, who is identities 1 and 2; Bob, 3; a list, 4; a stranger's Ann, 9."""
    store = Database(database).open()
    past = Past(store)
    past.identity(1, "ann@x.org", "Ann Lee", 1)
    past.identity(2, "a.lee@work.org", "Lee, Ann", 1)
    past.identity(3, "bob@x.org", "Bob Hannover", 3)
    past.identity(4, "list@x.org", "The 100% list")
    past.identity(9, "ann@x.org", "Ann Lee", 9, who=("other", "zoe"))
    yield past
    store.close()


def test_any_identity_finds_its_contact(past: Past) -> None:
    """Covers A1.46, A1.32."""
    for named in (str(number(1)), str(number(2)), "ann@x.org", " A.Lee@work.org ", "ann lee"):
        assert past.who(named) == [1, 2], named
    assert past.who("lee, ann") == [1, 2]
    assert past.who("hannov") == [3], "a part of a name"
    assert past.who("ann") == [1, 2, 3], "a part of several names"
    assert past.who("list@x.org") == [4], "who is no contact is themselves"
    assert past.who("100%") == [4]
    assert past.who("%") == [4]
    for nobody in ("zoe", "_", "", str(number(9)), str(number(7))):
        assert past.who(nobody) == []
    assert past.who("ann", ("acme", None)) == [1, 2, 3]
    assert past.who("ann lee", ("other", "zoe")) == [9]
    assert past.who("ann lee", ("other", "ann")) == []
    with pytest.raises(BadInput, match="nobody called 'zoe'"):
        past.of("zoe")


@pytest.fixture
def filled(past: Past) -> Past:
    """Five things that Ann took part in, in two addresses and several roles; three that Bob did."""
    at = [TIME + timedelta(hours=hour) for hour in range(9)]
    past.happened("a", at[1], {"from": 1, "to": 3})
    past.happened("b", at[2], {"from": 1, "to": 1, "cc": 2})
    past.happened("c", at[2], {"from": 2}, "meeting")
    past.happened("d", at[3], {"to": 2, "cc": 1})
    past.happened("e", None, {"from": 1, "to": 2})
    past.happened("f", None, {"from": 3})
    past.happened("g", at[5], {"from": 3}, "meeting")
    return past


def test_a_timeline_is_newest_first(filled: Past) -> None:
    """Covers A1.45, A1.48."""
    assert filled.of(None) == ["g", "d", "c", "b", "a", "f", "e"]
    assert filled.of("ann@x.org") == ["d", "c", "b", "a", "e"]
    assert filled.of("bob@x.org") == ["g", "a", "f"]
    assert filled.of("ann@x.org", kinds=["meeting"]) == ["c"]
    assert filled.of(None, kinds=["meeting", "odd"]) == ["g", "c"]
    assert filled.of("ann@x.org", since=TIME + timedelta(hours=2)) == ["d", "c", "b"]
    assert filled.of("ann@x.org", until=TIME + timedelta(hours=2)) == ["a"]


@pytest.mark.parametrize("named", [None, "ann@x.org", "bob@x.org"])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_hold_each_once(filled: Past, named: str | None, limit: int) -> None:
    """Covers A3.5: whatever the page's size, and however many roles somebody had."""
    with filled.store.people(*ANN) as session:
        whose = None if named is None else known(session, named)
        seen: list[str] = []
        after: Place | None = None
        while rows := timeline(session, identities=whose, after=after, limit=limit):
            assert len(rows) <= limit
            seen += [row["source_id"] for row in rows]
            after = Place(*(rows[-1][name] for name in ("occurred_at", "stream_id", "source_id")))
    assert seen == filled.of(named)


def test_what_is_new_of_late_is_counted(past: Past) -> None:
    """Covers A1.36: of contacts only, each interaction once, nothing that is yet to come."""
    now = datetime.now(UTC)
    with past.store.transaction() as session:
        session.execute(
            "INSERT INTO headrace.connections (tenant_id, user_id, connection_id, provider, name,"
            " config) VALUES ('acme', 'me', 'c', 'rest', 'c', '{}')"
        )
    past.happened("old", now - timedelta(hours=30), {"from": 1})
    past.happened("new", now - timedelta(hours=2), {"from": 1, "cc": 2, "to": 3, "list": 4})
    past.happened("sent", now - timedelta(hours=1), {"to": 2}, direction="outbound")
    past.happened("then", now + timedelta(hours=2), {"to": 3}, "meeting")
    assert recent.count(past.store, 24) == 2
    with past.store.people(*ANN) as session:
        ann, bob = heard_of(session, 10)
    assert (ann["contact_id"], ann["source_id"], ann["sentence"]) == (
        number(1),
        "sent",
        "It happened.",
    )
    assert [ann[name] for name in ("interactions", "received", "sent")] == [2, 1, 1]
    assert [bob[name] for name in ("interactions", "received", "sent")] == [1, 1, 0]
    assert recent.count(past.store, 48) == 0, "it has just been done"
    assert recent.count(past.store, 48, at_least=0) == 2
    with past.store.people("other", "zoe") as session:
        assert heard_of(session, 10) == []
