"""Watching jobs to their end: counts, rate and what is left, drawn while they run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from rich.markup import escape
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from headrace import telemetry
from headrace.cli.house import away
from headrace.cli.show import err, say
from headrace.engine.progress import FINAL, Progress, StageProgress, progress
from headrace.store.database import DISK_FULL, Connection, Database, connect

_LOOK_SECONDS = 0.2
_PLAIN_SECONDS = 5.0
"""How often a line is printed where no bar can be drawn."""
_SILENCE_SECONDS = 5.0
"""After how long without a new record a person is told for how long that has been so."""
PATIENCE_SECONDS = 60.0
"""How long a person is kept waiting for what does not come: for a source that asks for a pause, for
one that fails in the middle of things, for a PostgreSQL that is away."""
_LONGEST_NAME = 32


class Watched(msgspec.Struct):
    """A job that somebody waits for, and what has been seen of it."""

    name: str
    job_id: str
    state: Progress
    since: float
    """When it last moved, in monotonic seconds."""
    told: str | None = None
    """The error that has been told last."""

    @property
    def still(self) -> float:
        """Seconds since it last moved."""
        return time.monotonic() - self.since

    @property
    def over(self) -> bool:
        """Whether waiting for it has an end: it is done, or nobody knows when it will be.

        A source that fails before anything came from it has a wrong address more often than a bad
        moment, so the first failed run is told at once. Nothing is given up but the waiting.
        """
        state = self.state
        if state.settled:
            return True
        if state.status != "PENDING" or not state.last_error:
            return False
        if (not state.fetched and state.attempts) or state.last_error == DISK_FULL:
            return True
        return max(self.still, _seconds_until(state.resume_at)) > PATIENCE_SECONDS


def watch(database: Database, named: Sequence[tuple[str, str]], *, show: bool) -> list[Progress]:
    """Wait until every job (name, id) is over and worked through, or until there is no telling when
    one that has failed will be. Returns where each stands."""
    now = time.monotonic()
    look = _Look(database.url, [job_id for _, job_id in named])
    jobs = [
        Watched(name, job_id, state, now)
        for (name, job_id), state in zip(named, look(), strict=True)
    ]
    board = _Board(jobs, draw=show and err.is_terminal)
    with closing(look), board, _overheard(board if show else None):
        while True:
            board.update()
            if show:
                for job in jobs:
                    _tell(job)
                if not err.is_terminal:
                    board.lines()
            if all(job.over for job in jobs):
                return [job.state for job in jobs]
            time.sleep(_LOOK_SECONDS)
            for job, state in zip(jobs, look(), strict=True):
                if _moved(job.state, state):
                    job.since = time.monotonic()
                job.state = state


def _moved(old: Progress, new: Progress) -> bool:
    return (new.fetched, new.stages_pending) != (old.fetched, old.stages_pending)


class _Look:
    """Looks at where jobs stand, on a connection of its own: what a pool says of a PostgreSQL that
    has gone away, it says after half a minute, and not why."""

    def __init__(self, url: str, job_ids: Sequence[str]) -> None:
        self._url = url
        self._job_ids = job_ids
        self._line: Connection | None = None

    def __call__(self) -> list[Progress]:
        """Where they stand. Waits for a PostgreSQL that has gone away, as the engine does; raises
        Unavailable when it stays away, and at once when its disk is full."""
        until = time.monotonic() + PATIENCE_SECONDS
        told = False
        while True:
            try:
                if self._line is None:
                    self._line = connect(self._url)
                return [progress(self._line, job_id) for job_id in self._job_ids]
            except psycopg.OperationalError as error:
                self.close()
                gone = away(error)
                if gone.message == DISK_FULL or time.monotonic() > until:
                    raise gone from error
                if not told:
                    told = True
                    say(f"{escape(gone.message)} Waiting for it.")
                time.sleep(_LOOK_SECONDS)

    def close(self) -> None:
        """Give the connection back."""
        if self._line is not None:
            self._line.close()
            self._line = None


def _tell(job: Watched) -> None:
    """Say once why a job waits, and until when: beside its bar there is no room for a sentence."""
    state = job.state
    wait = _seconds_until(state.resume_at)
    if state.status != "PENDING" or not state.last_error or wait <= 1 or job.over:
        return
    if job.told != state.last_error:
        job.told = state.last_error
        at = _clock(state.resume_at)
        say(f"{escape(job.name)} waits until {at}: {escape(state.last_error)}")


@contextmanager
def _overheard(board: _Board | None) -> Iterator[None]:
    """What sources answer to this process while it asks again and again: the jobs run in it."""
    if board is None:
        yield
        return
    stop = telemetry.overhear(board.hear)
    try:
        yield
    finally:
        stop()


class _Board:
    """The bars of a terminal, or a line from time to time."""

    def __init__(self, jobs: Sequence[Watched], *, draw: bool) -> None:
        self._jobs = jobs
        self._printed = time.monotonic()
        self._draw = draw
        self._heard = ""
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[counts]}"),
            TextColumn("{task.fields[left]}", style="progress.remaining"),
            TextColumn("{task.fields[note]}"),
            console=err,
            disable=not draw,
        )
        self._tasks: dict[str, TaskID] = {
            job.job_id: self._bars.add_task(escape(_short(job.name)), **self._drawn(job))
            for job in jobs
        }

    def __enter__(self) -> _Board:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def hear(self, why: str) -> None:
        """Say what a source answers that is being asked again: at once, or with the next lines."""
        if self._draw and why != self._heard:
            say(f"{escape(why)} Trying again.")
        self._heard = why

    def update(self) -> None:
        """Draw where the jobs stand."""
        for job in self._jobs:
            self._bars.update(self._tasks[job.job_id], **self._drawn(job))
            for stage in job.state.stages:
                self._update_stage(job, stage)

    def _update_stage(self, job: Watched, stage: StageProgress) -> None:
        """A bar for each stage that the job waits for, from its first batch on."""
        key = f"{job.job_id}/{stage.name}"
        drawn: dict[str, Any] = {
            "completed": stage.batches,
            "total": max(stage.of, 1),
            "counts": f"{stage.rows_out:,}",
            "left": "",
            "note": "",
        }
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(f"  {stage.name}", **drawn)
        self._bars.update(self._tasks[key], **drawn)

    def lines(self) -> None:
        """Print where they stand, if it is time to."""
        if time.monotonic() - self._printed < _PLAIN_SECONDS:
            return
        self._printed = time.monotonic()
        for job in self._jobs:
            more = "  ".join(one for one in (_left(job.state), _note(job)) if one)
            say(f"{escape(job.name)}: {self._counts(job)} {more}".rstrip())
        if self._heard:
            say(f"{escape(self._heard)} Trying again.")
            self._heard = ""

    def _drawn(self, job: Watched) -> dict[str, Any]:
        state = job.state
        total = state.total if state.status not in FINAL else max(state.fetched, 1)
        return {
            "completed": state.fetched if state.status not in FINAL else total,
            "total": total,
            "counts": self._counts(job),
            "left": _left(state),
            "note": _note(job),
        }

    def _counts(self, job: Watched) -> str:
        state = job.state
        if state.status in FINAL:
            return f"{state.fetched:,}"
        known = f" of {state.total:,}" if state.total else ""
        share = f", {int(state.share * 100)} %" if state.share is not None else ""
        return f"{state.fetched:,}{known}{share} · {state.per_second or 0:,.0f}/s"


def _left(state: Progress) -> str:
    """How long it will still take, where that can be told."""
    left = state.seconds_left
    if state.status != "RUNNING" or not left:
        return ""
    return f"{timedelta(seconds=int(left))} left"


def _note(job: Watched) -> str:
    state = job.state
    if state.status == "PENDING" and _seconds_until(state.resume_at) > 0:
        return f"waits until {_clock(state.resume_at)}"
    if state.waiting_for:
        others = len(state.waiting_for)
        return f"waits for {others:,} jobs" if others > 1 else "waits for another job"
    if state.stages and state.stages_pending:
        return ", ".join(f"{one.name} {one.rows_out:,}" for one in state.stages)
    if state.status in FINAL and state.stages_pending:
        return f"making it searchable, {state.stages_pending:,} to go"
    if state.status == "RUNNING" and job.still > _SILENCE_SECONDS:
        return f"nothing new for {job.still:.0f} s"
    return "" if state.status in ("RUNNING", "SUCCEEDED") else state.status.lower()


def _seconds_until(at: datetime | None) -> float:
    return 0.0 if at is None else (at - datetime.now(UTC)).total_seconds()


def _clock(at: datetime | None) -> str:
    if at is None:
        return "now"
    local = at.astimezone()
    return f"{local:%H:%M:%S}" if _seconds_until(at) < 12 * 3600 else f"{local:%Y-%m-%d %H:%M}"


def _short(name: str) -> str:
    """A name that leaves room for the bar: of a path, its end."""
    name = Path(name).name or name if name.startswith("/") else name
    return name if len(name) <= _LONGEST_NAME else f"...{name[3 - _LONGEST_NAME :]}"
