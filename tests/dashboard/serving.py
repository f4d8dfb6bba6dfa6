"""The dashboard over a database of its own, and browsers that are signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from starlette.testclient import TestClient
from tests import databases
from tests.api.conftest import House

from headrace.api import create_app
from headrace.settings import Settings
from headrace.store.database import Database

BASE = "http://127.0.0.1"
FORM = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}


@contextmanager
def served(cluster: str, engine_template: str) -> Iterator[House]:
    """The service, and a way to put rows into its database."""
    with databases.lent(cluster, engine_template) as url:
        store = Database(url, name="dashboard tests").open()
        try:
            app = create_app(store, Settings(_env_file=None))
            with TestClient(app, base_url=BASE, raise_server_exceptions=False) as client:
                yield House(store, client)
        finally:
            store.close()


def signed_in(house: House, *who: str | None) -> TestClient:
    """A browser that a key has let in; whose, says `House.key`."""
    made = TestClient(house._client.app, base_url=BASE, raise_server_exceptions=False)
    made.headers.update(FORM)
    entered = made.post("/login", data={"key": house.key(*who)})  # type: ignore[arg-type]
    assert entered.status_code == 200, entered.text
    return made


def awaited(what: Callable[[], object]) -> None:
    """Wait until it is so."""
    until = monotonic() + 60
    while not what():
        assert monotonic() < until
        sleep(0.05)
