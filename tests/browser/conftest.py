"""A browser, and a service for it to look at: one of each for all tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.browser.chromium import Driver, started
from tests.browser.visitor import Visitor
from tests.browser.world import World, served


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    """The browser."""
    with started() as made:
        yield made


@pytest.fixture(scope="module")
def world(driver: Driver, cluster: str, engine_template: str) -> Iterator[World]:
    """The service, with nothing in it, and the twin that it may be connected to."""
    with served(cluster, engine_template, messages=40, events=12) as made:
        yield made


@pytest.fixture(scope="module")
def stranger(driver: Driver, world: World) -> Visitor:
    """Somebody at the browser, who has not signed in yet."""
    return Visitor(driver, world.base)
