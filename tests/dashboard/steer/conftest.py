"""The dashboard over one database for all of these tests, and browsers that are signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import House
from tests.dashboard.serving import served, signed_in

Browser = Callable[..., TestClient]


@pytest.fixture(scope="package")
def house(cluster: str, engine_template: str) -> Iterator[House]:
    """The service; each test has a tenant of its own."""
    with served(cluster, engine_template) as made:
        yield made


@pytest.fixture
def browser(house: House) -> Browser:
    """A browser that a key of this tenant, or of one of its users, has signed in."""

    def let_in(tenant: str, user: str = "ann", key_user: str | None = None) -> TestClient:
        return signed_in(house, tenant, user, key_user)

    return let_in
