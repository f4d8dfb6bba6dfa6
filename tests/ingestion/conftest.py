"""A database with both schemas, a folder of documents, and Headrace over them: in this process for
the letter of the API, as processes of their own for what must survive a kill."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from starlette.testclient import TestClient
from tests.databases import EMPTY, copy, drop
from tests.heard import log  # noqa: F401
from tests.ingestion.services import Services

from headrace.api import create_app
from headrace.settings import Settings
from headrace.store import keys
from headrace.store.database import Database

_AN_HOUR = 3600


@pytest.fixture(scope="module")
def new_database(cluster: str, engine_template: str) -> Iterator[Callable[..., str]]:
    """`new_database()` has both schemas, `new_database(empty=True)` nothing; all of a module's are
    gone with it."""
    made: list[str] = []

    def make(*, empty: bool = False) -> str:
        made.append(copy(cluster, EMPTY if empty else engine_template))
        return made[-1]

    yield make
    for url in made:
        drop(url)


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    """URL of a database of the test's own that has both schemas."""
    return new_database()


Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def rows(url: str) -> Iterator[Rows]:
    """`rows(query, *values)`: what a query answers, as the owner of the tables."""
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        yield lambda query, *values: connection.execute(query, values).fetchall()


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A folder with three documents."""
    return write_three(tmp_path / "documents")


def write_three(folder: Path) -> Path:
    """Three documents in a new folder, each a chunk long."""
    folder.mkdir()
    write(folder / "tea.md", "# Tea\n\nGreen tea is steeped at eighty degrees.\n")
    write(folder / "coffee.txt", "Coffee is brewed hotter, and for a shorter time.\n")
    write(folder / "page.html", "<html><body><h1>Cocoa</h1><p>Cocoa wants milk.</p></body></html>")
    return folder


def write(path: Path, text: str) -> None:
    """A file that was written an hour ago: one just written is waited for."""
    path.write_text(text, encoding="utf-8")
    then = time.time() - _AN_HOUR
    os.utime(path, (then, then))


class Desk:
    """The API in this process, with keys to it."""

    def __init__(self, url: str, client: TestClient) -> None:
        self._url = url
        self._client = client

    def key(self, tenant: str = keys.TENANT, user: str = keys.USER) -> dict[str, str]:
        """Headers with a key of the tenant; the default's is the installation's own."""
        store = Database(self._url, connections=1).open()
        try:
            with store.transaction() as session:
                return {"X-API-Key": keys.issue(session, tenant, user, "test")}
        finally:
            store.close()

    def client(self, tenant: str = keys.TENANT) -> TestClient:
        """A client that carries such a key."""
        made = TestClient(self._client.app, raise_server_exceptions=False)
        made.headers.update(self.key(tenant))
        return made


@contextmanager
def open_desk(url: str, **settings: Any) -> Iterator[Desk]:
    """The API with these settings; nobody works at what is asked for."""
    store = Database(url, connections=2).open()
    try:
        app = create_app(store, Settings(_env_file=None, **settings))
        with TestClient(app, raise_server_exceptions=False) as client:
            yield Desk(url, client)
    finally:
        store.close()


@pytest.fixture
def desk(url: str, documents: Path) -> Iterator[Desk]:
    """The API; callers may name the folder of documents."""
    with open_desk(url, headrace_document_roots=str(documents)) as opened:
        yield opened


@pytest.fixture
def client(desk: Desk) -> TestClient:
    """A client with the installation's own key."""
    return desk.client()


def until(ready: Callable[[], Any], *, seconds: float = 60) -> Any:
    """Wait until something is so, and return what it answered."""
    end = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < end, "It never came."
        time.sleep(0.02)
    return found


def over(client: TestClient, job_id: str) -> dict[str, Any]:
    """The job, once it is over."""

    def looked() -> dict[str, Any] | None:
        job: dict[str, Any] = client.get(f"/ingestion/jobs/{job_id}").json()
        return job if job["status"] not in ("PENDING", "RUNNING") else None

    found: dict[str, Any] = until(looked)
    return found


@pytest.fixture
def services(url: str, documents: Path, tmp_path: Path) -> Iterator[Services]:
    """See `Services`."""
    home = tmp_path / "home"
    home.mkdir()
    made = Services(home, url, documents)
    yield made
    made.end()
