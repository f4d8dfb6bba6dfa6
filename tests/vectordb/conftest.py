"""A Qdrant that is none, and the real engine with the real model beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.files.conftest import Shelf
from tests.vectordb.twin import Twin

from headrace.engine.runtime import engine
from headrace.out.search import Hit, search
from headrace.settings import Settings


@pytest.fixture
def twin() -> Iterator[Twin]:
    """See `Twin`."""
    made = Twin()
    yield made
    made.down()


@pytest.fixture
def url(engine_database: str) -> str:
    """URL of a database of the test's own."""
    return engine_database


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder, for the model is made ready in it once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def shelf(url: str, home: Path) -> Iterator[Shelf]:
    """Jobs, run by the real engine."""
    settings = Settings(_env_file=None, headrace_home=home)
    with engine(url, settings) as database:
        yield Shelf(database, settings)


Ask = Callable[..., list[Hit]]


@pytest.fixture
def ask(shelf: Shelf) -> Ask:
    """Search documents by meaning, as Ann unless said otherwise."""

    def asked(
        text: str, who: tuple[str, str | None] = ("acme", "ann"), mode: Any = "vector", **more: Any
    ) -> list[Hit]:
        with shelf.database.people(*who) as session:
            return search(
                session, text, kinds=["documents"], settings=shelf.settings, mode=mode, **more
            )

    return asked
