"""The dashboard over one database for all of these tests, and browsers that are signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient
from tests import databases
from tests.api.conftest import House

from headrace.api import create_app
from headrace.settings import Settings
from headrace.store.database import Database

Browser = Callable[..., TestClient]


@pytest.fixture(scope="package")
def house(cluster: str, engine_template: str) -> Iterator[House]:
    """The service; each test has a tenant of its own."""
    with databases.lent(cluster, engine_template) as url:
        store = Database(url, name="dashboard tests").open()
        try:
            app = create_app(store, Settings(_env_file=None))
            with TestClient(app, raise_server_exceptions=False) as client:
                yield House(store, client)
        finally:
            store.close()


@pytest.fixture
def browser(house: House) -> Browser:
    """A browser that a key of this tenant, or of one of its users, has signed in."""

    def signed_in(tenant: str, user: str = "ann", key_user: str | None = None) -> TestClient:
        made = TestClient(house._client.app, raise_server_exceptions=False)
        made.headers.update({"Accept": "text/html", "Sec-Fetch-Site": "same-origin"})
        key = house.key(tenant, user, key_user)
        entered = made.post("/login", data={"key": key})
        assert entered.status_code == 200, entered.text
        return made

    return signed_in
