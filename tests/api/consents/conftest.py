"""The API with a Google twin, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient
from tests.api.consents.browser import ADA, BOB, Browser, keyed
from tests.oauth.world import World, served

from headrace.api import create_app
from headrace.store.database import Database

if TYPE_CHECKING:
    from tests.api.conftest import House


@pytest.fixture
def world(store: Database) -> Iterator[World]:
    """A twin with two accounts."""
    made = World(store, account=[ADA, BOB])
    with served(made.handle) as url:
        made.url = url
        yield made


@pytest.fixture
def house(store: Database, world: World) -> Iterator[House]:
    """The API, whose Google is the twin."""
    from tests.api.conftest import House

    app = create_app(store, world.settings)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield House(store, client)


@pytest.fixture
def browser(world: World, house: House) -> Browser:
    """Ann's."""
    return Browser(world, house, keyed(house))
