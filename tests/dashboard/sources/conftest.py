"""The dashboard with a Google twin, and a browser that is signed in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from tests import databases
from tests.api.conftest import House
from tests.dashboard.serving import signed_in
from tests.oauth.world import World, served

from headrace.api import create_app
from headrace.store.database import Database

_EMPTY = "TRUNCATE " + ", ".join(
    f"headrace.{one}"
    for one in (
        *("connections", "streams", "checkpoints", "batches", "raw_events", "jobs", "schedules"),
        *("grants", "consents", "allowances"),
    )
)


@pytest.fixture(scope="package")
def store(cluster: str, engine_template: str) -> Iterator[Database]:
    """The database of these tests."""
    with databases.lent(cluster, engine_template) as url:
        opened = Database(url, name="source pages").open()
        yield opened
        opened.close()


@pytest.fixture(scope="package")
def google(store: Database) -> Iterator[World]:
    """The twin."""
    made = World(store, messages=30)
    with served(made.handle) as url:
        made.url = url
        yield made


@pytest.fixture
def world(google: World) -> World:
    """Google, well again."""
    google.wrong()
    google.ask("/admin/suspend", {"how": ""})
    return google


@pytest.fixture(scope="package")
def service(store: Database, google: World) -> Iterator[House]:
    """The service, whose Google is the twin."""
    app = create_app(store, google.settings)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield House(store, client)


@pytest.fixture
def house(service: House) -> House:
    """The service, with nothing in it."""
    service.execute(_EMPTY)
    return service


@pytest.fixture
def ann(house: House) -> TestClient:
    """Ann's browser."""
    return signed_in(house)
