"""A workflow engine, small: one workflow whose first step has Headrace ingest a folder.

    python workflow_engine.py EXECUTION FOLDER [TENANT]

EXECUTION is the workflow's id: killed and started again with the same one, it goes on where it was.
"""  # noqa: INP001 - a program, not a package

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from dbos import DBOS, SetWorkflowID

from headrace.client import Client, run_ingestion

SERVICE = os.environ.get("INGESTION_URL", "http://127.0.0.1:8000")
TIMEOUT_SECONDS = float(os.environ.get("INGESTION_TIMEOUT_SECONDS", "3600"))
POLL_SECONDS = float(os.environ.get("INGESTION_POLL_SECONDS", "60"))


@DBOS.workflow(name="answers_from_documents")
def answers_from_documents(folder: str, tenant: str | None) -> dict[str, Any]:
    """Ingest, wait, and go on with what came of it."""
    ingested = run_ingestion(
        Client(SERVICE, os.environ["HEADRACE_API_KEY"]),
        {"input": [folder]},
        step_id="ingestion-step",
        tenant_id=tenant,
        timeout_seconds=TIMEOUT_SECONDS,
        poll_seconds=POLL_SECONDS,
    )
    if not ingested.success:
        return {"done": False, "why": ingested.error_message}
    # Here the next steps would follow: the folder's chunks are searchable now.
    return {"done": True, "job_id": ingested.job_id, **(ingested.result_summary or {})}


def main() -> None:
    """Run one execution to its end and print what it returned."""
    execution, folder, *tenant = sys.argv[1:]
    with ExitStack() as opened:
        DBOS(
            config={
                # Names of its own: in one database neither service takes the other's work.
                "name": "workflow-engine",
                "application_version": "workflow-engine, version 1",
                "executor_id": "workflow-engine-1",
                "system_database_url": _database(opened),
                "log_level": "WARNING",
            }
        )
        DBOS.launch()  # which also takes up what this executor left when it was killed
        with SetWorkflowID(execution):
            handle = DBOS.start_workflow(
                answers_from_documents, str(Path(folder).resolve()), tenant[0] if tenant else None
            )
        sys.stderr.write(f"{execution} is under way.\n")
        sys.stdout.write(json.dumps(handle.get_result()) + "\n")
        DBOS.destroy()


def _database(opened: ExitStack) -> str:
    """Where this service's DBOS keeps its tables; Headrace must be told, to send its messages."""
    url = os.environ.get("DBOS_DATABASE_URL") or os.environ.get("DATABASE_URL")
    if not url:
        # Only to try it: the server that `headrace up` brings along, used by both.
        from headrace.settings import load
        from headrace.store import embedded

        url = opened.enter_context(embedded.kept(load().postgres_folder))
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


if __name__ == "__main__":
    main()
