"""Watching jobs to their end: counts, rate and what is left, drawn while they run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from rich.progress import (
    BarColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as Bars,
)

from headrace.cli.show import err, say
from headrace.engine.progress import FINAL, Progress, progress
from headrace.store.database import Database, unavailable

_LOOK_SECONDS = 0.2
_PLAIN_SECONDS = 5.0
"""How often a line is printed where no bar can be drawn."""
_PATIENCE_SECONDS = 120.0
"""How long PostgreSQL may be away before a person is told to look after it."""


def watch(database: Database, named: Sequence[tuple[str, str]], *, show: bool) -> list[Progress]:
    """Wait until every job (name, id) is over and worked through. Returns where each ended."""
    bars = Bars(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        TextColumn("{task.fields[counts]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}"),
        console=err,
        transient=False,
        disable=not (show and err.is_terminal),
    )
    tasks: dict[str, TaskID] = {
        job_id: bars.add_task(name, total=None, counts="", note="") for name, job_id in named
    }
    started = printed = time.monotonic()
    with bars:
        while True:
            states = _look(database, [job_id for _, job_id in named])
            for state in states:
                bars.update(tasks[state.job_id], **_drawn(state, time.monotonic() - started))
            if all(state.settled for state in states):
                return states
            if show and not err.is_terminal and time.monotonic() - printed > _PLAIN_SECONDS:
                printed = time.monotonic()
                for (name, _), state in zip(named, states, strict=True):
                    say(f"{name}: {_counts(state, printed - started)} {_note(state)}".rstrip())
            time.sleep(_LOOK_SECONDS)


def _look(database: Database, job_ids: Sequence[str]) -> list[Progress]:
    """Where the jobs stand. Waits for a PostgreSQL that has gone away, as the engine does; raises
    Unavailable when it stays away."""
    until = time.monotonic() + _PATIENCE_SECONDS
    told = False
    while True:
        try:
            with database.connection() as connection:
                return [progress(connection, job_id) for job_id in job_ids]
        except psycopg.OperationalError as error:
            gone = unavailable(error)
            if time.monotonic() > until:
                raise gone from error
            if not told:
                told = True
                say(f"{gone.message} Waiting for it.")
            time.sleep(_LOOK_SECONDS)


def _drawn(state: Progress, seconds: float) -> dict[str, Any]:
    total = state.total if state.status not in FINAL else max(state.fetched, 1)
    return {
        "completed": state.fetched if state.status not in FINAL else total,
        "total": total,
        "counts": _counts(state, seconds),
        "note": _note(state),
    }


def _counts(state: Progress, seconds: float) -> str:
    rate = "" if state.status in FINAL else f" · {state.fetched / max(seconds, 0.2):,.0f}/s"
    known = f" of {state.total:,}" if state.total else ""
    return f"{state.fetched:,}{known}{rate}"


def _note(state: Progress) -> str:
    if state.status == "PENDING" and state.resume_at and state.resume_at > datetime.now(UTC):
        at = state.resume_at.astimezone().strftime("%H:%M:%S")
        return f"waits until {at}: {state.last_error or 'the source asked for it'}"
    if state.status in FINAL and state.stages_pending:
        return "making it searchable"
    return "" if state.status in ("RUNNING", "SUCCEEDED") else state.status.lower()
