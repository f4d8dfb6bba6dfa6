"""One Headrace for the whole folder, as a process that a client reaches over the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.ingestion.services import KEY, Services

from headrace.client import Client

_DATABASE = "headrace_client"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder whose folders callers may name."""
    return tmp_path_factory.mktemp("documents")


@pytest.fixture(scope="module")
def service(
    cluster: str, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """Headrace, on a database of its own."""
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_DATABASE}")
        database = urlsplit(cluster)._replace(path=f"/{_DATABASE}").geturl()
        services = Services(tmp_path_factory.mktemp("home"), database, root)
        try:
            services.headrace()
            yield services
        finally:
            services.end()
            connection.execute(f"DROP DATABASE {_DATABASE} WITH (FORCE)")


@pytest.fixture
def client(service: Services) -> Client:
    """A client with the key that the operator chose."""
    return Client(service.url, KEY)
