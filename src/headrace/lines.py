"""Lines of the log that are of a job, for whoever keeps them with it: see decision 0039."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple

_job: Final[ContextVar[str | None]] = ContextVar("job", default=None)


class Line(NamedTuple):
    """What was said of a job."""

    job_id: str
    said_at: datetime
    level: str
    event: str
    facts: dict[str, Any]


_keepers: Final[list[Callable[[Line], None]]] = []


@contextmanager
def of_job(job_id: str) -> Iterator[None]:
    """Whatever is said in this context is said of this job."""
    token = _job.set(job_id)
    try:
        yield
    finally:
        _job.reset(token)


def keep(keeper: Callable[[Line], None]) -> Callable[[], None]:
    """Give `keeper` each line that is said of a job, whatever the log's level; until what this
    returns is called. It is called in the midst of things, and must not wait."""
    _keepers.append(keeper)
    return partial(_keepers.remove, keeper)


def hear(level: str, event: str, facts: Mapping[str, Any]) -> None:
    """A line was said: it is of the job that it names, or in whose context it was said."""
    told = dict(facts)
    job_id = told.pop("jobId", None) or _job.get()
    if job_id is None:
        return
    if (error := told.pop("exc_info", None)) is not None:
        told["error"] = type(error).__name__  # its words may be anything
    line = Line(job_id, datetime.now(UTC), level, event, told)
    for keeper in tuple(_keepers):
        keeper(line)
