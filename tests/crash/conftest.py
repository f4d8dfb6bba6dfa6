"""Databases that are ready for the engine, and worlds in which its processes are killed.

Every test here is of the mark `crash`. `make test` runs each once or a few times; with
HEADRACE_CRASH_ROUNDS=200 (`make crash`) they go on for many rounds. See docs/crash-suite.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.crash.processes import Commands
from tests.crash.source import Source
from tests.crash.tally import Tally, table
from tests.crash.world import World
from tests.databases import EMPTY, copy, drop
from tests.valkey import valkey  # noqa: F401

from headrace.twin import run_twin

_TALLIES: dict[str, Tally] = {}
_numbers = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.crash)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _TALLIES:
        terminalreporter.write_sep("-", "crash suite")
        terminalreporter.write_line(table(_TALLIES.values()))


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """The counts of the test's scenario, by the name of its file."""
    name = request.path.stem.removeprefix("test_")
    return _TALLIES.setdefault(name, Tally(name))


@pytest.fixture
def databases(cluster: str, engine_template: str) -> Iterator[Callable[..., str]]:
    """`databases()` makes one that is ready; `databases(empty=True)` one that nothing is in. Of the
    many rounds of a test the last two's are kept."""
    made: list[str] = []

    def make(*, empty: bool = False) -> str:
        while len(made) > 1:
            drop(made.pop(0))
        made.append(copy(cluster, EMPTY if empty else engine_template))
        return made[-1]

    yield make
    for url in made:
        drop(url)


@pytest.fixture
def worlds(
    databases: Callable[..., str], tally: Tally, tmp_path: Path
) -> Iterator[Callable[..., World]]:
    """`worlds(total=..., page=..., **options of the twin)`: a world with a database of its own,
    or with the `database` given; "" is an embedded one in its home. It ends the world before it.
    """
    with ExitStack() as stack:

        def make(
            *,
            total: int = 20_000,
            page: int = 100,
            edits: float = 0.0,
            database: str | None = None,
            slices: int = 1,
            home: Path | None = None,
            **options: Any,
        ) -> World:
            stack.close()
            home = home or tmp_path / f"home-{next(_numbers)}"
            home.mkdir(mode=0o755)
            options = {"latency_ms": 5, "cursor_ttl_s": 0, "edits": edits, **options}
            base = stack.enter_context(run_twin(total=total, **options))
            # An empty name: no DATABASE_URL, and an embedded server in the home.
            database = databases() if database is None else database
            commands = Commands(home, database)
            stack.callback(commands.end)
            seed = options.get("seed", 1)
            source = Source(base, total=total, page=page, edits=edits, seed=seed, slices=slices)
            return World(commands, database, source, tally)

        yield make
