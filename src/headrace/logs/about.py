"""Of what a line is: request, job, turn, batch, stage, tenant, user. Whoever begins something says
so once, and every line that is said in the midst of it carries it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

_now: ContextVar[dict[str, Any] | None] = ContextVar("about", default=None)


@contextmanager
def about(**ids: Any) -> Iterator[None]:
    """Whatever is said in this context is of these, and of what is around it."""
    token = _now.set({**(_now.get() or {}), **ids})
    try:
        yield
    finally:
        _now.reset(token)


def of_job(job_id: str) -> AbstractContextManager[None]:
    """Whatever is said in this context is said of this job."""
    return about(jobId=job_id)


def also(**ids: Any) -> None:
    """What has become known since the innermost `about` began, for the rest of it: in its threads
    as well, which have copies of the context, and not of what is in it."""
    now = _now.get()
    if now is not None:
        now.update(ids)


def with_ids(_logger: Any, _method: str, line: Any) -> Any:
    """The same, put into a line; what it says itself goes before that."""
    return {**present(), **line}


def present() -> dict[str, Any]:
    """What a line that is said now is of."""
    return dict(_now.get() or {})
