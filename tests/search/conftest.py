"""A shelf of mail and events to search in, the same for all tests: searching changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from headrace.out.search import Hit, search
from headrace.provider import StreamPlan
from headrace.rows import CalendarEventRow, EventRow, InteractionRow
from headrace.stage import Row
from headrace.store import connections
from headrace.store.database import Database
from headrace.store.projection import write
from headrace.text import lexemes, tsvector

TIME = datetime(2026, 1, 1, tzinfo=UTC)
ANN, BOB, STRANGER = ("acme", "ann"), ("acme", "bob"), ("other", "zoe")


def mail(source_id: str, subject: str = "", body: str = "", **more: Any) -> InteractionRow:
    """One message."""
    known: dict[str, Any] = {"source": "mailbox", "kind": "email_received", "occurred_at": TIME}
    return InteractionRow(
        source_id=source_id, version=1, subject=subject, body=body, **{**known, **more}
    )


def event(source_id: str, name: str, more: str = "", at: datetime | None = TIME) -> EventRow:
    """One event, cut into words as a stage does it."""
    return EventRow(
        source_id=source_id,
        version=1,
        occurred_at=at,
        type="click",
        name=name,
        properties=b'{"note": "%b"}' % more.encode(),
        search=tsvector(lexemes(f"click {name} {more}")),
    )


class Shelf:
    """A database with rows to find."""

    def __init__(self, store: Database) -> None:
        self.store = store

    def put(self, who: tuple[str, str], rows: list[Row], name: str = "main") -> int:
        """Write rows of one type as this user's. Returns the stream's id."""
        tenant, user = who
        with self.store.transaction() as session:
            owner = connections.save(
                session, tenant=tenant, user=user, provider="rest", name=name, config={}
            )
            [part] = connections.plan(session, owner, [StreamPlan("things")])
            write(
                session,
                type(rows[0]),
                rows,
                tenant=tenant,
                user=user,
                stream_id=part.stream_id,
                batch_id=1,
                merge=False,
            )
        return part.stream_id

    def find(self, text: str, who: tuple[str, str | None] = ANN, **more: Any) -> list[Hit]:
        with self.store.people(*who) as session:
            return search(session, text, **more)

    def ids(self, text: str, who: tuple[str, str | None] = ANN, **more: Any) -> list[str]:
        """The source ids of what is found, best first."""
        return [hit.source_id for hit in self.find(text, who, **more)]


MAILS = [
    mail("invoice", "Invoice 2026-17", "Please pay the invoice for the ceramic teapot by Friday."),
    mail("invoices", "Old papers", "All invoices of the last years are in the archive."),
    mail("teapots", "A question", "Do you still sell teapots? I broke mine while running."),
    mail("lisbon", "Your flight to Lisbon", "Boarding at gate 7. Have a good flight."),
    mail("porto", "Train to Porto", "There is no flight, but the train from Lisbon is fast."),
    mail("layer", "Notes", "The boundary layer separates where the pressure rises."),
    mail("apart", "Notes", "A layer of paint; the boundary of the garden; air pressure."),
    mail("alice", "Lunch?", "Tomorrow at noon?", from_name="Alice Archer", from_address="a@x.org"),
    mail("address", "Hello", "Nothing much.", from_address="alice@example.org"),
    mail("will", "Re: Hello", "See you.", from_name="Will Harper", from_address="w@x.org"),
    mail("undated", "A message without a date", "It says saffron.", occurred_at=None),
    mail("dated", "Saffron", "Saffron, and more saffron.", occurred_at=TIME - timedelta(days=900)),
    mail("markup", "Markup", "<script>alert(1)</script><b>gorse</b> hedge <"),
    mail("quote", "It's", "O'Brien said \\ 'quoted': the backslash & the | bar."),
]
CALENDAR = [
    CalendarEventRow(
        source_id="dentist",
        version=1,
        occurred_at=TIME,
        title="Dentist",
        location="High Street 5",
        description="The yearly appointments.",
    )
]
EVENTS = [
    event("checkout-error", "Error in checkout", "payment refused by the bank"),
    event("checkout", "Checkout", "all went well"),
    event("error", "Error", "image not found"),
    event("teapot", "Viewed Ceramic teapot", "from the start page"),
    event("teapot-long", "Viewed Ceramic teapot", " ".join(f"word{n}" for n in range(80))),
    event("old", "Bought saffron", "", TIME - timedelta(days=400)),
    event("new", "Bought saffron", "", TIME),
    event("none", "Bought saffron", "", None),
    event("past", "Ancient", "", datetime(1, 1, 1, tzinfo=UTC)),
    event("future", "Ancient", "", datetime(9999, 12, 31, tzinfo=UTC)),
    event("uuid", "Session", "fa6b228d-63fc-42b2-8096-8e01ffef90ae"),
    event("Ünïcode", "Größe geändert", "Ελληνικά 日本語"),
]


@pytest.fixture(scope="session")
def shelf(cluster: str, template_db: str) -> Iterator[Shelf]:
    """Ann's mail and events, and the same events once more as Bob's and a stranger's."""
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE search_shelf TEMPLATE {template_db}".encode())
    store = Database(urlsplit(cluster)._replace(path="/search_shelf").geturl()).open()
    made = Shelf(store)
    made.put(ANN, list(MAILS), "mail")
    made.put(ANN, list(EVENTS), "events")
    made.put(ANN, list(CALENDAR), "calendar")
    for who in (BOB, STRANGER):
        made.put(who, [event(f"of-{who[1]}", "Error in checkout", "ceramic teapot, saffron")])
    with store.connection() as session:
        session.execute("ANALYZE headrace.events, headrace.interactions")
    yield made
    store.close()


Ids = Callable[..., list[str]]


@pytest.fixture
def ids(shelf: Shelf) -> Ids:
    """Search as Ann; the source ids, best first."""
    return shelf.ids
