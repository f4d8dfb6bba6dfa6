"""Headrace over a folder: the whole product, from the job's submission until its chunks are found
and their index is there. `python -m benchmarks.docs_headrace URL HOME FOLDER EMBEDDER`.
"""

from __future__ import annotations

import time

from benchmarks.docs_measure import Watched, arguments, report
from headrace.engine import intake, vectors
from headrace.engine.progress import FINAL, progress
from headrace.engine.runtime import engine
from headrace.engine.schema import prepare
from headrace.files.config import DocumentsConfig
from headrace.settings import Settings, load
from headrace.stages import embed as stage
from headrace.store.database import Database

_POLL = 0.02
_PATIENCE = 300.0

_CHUNKS = "SELECT count(*) AS n FROM headrace.chunks"
_INDEX = "SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass(%s)"


def ingest(database: Database, settings: Settings, folder: str) -> None:
    """Bring the folder in and wait for the job's end."""
    with database.transaction() as session:
        wanted = intake.documents(DocumentsConfig(input=[folder]))
        row = intake.connect(session, "default", "me", wanted, settings)
        job_id = intake.submit_sync(session, row)["job_id"]
    while True:
        with database.connection() as session:
            state = progress(session, job_id)
        if state.status in FINAL:
            break
        time.sleep(_POLL)
    if state.status != "SUCCEEDED" or state.dead_lettered:
        raise SystemExit(f"The folder could not be ingested: {state}")


def await_index(database: Database, model: str) -> None:
    """The end of a job makes the index of the vectors, where there are enough; wait for that."""
    with database.connection() as session:
        if (session.execute(_CHUNKS).fetchone() or {"n": 0})["n"] < vectors.LEAST:
            return
        until = time.monotonic() + _PATIENCE
        index = f"headrace.{vectors.index_name(model)}"
        while not (session.execute(_INDEX, [index]).fetchone() or {"valid": False})["valid"]:
            if time.monotonic() > until:
                raise SystemExit("The job has ended, but the index of its vectors is not there.")
            time.sleep(_POLL)


def main() -> None:
    """One run, after the engine has started."""
    given = arguments()
    settings = load(database_url=given.url, headrace_home=given.home.parent)
    prepare(given.url)
    watched: Watched = given.watched()
    stage.open_embedder = lambda *_: watched
    with engine(given.url, settings) as database:
        # The queues of a new database are noticed within a second of the engine's start.
        time.sleep(1.5)

        def work() -> dict[str, float]:
            began = time.perf_counter()
            ingest(database, settings, str(given.folder))
            ended = time.perf_counter() - began
            await_index(database, watched.model)
            return {"job": ended}

        report(watched, work)


if __name__ == "__main__":
    main()
