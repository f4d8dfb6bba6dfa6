"""Lines that are said of a job, given to whoever keeps them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from headrace.logs.about import present
from headrace.logs.fields import admitted


class Line(NamedTuple):
    """What was said of a job."""

    job_id: str
    said_at: datetime
    level: str
    event: str
    facts: dict[str, Any]


_keepers: list[Callable[[Line], None]] = []


def keep(keeper: Callable[[Line], None]) -> Callable[[], None]:
    """Give `keeper` each line that is said of a job, whatever the log's level; until what this
    returns is called. It is called in the midst of things, and must not wait."""
    _keepers.append(keeper)
    return partial(_keepers.remove, keeper)


def give(level: str, event: str, facts: dict[str, Any]) -> None:
    """Somebody has said this: it is kept where it is of a job."""
    told = {name: value for name, value in facts.items() if name not in ("jobId", "exc_info")}
    job_id = facts.get("jobId") or present().get("jobId")
    if job_id is None or not _keepers:
        return
    if facts.get("exc_info") is not None:
        told["error"] = type(facts["exc_info"]).__name__  # its words may be anything
    line = Line(job_id, datetime.now(UTC), level, event, admitted(told))
    for keeper in tuple(_keepers):
        keeper(line)
