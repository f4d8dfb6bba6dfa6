"""The example: Headrace and a workflow engine as two processes, and either killed anywhere."""

from __future__ import annotations

from pathlib import Path

from tests.ingestion.conftest import Rows
from tests.ingestion.services import Services

CLEAN = {"files_processed": 3, "chunks_created": 3, "embeddings_generated": 3}


def test_a_workflow_has_a_folder_ingested_and_goes_on(
    services: Services, documents: Path, rows: Rows
) -> None:
    """Covers A4.13, A4.14, A4.15, A4.17, A4.18."""
    services.headrace()
    ended = services.engine("exec-1", documents).result()
    [job] = rows("SELECT job_id FROM headrace.jobs")
    assert ended == {"done": True, **job, **CLEAN}
