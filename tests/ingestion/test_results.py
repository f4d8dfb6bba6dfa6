"""What comes of a job: documents in, searchable chunks out, counted in the words of seed 004."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from starlette.testclient import TestClient
from tests.ingestion.callers import hurry, park, sent, waiter
from tests.ingestion.conftest import Rows, open_desk, over, until, write, write_three
from tests.ingestion.services import KEY, Services
from tests.ingestion.test_letter import MOMENT, PATH, ask

from headrace.client import Client
from headrace.engine.runtime import engine
from headrace.settings import Settings

ROOT = Path(__file__).parents[2]
CLEAN = {"files_processed": 3, "chunks_created": 3, "embeddings_generated": 3}


class Shop:
    """A database, jobs being done on it, and a client; each test names folders of its own."""

    def __init__(self, url: str, root: Path, client: TestClient, rows: Rows) -> None:
        self.url = url
        self.root = root
        self.client = client
        self.rows = rows

    def ask(self, folder: Path, **more: Any) -> str:
        """Ask for a job over a folder; its id."""
        return str(ask(self.client, {"input": [str(folder)]}, **more).json()["job_id"])


@pytest.fixture(scope="module")
def shop(
    new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """One for all: the first document takes the processes that read some seconds to start."""
    url, root = new_database(), tmp_path_factory.mktemp("shop")
    settings: dict[str, Any] = {
        "headrace_document_roots": str(root),
        "headrace_home": root / "home",
    }
    with ExitStack() as stack:
        connection = stack.enter_context(
            psycopg.connect(url, autocommit=True, row_factory=dict_row)
        )
        desk = stack.enter_context(open_desk(url, **settings))
        stack.enter_context(engine(url, Settings(_env_file=None, **settings)))
        yield Shop(url, root, desk.client(), lambda q, *v: connection.execute(q, v).fetchall())


def test_a_job_succeeds(shop: Shop) -> None:
    """Covers A4.6, A4.7, A4.8, A4.23: a clean job says exactly three things, what was not needed is
    added, and every row carries the tenant of the request."""
    folder = write_three(shop.root / "three")
    who: dict[str, Any] = {"metadata": {"tenant_id": "org-123"}}
    made = ask(shop.client, {"input": [str(folder)]}, **who).json()
    first = over(shop.client, made["job_id"])
    assert set(first) == {"job_id", "status", "result_summary", "created_at", "completed_at"}
    assert first["job_id"] == made["job_id"]
    assert first["created_at"] == made["created_at"]
    assert first["status"] == "SUCCEEDED"
    assert first["result_summary"] == CLEAN
    assert MOMENT.fullmatch(first["completed_at"])
    again = over(shop.client, shop.ask(folder, **who))
    assert again["result_summary"] == {**dict.fromkeys(CLEAN, 0), "files_unchanged": 3}
    write(folder / "tea.md", "# Tea\n\nBlack tea is steeped longer.\n")
    changed = over(shop.client, shop.ask(folder, **who))
    assert changed["result_summary"]["files_processed"] == 1
    for table in ("jobs", "connections", "raw_events", "documents", "chunks", "batches"):
        tenants = shop.rows(f"SELECT DISTINCT tenant_id FROM headrace.{table}")
        assert {"tenant_id": "org-123"} in tenants, table
        kept = shop.rows(f"SELECT FROM headrace.{table} WHERE tenant_id = 'org-123'")
        assert kept, table
    assert shop.rows("SELECT FROM headrace.jobs WHERE tenant_id = 'default'") == []


def test_a_job_fails_and_is_retried(shop: Shop) -> None:
    """Covers A4.7, A4.15: a folder that is not there is the job's failure, with a hint; once it is
    there, the same job succeeds. The end of each turn is a message."""
    park(shop.url, "patient")
    folder = shop.root / "later"
    job_id = shop.ask(folder, **waiter("patient"))
    failed = over(shop.client, job_id)
    assert failed["status"] == "FAILED"
    assert failed["error_message"].startswith(f"There is no folder {folder}. ")
    assert set(failed) == {"job_id", "status", "created_at", "completed_at", "error_message"}
    until(lambda: len(sent(shop.rows, "patient")) == 1)
    folder.mkdir()
    write(folder / "milk.md", "# Milk\n\nMilk is warmed slowly.\n")
    again = shop.client.post(f"{PATH}/{job_id}/retry")
    assert again.status_code == 202
    assert "error_message" not in again.json()
    assert over(shop.client, job_id)["result_summary"] == dict.fromkeys(CLEAN, 1)
    until(lambda: len(sent(shop.rows, "patient")) == 2)
    states = [one["message"]["status"] for one in sent(shop.rows, "patient")]
    assert states == ["FAILED", "SUCCEEDED"]


def test_a_file_that_cannot_be_read_is_counted(shop: Shop) -> None:
    """Covers A4.23: it is a dead letter, and the others are searchable."""
    folder = write_three(shop.root / "four")
    write(folder / "broken.pdf", "%PDF-1.7\nThis is none.\n")
    job = over(shop.client, shop.ask(folder))
    assert job["status"] == "SUCCEEDED"
    assert job["result_summary"]["dead_lettered"] == 1
    assert job["result_summary"]["chunks_created"] == 3


def test_a_waiter_that_is_not_there_changes_nothing(shop: Shop) -> None:
    """Covers A4.15: the job has succeeded. The message is tried again later; the workflow that has
    begun to exist by then is told."""
    job_id = shop.ask(write_three(shop.root / "early"), **waiter("late"))
    done = over(shop.client, job_id)
    until(
        lambda: shop.rows(
            "SELECT FROM dbos.workflow_status WHERE name = 'headrace.notify' AND status = 'DELAYED'"
        )
    )
    assert shop.client.get(f"{PATH}/{job_id}").json() == done
    assert done["status"] == "SUCCEEDED"
    assert sent(shop.rows, "late") == []
    park(shop.url, "late")
    hurry(shop.rows)
    [message] = until(lambda: sent(shop.rows, "late"))
    assert message["message"]["job_id"] == job_id


@pytest.mark.timeout(120)
def test_alembic_and_uvicorn_are_enough(
    new_database: Callable[..., str], documents: Path, tmp_path: Path
) -> None:
    """Covers A4.11, A4.12, A4.13, A4.20: an empty database, the seed's two commands, and one
    process takes a job to its end."""
    url = new_database(empty=True)
    services = Services(tmp_path, url, documents)
    try:
        migrated = subprocess.run(
            [Path(sys.executable).parent / "alembic", "upgrade", "head"],
            cwd=ROOT,
            env={"DATABASE_URL": url, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert migrated.returncode == 0, migrated.stderr
        service = services.headrace()
        client = Client(services.url, KEY)
        job = client.create_ingestion({"input": [str(documents)]})
        service.until(lambda: client.get_ingestion(job.job_id).over)
        assert client.get_ingestion(job.job_id).result_summary == CLEAN
    finally:
        services.end()
