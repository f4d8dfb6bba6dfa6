"""Celery on a Redis: run by the peers' environment, as benchmarks.jobs_headrace is. Its jobs keep
no result, and are sent in no transaction."""

from __future__ import annotations

import time

from celery import Celery  # type: ignore[import-not-found]

from benchmarks.jobs_measure import Notebook, arguments, feed

given = arguments()
notebook = Notebook(given.notes) if given.role == "work" else None
app = Celery(broker=given.url)
app.conf.update(task_ignore_result=True, worker_hijack_root_logger=False)


@app.task(name="empty")  # type: ignore[untyped-decorator]
def empty(sent: float) -> None:
    """See `Notebook`."""
    assert notebook is not None
    notebook.note(sent)


def many(number: int) -> None:
    """It has no way for many at once."""
    for _ in range(number):
        empty.delay(time.time())


if given.role == "work":
    app.worker_main(["worker", "-P", "threads", "-c", str(given.places), "-l", "ERROR"])
elif given.role == "feed":
    feed(lambda: empty.delay(time.time()), many)
