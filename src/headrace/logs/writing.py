"""How lines are written: JSON, one line an event, on standard error. The only file that logs."""

from __future__ import annotations

import asyncio
import logging
import sys
from functools import partial
from typing import Any

import structlog

from headrace.logs.about import with_ids
from headrace.logs.fields import admit
from headrace.logs.kept import give
from headrace.logs.library import Libraries


def configure(level: str = "INFO") -> None:
    """Set logging up for this process. Libraries may warn; they may not chat."""
    err = sys.stderr
    structlog.configure(
        processors=[
            with_ids,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            admit,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        # An embedder may have closed what standard error was then.
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr if err.closed else err),
        cache_logger_on_first_use=False,
    )
    logging.disable(logging.NOTSET)
    least = logging.getLevelName(level)
    says = Libraries(
        {
            logging.WARNING: partial(say, "warning"),
            logging.ERROR: partial(say, "error"),
        }
    )
    logging.basicConfig(level=max(logging.WARNING, least), handlers=[says], force=True)
    for noisy in ("dbos", "alembic", "psycopg.pool"):
        logging.getLogger(noisy).setLevel(max(logging.ERROR, least))


def hush(*libraries: str) -> None:
    """Keep to themselves what these libraries log: it may have a secret in it. Who has called them
    hears their warnings from them."""
    for name in libraries:
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(logging.WARNING)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


def cut_offs(*, said: bool = True) -> None:
    """Of requests that are cut off because the service ends, it is said that the time was up, and
    not where each was then; or nothing at all, where somebody did not want to wait."""
    server = logging.getLogger("uvicorn.error")
    server.addFilter(_is_no_cut_off)
    server.disabled = not said


def _is_no_cut_off(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def quiet(*, bugs: bool = False) -> None:
    """For the command line, where a person reads sentences: nothing is logged, or, when somebody
    looks for what is wrong, errors with their tracebacks."""
    configure("CRITICAL")
    if not bugs:
        logging.disable()  # libraries that set a level of their own do not ask for ours
    else:
        plain = structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.format_exc_info,
                admit,
                plain,
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        )


def say(level: str, event: str, /, **facts: Any) -> None:
    """Write a line, and give it to whoever keeps those of its job."""
    getattr(structlog.get_logger(), level)(event, **facts)
    give(level, event, facts)
