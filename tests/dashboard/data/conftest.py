"""The dashboard over one database for these tests, emptied for each, and a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from tests import databases
from tests.api.conftest import House

from headrace.api import create_app
from headrace.settings import Settings
from headrace.store.database import Database

_EMPTY = "TRUNCATE " + ", ".join(
    f"headrace.{one}"
    for one in (
        *("connections", "streams", "checkpoints", "batches", "raw_events", "interactions"),
        *("calendar_events", "events", "documents", "texts", "chunks", "timeline_events"),
        *("contacts", "contact_identities", "contact_links", "participants"),
    )
)

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="package")
def service(cluster: str, engine_template: str) -> Iterator[House]:
    """The service."""
    with databases.lent(cluster, engine_template) as url:
        store = Database(url, name="data pages").open()
        try:
            app = create_app(store, Settings(_env_file=None))
            with TestClient(app, raise_server_exceptions=False) as client:
                yield House(store, client)
        finally:
            store.close()


@pytest.fixture
def house(service: House) -> House:
    """The service, with nothing in it."""
    service.execute(_EMPTY)
    return service


def signed_in(house: House, *who: str | None) -> TestClient:
    """A browser that a key has let in."""
    made = TestClient(house._client.app, raise_server_exceptions=False)
    made.headers.update({"Accept": "text/html", "Sec-Fetch-Site": "same-origin"})
    assert made.post("/login", data={"key": house.key(*who)}).status_code == 200  # type: ignore[arg-type]
    return made


@pytest.fixture
def ann(house: House) -> TestClient:
    """Ann's browser."""
    return signed_in(house)
