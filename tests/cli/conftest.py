"""Homes, databases and sources for the command line: all of them real, most of them shared."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from tests import databases
from tests.channel import receiver  # noqa: F401
from tests.cli.command import House, made_home

from headrace.store import embedded
from headrace.twin import event_id, run_twin

KEY = "the-right-key"
TOTAL = 1_000


@contextmanager
def _house(cluster: str, template: str) -> Iterator[House]:
    with made_home() as home, databases.lent(cluster, template) as url:
        house = House(home, DATABASE_URL=url)
        try:
            yield house
        finally:
            house.end()


@pytest.fixture
def house(cluster: str, engine_template: str) -> Iterator[House]:
    """A home of the test's own, and a database with nothing in it."""
    with _house(cluster, engine_template) as made:
        yield made


@pytest.fixture(scope="module")
def houses(cluster: str, engine_template: str) -> Iterator[Callable[[], House]]:
    """`houses()`: one more, until the end of the file."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(_house(cluster, engine_template))


@pytest.fixture(scope="module")
def shared(houses: Callable[[], House]) -> House:
    """One for all tests of a file, which leave nothing in it that others would meet."""
    return houses()


@pytest.fixture
def bare() -> Iterator[House]:
    """A home where nothing is set: PostgreSQL starts in the data folder by itself."""
    with made_home() as home:
        house = House(home)
        yield house
        house.end()


def _describe(house: House, *, base: str, name: str = "shop", more: str = "") -> str:
    return str(
        house.write(
            f"{name}.yaml",
            f"name: {name}\n"
            f"base_url: {base}\n"
            "auth: {header: X-API-Key, env: SHOP_KEY}\n"
            "streams:\n"
            f"  events: {{path: /events, time: timestamp, {more}}}\n",
        )
    )


@pytest.fixture(scope="session")
def describe() -> Callable[..., str]:
    """`describe(house, base=url, name=..., more=...)`: a spec file of the twin there."""
    return _describe


class Api:
    """A twin of 1,000 events that wants a key, and what it is told to do wrong."""

    def __init__(self, url: str) -> None:
        self.url = url

    def spec(self, house: House, *, name: str = "shop", base: str = "", more: str = "") -> str:
        """A file that describes it. `more` goes into the stream."""
        return _describe(house, base=base or self.url, name=name, more=more)

    def wrong(self, *rules: dict[str, Any]) -> None:
        """From here on requests meet these faults, and no others."""
        at = urlsplit(self.url)
        connection = http.client.HTTPConnection(at.hostname or "", at.port or 0, timeout=10)
        connection.request("POST", "/admin/faults", json.dumps(rules))
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        connection.close()


@pytest.fixture(scope="session")
def twin() -> Iterator[str]:
    """The URL of the one twin that most tests ask."""
    with run_twin(total=TOTAL, api_key=KEY, cursor_ttl_s=0) as url:
        yield url


@pytest.fixture
def api(twin: str) -> Iterator[Api]:
    """See `Api`; whatever it was told to do wrong is over with the test."""
    made = Api(twin)
    made.wrong()
    yield made
    made.wrong()


@pytest.fixture
def twins() -> Iterator[Callable[..., str]]:
    """`twins(total=..., **options)`: the URL of a twin of the test's own."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(run_twin(**options))


Landed = Callable[..., None]


@pytest.fixture
def landed() -> Landed:
    """`landed(house, total)`: these events of the twin are in the tables, each once, searchable."""

    def landed(house: House, total: int = TOTAL, seed: int = 1) -> None:
        url = house.environment.get("DATABASE_URL")
        with ExitStack() as stack:
            if url is None:
                url = stack.enter_context(embedded.postgres(house.home / "postgres"))
            connection = stack.enter_context(psycopg.connect(url))
            raw = connection.execute("SELECT source_id FROM headrace.raw_events").fetchall()
            shown = connection.execute("SELECT source_id FROM headrace.events").fetchall()
        wanted = sorted(event_id(seed, number) for number in range(total))
        assert sorted(row[0] for row in raw) == wanted
        assert sorted(row[0] for row in shown) == wanted

    return landed
