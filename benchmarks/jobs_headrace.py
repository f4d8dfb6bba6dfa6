"""Headrace's queues, run as the peers are. A whole job is one that finds nothing to do: begun in
its row, one leg, concluded in its row; the empty one is a workflow of the engine without a step."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid

from dbos import DBOS

from benchmarks.jobs_measure import Notebook, arguments, feed
from headrace.engine import extract, jobs
from headrace.engine.queues import JOBS, Work, enqueue, enqueue_many
from headrace.engine.runtime import engine
from headrace.engine.schema import prepare
from headrace.settings import Settings
from headrace.store.database import Database

NAME = "bench.empty"
MANY = 10_000
WHOLE = "HEADRACE_BENCH_WHOLE_JOBS"
"""In the environment: a job with a row, and not a workflow alone."""

given = arguments()


def work() -> None:
    """A worker, until SIGTERM."""
    notebook = Notebook(given.notes)

    @DBOS.workflow(name=NAME)
    def empty(sent: float) -> None:
        notebook.note(sent)

    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    settings = Settings(
        _env_file=None, headrace_home=given.notes.parent, headrace_workers=given.places
    )
    with engine(given.url, settings):
        over.wait()


def send() -> None:
    """As whoever asks for jobs does: a transaction each, or one for ten thousand."""
    database = Database(given.url).open()

    def one() -> None:
        with database.transaction() as connection:
            enqueue(connection, NAME, str(uuid.uuid4()), time.time(), queue=JOBS)

    def many(number: int) -> None:
        for first in range(0, number, MANY):
            sent = time.time()
            size = min(MANY, number - first)
            wanted = [Work(str(uuid.uuid4()), (sent,)) for _ in range(size)]
            with database.transaction() as connection:
                enqueue_many(connection, NAME, wanted, queue=JOBS)

    def whole() -> None:
        with database.transaction() as connection:
            jobs.submit(connection, tenant="bench", user="bench", kind=extract.KIND)

    def wholes(number: int) -> None:
        for _ in range(number):
            whole()

    if WHOLE in os.environ:
        feed(whole, wholes)
    else:
        feed(one, many)


{"prepare": lambda: prepare(given.url), "work": work, "feed": send}[given.role]()
