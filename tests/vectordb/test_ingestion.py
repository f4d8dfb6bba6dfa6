"""Jobs whose vectors are in a Qdrant too: it has what PostgreSQL has, whatever comes in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.files.conftest import Shelf, put
from tests.vectordb.conftest import Ask
from tests.vectordb.twin import Twin

from headrace.engine import intake, points, vectors
from headrace.engine.schema import prepare
from headrace.errors import Retry
from headrace.files.config import DocumentsConfig
from headrace.settings import Settings
from headrace.stages.points import POINTS
from headrace.store.database import Database
from headrace.vault import Vault

COMPANY = {
    "shipping.md": "The carrier is liable for goods that arrive damaged.",
    "holidays.md": "Everybody has 28 days of leave a year; they lapse in March.",
    "laptops.md": "Whoever loses a laptop reports it within the hour.",
}
BROKEN = "who compensates a broken delivery"


def config(folder: Path, twin: Twin, **more: Any) -> dict[str, Any]:
    at = {"vector_db": "qdrant", "url": twin.url, **more.pop("vector_db", {})}
    return {"embedder": {"provider": "local"}, "input": str(folder), "vector_db": at, **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in COMPANY.items():
        put(tmp_path / "docs" / name, text)
    return tmp_path / "docs"


def ingest(shelf: Shelf, config: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Run a job, and what comes after it, to the end."""
    job = shelf.ingest(config, **more)
    assert job["status"] == "SUCCEEDED", job
    waiting = (
        "SELECT workflow_uuid FROM dbos.workflow_status WHERE name = 'headrace.points'"
        " AND status IN ('ENQUEUED', 'PENDING')"
    )
    until(lambda: not shelf.rows(waiting))
    return job


def until(ready: Callable[[], Any]) -> None:
    """Wait until something is so; the test's own time is the limit."""
    while not ready():
        time.sleep(0.02)


def hurry(shelf: Shelf) -> None:
    """What waits for its time has waited long enough; what it has to delete there is deleted."""
    shelf.rows(
        "UPDATE dbos.workflow_status SET delay_until_epoch_ms = 1 WHERE status = 'DELAYED'"
        " RETURNING workflow_uuid"
    )
    until(lambda: not left(shelf))


def here(shelf: Shelf) -> set[tuple[int, str, int]]:
    rows = shelf.rows(
        "SELECT stream_id, content_hash, position FROM headrace.chunks WHERE embedding IS NOT NULL"
    )
    return {(row["stream_id"], row["content_hash"].hex(), row["position"]) for row in rows}


def there(twin: Twin) -> set[tuple[int, str, int]]:
    return {(one["stream_id"], one["content_hash"], one["position"]) for one in twin.points()}


def over(shelf: Shelf, job_id: str) -> bool:
    [job] = shelf.rows("SELECT status FROM headrace.jobs WHERE job_id = %s", job_id)
    return bool(job["status"] == "SUCCEEDED")


def left(shelf: Shelf) -> list[dict[str, Any]]:
    return shelf.rows("SELECT * FROM headrace.vectors_gone")


def tend(shelf: Shelf) -> None:
    [row] = shelf.rows("SELECT connection_id FROM headrace.connections")
    vault = Vault.from_settings(shelf.settings)
    points.tend(shelf.database, shelf.settings, vault, row["connection_id"])


def test_what_is_ingested_is_found_by_meaning(
    shelf: Shelf, ask: Ask, twin: Twin, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Qdrant is asked, filters included, and PostgreSQL makes no index of its own."""
    monkeypatch.setattr(vectors, "LEAST", 1)
    ingest(shelf, config(folder, twin))
    assert ask(BROKEN)[0].source_id.endswith("shipping.md")
    assert twin.asked[-1].endswith("/points/query")
    assert ask(f"{BROKEN} -carrier") == []
    assert ask("anything", ("acme", "bob")) == ask("anything", ("other", None)) == []
    assert ask(BROKEN, ("acme", None))[0].source_id.endswith("shipping.md")
    assert here(shelf) == there(twin)
    assert vectors.tend(shelf.database) == 0
    made = "SELECT 1 AS n FROM pg_indexes WHERE starts_with(indexname, 'chunks_of_documents_by_')"
    assert shelf.rows(made) == []


def test_scores_are_those_of_postgresql(shelf: Shelf, ask: Ask, twin: Twin, folder: Path) -> None:
    """The same documents in PostgreSQL's own index are found in the same order, as near."""
    ingest(shelf, config(folder, twin))
    outside = [(hit.source_id, hit.score) for hit in ask(BROKEN)]
    ingest(shelf, {"embedder": {"provider": "local"}, "input": str(folder)})
    asked = len(twin.asked)
    assert [(hit.source_id, hit.score) for hit in ask(BROKEN)] == outside
    assert len(twin.asked) == asked


def test_an_edit_and_a_deletion_are_followed(
    shelf: Shelf, ask: Ask, twin: Twin, folder: Path
) -> None:
    """Only what is new is put, what is gone is deleted there too, and nothing is left to do."""
    ingest(shelf, config(folder, twin))
    twin.puts.clear()
    put(folder / "laptops.md", "Lost keys are reported to the gatekeeper.", 1_700_000_100)
    ingest(shelf, config(folder, twin))
    assert [len(ids) for ids in twin.puts] == [1]
    assert here(shelf) == there(twin)
    assert len(there(twin)) == 3
    assert ask("where do I report lost keys")[0].citation is not None
    for name in COMPANY:
        (folder / name).unlink()
    put(folder / "new.md", "The canteen opens at noon.")
    ingest(shelf, config(folder, twin))
    assert here(shelf) == there(twin)
    assert len(there(twin)) == 1
    assert left(shelf) == []


def test_another_recipe_leaves_nothing_behind(
    shelf: Shelf, ask: Ask, twin: Twin, folder: Path
) -> None:
    """Another cut, another Qdrant, none at all: the points of before go, with the key of before."""
    twin.key = "first-key"
    keyed = {"vector_db": {"api_key": "first-key"}}
    ingest(shelf, config(folder, twin, **keyed))
    first = there(twin)
    ingest(shelf, config(folder, twin, **keyed, chunker={"chunk_size": 300}))
    assert here(shelf) == there(twin)
    assert not first & there(twin)
    second = Twin()
    second.key = "second-key"
    try:
        ingest(shelf, config(folder, second, vector_db={"api_key": "second-key"}))
        assert (there(twin), there(second)) == (set(), here(shelf))
        assert ask(BROKEN)[0].source_id.endswith("shipping.md")
        ingest(shelf, {"embedder": {"provider": "local"}, "input": str(folder)})
        assert there(second) == set()
        assert twin.keys == {"first-key"}
        assert second.keys == {"second-key"}
    finally:
        second.down()
    assert shelf.rows("SELECT * FROM headrace.vector_indexes") == left(shelf) == []


def test_while_it_is_made_anew_the_old_index_answers(
    shelf: Shelf, ask: Ask, twin: Twin, folder: Path
) -> None:
    """What is shown decides where is looked, not what the connection has been told since."""
    ingest(shelf, config(folder, twin))
    with shelf.database.transaction() as session:
        told = intake.documents(DocumentsConfig.model_validate({"input": str(folder)}))
        intake.connect(session, "acme", "ann", told, shelf.settings)
    assert ask(BROKEN)[0].source_id.endswith("shipping.md")
    assert twin.asked[-1].endswith("/points/query")


def test_a_lost_index_is_filled_again(shelf: Shelf, ask: Ask, twin: Twin, folder: Path) -> None:
    """From PostgreSQL, by the next job, though no file has changed; until then words are found."""
    ingest(shelf, config(folder, twin))
    before = there(twin)
    twin.lose()
    told: list[str] = []
    assert ask("laptop", mode="hybrid", tell=told.append)[0].source_id.endswith("laptops.md")
    assert "has no collection headrace-" in told[0]
    with pytest.raises(Retry):
        ask("laptop")
    ingest(shelf, config(folder, twin))
    assert there(twin) == before
    assert ask(BROKEN)[0].source_id.endswith("shipping.md")


def test_an_index_that_is_down_leaves_the_words(
    shelf: Shelf, ask: Ask, twin: Twin, folder: Path
) -> None:
    """A search goes on without it and says so, asked for the meaning alone it is an error; what has
    to be deleted there waits for it."""
    ingest(shelf, config(folder, twin))
    twin.down()
    try:
        told: list[str] = []
        assert ask("laptop", mode="hybrid", tell=told.append)[0].source_id.endswith("laptops.md")
        assert told[0].startswith("Documents were searched by their words only. 127.0.0.1:")
        with pytest.raises(Retry, match="cannot be reached"):
            ask("laptop")
        (folder / "laptops.md").unlink()
        ingest(shelf, config(folder, twin))
        assert len(left(shelf)) == 1
    finally:
        twin.up()
    hurry(shelf)
    assert there(twin) == here(shelf)


def test_a_stage_waits_for_an_index_that_is_down(
    shelf: Shelf, ask: Ask, twin: Twin, folder: Path
) -> None:
    """Nothing is shown before it is there, and nothing has to be asked for again."""
    twin.answer = (503, {"Retry-After": "1"}, b"")
    bare = DocumentsConfig.model_validate(config(folder, twin))
    with shelf.database.transaction() as session:
        row = intake.connect(session, "acme", "ann", intake.documents(bare), shelf.settings)
        job = intake.submit_sync(session, row)
    until(lambda: twin.asked)
    assert here(shelf) == set()
    assert shelf.rows("SELECT source_id FROM headrace.documents WHERE indexed_hash <> ''") == []
    twin.answer = None
    until(lambda: over(shelf, job["job_id"]))
    assert here(shelf) == there(twin)
    assert ask(BROKEN)[0].source_id.endswith("shipping.md")


def test_a_refused_key_is_a_dead_letter_that_says_what_to_give(
    shelf: Shelf, twin: Twin, folder: Path
) -> None:
    """Covers A4.3: the job ends, the reason names the key; and the key itself is sealed: it stands
    in no table, and neither does it in what the job says."""
    twin.key = "another"
    shelf.ingest(config(folder, twin, vector_db={"api_key": "CANARY-KEY"}))
    [reason] = shelf.letters().values()
    assert "refused the key of vector_db (401)" in reason
    assert "vector_db.api_key" in reason
    tables = shelf.rows(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('headrace', 'dbos')"
    )
    for table in tables:
        for row in shelf.rows(f"SELECT * FROM {table['schemaname']}.{table['tablename']}"):
            assert "CANARY" not in repr(row), table


def test_a_death_between_index_and_transaction(
    url: str, home: Path, twin: Twin, folder: Path
) -> None:
    """Covers A4.16: a worker is killed when the points are there and the tables know nothing of it.
    Meanwhile a search shows nothing of them; the next worker puts them again, and all is equal."""
    prepare(url)
    settings = Settings(_env_file=None, headrace_home=home)
    database = Database(url).open()
    shelf = Shelf(database, settings)
    try:
        wanted = intake.documents(DocumentsConfig.model_validate(config(folder, twin)))
        with database.transaction() as session:
            row = intake.connect(session, "acme", "ann", wanted, settings)
            job = intake.submit_sync(session, row)
        assert worker(url, home, "points-put").wait(60) == -signal.SIGKILL
        assert len(there(twin)) == 3
        assert here(shelf) == set()
        assert len(shelf.rows("SELECT * FROM headrace.vector_indexes")) == 1
        # A file goes before the next worker comes: what was put of it must go with it.
        (folder / "laptops.md").unlink()
        second = worker(url, home)
        try:
            until(lambda: over(shelf, job["job_id"]))
            ingest(shelf, config(folder, twin))
            # While the dead one's session holds the index, the deletion waits and is tried again.
            until(lambda: here(shelf) == there(twin))
        finally:
            second.terminate()
            second.wait(30)
        assert here(shelf) == there(twin)
        assert len(there(twin)) == 2
    finally:
        database.close()


def worker(url: str, home: Path, crash: str = "") -> subprocess.Popen[bytes]:
    environment = {
        **os.environ, "DATABASE_URL": url, "HEADRACE_HOME": os.fspath(home),
        "HEADRACE_CRASH": crash, "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    return subprocess.Popen([sys.executable, "-m", "headrace.cli", "worker"], env=environment)


def test_what_is_there_again_is_not_deleted(shelf: Shelf, twin: Twin, folder: Path) -> None:
    """A chunk that went and came back before anybody looked keeps its point."""
    ingest(shelf, config(folder, twin))
    with shelf.database.connection() as session:
        session.execute("CREATE TABLE kept AS SELECT * FROM headrace.chunks")
    columns = (
        "tenant_id, stream_id, content_hash, position, user_id, batch_id, start_at, end_at, page,"
        " headings, body, chunk_hash, model, embedding"
    )
    shelf.rows("DELETE FROM headrace.chunks RETURNING 1 AS n")
    assert len(left(shelf)) == 3
    shelf.rows(
        f"INSERT INTO headrace.chunks ({columns}) SELECT {columns} FROM kept"
        " WHERE body LIKE '%%laptop%%' RETURNING 1 AS n"
    )
    twin.puts.clear()
    tend(shelf)
    assert twin.puts == []
    assert left(shelf) == []
    assert there(twin) == here(shelf)
    assert len(there(twin)) == 1


def test_nothing_is_deleted_while_points_are_put(shelf: Shelf, twin: Twin, folder: Path) -> None:
    """Else what is deleted first and put a moment later would stay for ever."""
    alone: list[bool] = []

    def during() -> None:
        [row] = shelf.rows("SELECT stream_id FROM headrace.streams")
        with shelf.database.alone(POINTS, row["stream_id"]) as connection:
            alone.append(connection is not None)

    twin.during = during
    ingest(shelf, config(folder, twin))
    assert alone == [False]
    [row] = shelf.rows("SELECT stream_id FROM headrace.streams")
    shelf.rows("DELETE FROM headrace.chunks RETURNING 1 AS n")
    with (
        shelf.database.holding(POINTS, row["stream_id"]),
        pytest.raises(Retry, match="in use"),
    ):
        tend(shelf)
    assert len(there(twin)) == 3
    tend(shelf)
    assert there(twin) == set()


def test_an_index_that_was_left_and_is_gone_keeps_none_from_the_next(
    shelf: Shelf, twin: Twin, folder: Path
) -> None:
    """The old one is asked again later, and the new one is in order all the same."""
    old = Twin()
    ingest(shelf, config(folder, old))
    old.down()
    ingest(shelf, config(folder, twin))
    (folder / "laptops.md").unlink()
    ingest(shelf, config(folder, twin))
    assert there(twin) == here(shelf)
    assert len(left(shelf)) == len(there(old)) == 3
    old.up()
    try:
        hurry(shelf)
        assert there(old) == set()
    finally:
        old.down()


def test_pgvector_alone_says_nothing_of_what_goes(shelf: Shelf, folder: Path) -> None:
    """Who has no index outside pays for none."""
    shelf.ingest({"embedder": {"provider": "local"}, "input": str(folder)})
    assert len(here(shelf)) == 3
    shelf.rows("DELETE FROM headrace.chunks RETURNING 1 AS n")
    assert left(shelf) == []
    asked = "SELECT 1 AS n FROM dbos.workflow_status WHERE name = 'headrace.points'"
    assert shelf.rows(asked) == []
