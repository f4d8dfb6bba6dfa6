"""The dashboard over one database for these tests, emptied for each, and a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import House
from tests.dashboard.serving import served, signed_in

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
    with served(cluster, engine_template) as made:
        yield made


@pytest.fixture
def house(service: House) -> House:
    """The service, with nothing in it."""
    service.execute(_EMPTY)
    return service


@pytest.fixture
def ann(house: House) -> TestClient:
    """Ann's browser."""
    return signed_in(house)
