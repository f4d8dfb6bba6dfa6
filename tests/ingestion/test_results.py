"""What comes of a job: documents in, searchable chunks out, counted in the words of seed 004."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.ingestion.conftest import Rows, over, write
from tests.ingestion.services import KEY, Services
from tests.ingestion.test_letter import MOMENT, PATH, ask

from headrace.client import Client

ROOT = Path(__file__).parents[2]
CLEAN = {"files_processed": 3, "chunks_created": 3, "embeddings_generated": 3}

Working = Callable[..., AbstractContextManager[Any]]


@pytest.mark.timeout(120)
def test_a_job_succeeds(client: TestClient, documents: Path, working: Working, rows: Rows) -> None:
    """Covers A4.6, A4.7, A4.8, A4.23: a clean job says exactly three things, what was not needed is
    added, and every row carries the tenant of the request."""
    config = {"input": [str(documents)]}
    who = {"metadata": {"tenant_id": "org-123"}}
    with working():
        made = ask(client, config, **who).json()
        first = over(client, made["job_id"])
        again = over(client, ask(client, config, **who).json()["job_id"])
        write(documents / "tea.md", "# Tea\n\nBlack tea is steeped longer.\n")
        changed = over(client, ask(client, config, **who).json()["job_id"])
    assert set(first) == {"job_id", "status", "result_summary", "created_at", "completed_at"}
    assert first["job_id"] == made["job_id"]
    assert first["created_at"] == made["created_at"]
    assert first["status"] == "SUCCEEDED"
    assert first["result_summary"] == CLEAN
    assert MOMENT.fullmatch(first["completed_at"])
    assert again["result_summary"] == {**dict.fromkeys(CLEAN, 0), "files_unchanged": 3}
    assert changed["result_summary"]["files_processed"] == 1
    for table in ("jobs", "connections", "raw_events", "documents", "chunks", "batches"):
        tenants = rows(f"SELECT DISTINCT tenant_id FROM headrace.{table}")
        assert tenants == [{"tenant_id": "org-123"}], table


@pytest.mark.timeout(120)
def test_a_job_fails_and_is_retried(client: TestClient, documents: Path, working: Working) -> None:
    """Covers A4.7: a folder that is not there is the job's failure, with a hint; once it is there,
    the same job succeeds."""
    folder = documents / "later"
    with working():
        job_id = ask(client, {"input": [str(folder)]}).json()["job_id"]
        failed = over(client, job_id)
        assert failed["status"] == "FAILED"
        assert failed["error_message"].startswith(f"There is no folder {folder}. ")
        assert set(failed) == {"job_id", "status", "created_at", "completed_at", "error_message"}
        folder.mkdir()
        write(folder / "milk.md", "# Milk\n\nMilk is warmed slowly.\n")
        again = client.post(f"{PATH}/{job_id}/retry")
        assert again.status_code == 202
        assert "error_message" not in again.json()
        assert over(client, job_id)["result_summary"] == dict.fromkeys(CLEAN, 1)


@pytest.mark.timeout(120)
def test_a_file_that_cannot_be_read_is_counted(
    client: TestClient, documents: Path, working: Working
) -> None:
    """Covers A4.23: it is a dead letter, and the others are searchable."""
    write(documents / "broken.pdf", "%PDF-1.7\nThis is none.\n")
    with working():
        job = over(client, ask(client, {"input": [str(documents)]}).json()["job_id"])
    assert job["status"] == "SUCCEEDED"
    assert job["result_summary"]["dead_lettered"] == 1
    assert job["result_summary"]["chunks_created"] == 3


@pytest.mark.timeout(120)
def test_alembic_and_uvicorn_are_enough(
    databases: Callable[..., str], documents: Path, tmp_path: Path
) -> None:
    """Covers A4.11, A4.12, A4.13, A4.16, A4.20: an empty database, the seed's two commands and one
    process; killed while the job is under way and started again, it takes the job to its end."""
    url = databases(empty=True)
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
        dying = services.headrace(crash="before-stage:2")
        client = Client(services.url, KEY)
        job = client.create_ingestion({"input": [str(documents)]})
        dying.dies()
        again = services.headrace()
        again.until(lambda: client.get_ingestion(job.job_id).over)
        assert client.get_ingestion(job.job_id).result_summary == CLEAN
    finally:
        services.end()
