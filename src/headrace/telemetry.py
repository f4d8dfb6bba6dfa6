"""What the log can say: a function for each line there is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from headrace.logs.about import of_job as of_job
from headrace.logs.fields import FIELDS
from headrace.logs.kept import Line as Line
from headrace.logs.kept import keep as keep
from headrace.logs.writing import configure as configure
from headrace.logs.writing import cut_offs as cut_offs
from headrace.logs.writing import hush as hush
from headrace.logs.writing import quiet as quiet
from headrace.logs.writing import say

_RUN_FIELDS = (
    "itemsFetched",
    "itemsInserted",
    "itemsSkipped",
    "durationMs",
    "userId",
    "batchId",
    "timedOut",
)
"""The fields of a run's line, to the letter (A1.22)."""

_listeners: list[Callable[[str], None]] = []

_info, _warning = partial(say, "info"), partial(say, "warning")
_error, _critical = partial(say, "error"), partial(say, "critical")


def run(
    *,
    fetched: int,
    inserted: int,
    skipped: int,
    duration_ms: int,
    user: str,
    batch: int | None,
    timed_out: bool,
) -> None:
    """The one line of a finished run (A1.22)."""
    values = (fetched, inserted, skipped, duration_ms, user, batch, timed_out)
    _info("run", **dict(zip(_RUN_FIELDS, values, strict=True)))


def job_failed(job_id: str, error: str, hint: str, *, attempts: int, final: bool) -> None:
    """A run that ended in an error; `final` when the job will not be tried again."""
    _error("job_failed", jobId=job_id, error=error, hint=hint, attempts=attempts, final=final)


def allowance_lowered(connection: str, share: float) -> None:
    """A source has refused the rate of its account's calls: all workers use less of it."""
    _warning("allowance_lowered", connection=connection, share=round(share, 3))


def allowance_evenly(connection: str, per_minute: float) -> None:
    """Little is left of what a source allows until it counts anew: it is used evenly until then."""
    _warning("allowance_evenly", connection=connection, perMinute=round(per_minute, 1))


def bug(where: str, error: BaseException) -> None:
    """Something that should not happen did; with its traceback."""
    _error("bug", where=where, exc_info=error)


def overhear(listener: Callable[[str], None]) -> Callable[[], None]:
    """Tell `listener` why a source is being asked again, each time; until what this returns is
    called. For a person who waits in front of it."""
    _listeners.append(listener)
    return partial(_listeners.remove, listener)


def asked_again(why: str, attempt: int, wait: float) -> None:
    """A request failed, and is made again after this many seconds."""
    for listener in tuple(_listeners):
        listener(why)
    _info("asked_again", why=why, attempt=attempt, waitSeconds=round(wait, 2))


def away(where: str, error: BaseException) -> None:
    """PostgreSQL did not answer a request."""
    _error("away", where=where, error=str(error))


def note(connection: str, stream: str, notes: dict[str, str]) -> None:
    """A fact about a source worth knowing, such as the envelope it answers with (A2.23)."""
    known = {name: said for name, said in notes.items() if name in FIELDS}
    if others := [f"{name}: {said}" for name, said in notes.items() if name not in FIELDS]:
        known["notes"] = "; ".join(others)
    _info("source", connection=connection, stream=stream, **known)


def search_note(said: str) -> None:
    """What a search could not do."""
    _warning("search", note=said)


def points_left(connection: str, why: str) -> None:
    """An index of vectors outside of PostgreSQL could not be tended; the next job tries again."""
    _warning("points_left", connection=connection, why=why)


def died(executor: str) -> None:
    """A worker was found dead."""
    _warning("died", deadExecutor=executor)


def declared_dead(executor: str) -> None:
    """This process was found dead by others, and ends now: they run its jobs."""
    _critical("declared_dead", executor=executor)


def takeover(executor: str, recovered: int) -> None:
    """A dead worker's jobs, or this one's own that it had lost sight of, are on the queue again."""
    _warning("takeover", deadExecutor=executor, jobs=recovered)


def left(executor: str, handed: int, ms: int) -> None:
    """This process has left in good order; so many workflows go on elsewhere."""
    _info("left", executor=executor, handedOver=handed, ms=ms)


def replaced(version: str, jobs: int, stages: int, others: int) -> None:
    """What workers of another version left, of whom none lives, goes on in this one."""
    _warning("replaced", left=version, jobs=jobs, stages=stages, others=others)


def waiting(why: str, seconds: float) -> None:
    """PostgreSQL is not there yet, and this process waits for it."""
    _warning("waiting", why=why, atMostSeconds=seconds)


def waited() -> None:
    """It is there now."""
    _info("goes_on")


def newer_schema(newest: str, known: str) -> None:
    """A newer Headrace has migrated the database, and this one goes on with it."""
    _info("newer_schema", schema=newest, known=known)


def notified(job_id: str, workflow: str, topic: str) -> None:
    """Whoever waited for a job has been told."""
    _info("notified", jobId=job_id, workflow=workflow, topic=topic)


def told(webhook_id: str, host: str, event: str, status: int | None, ms: int) -> None:
    """A webhook was told something, or not."""
    facts = {"webhookId": webhook_id, "host": host, "what": event, "durationMs": ms}
    if status is not None and 200 <= status < 300:
        _info("webhook", status=status, **facts)
    else:
        _warning("webhook", status=status, **facts)


def webhooks_given_up(messages: int) -> None:
    """What could not be delivered for too long is not tried any more."""
    _warning("webhooks_given_up", messages=messages)


def scheduled(due: int, jobs: int) -> None:
    """Schedules were due, and their jobs are on the queue."""
    _info("scheduled", due=due, jobs=jobs)


def left_out(schedule_id: str, runs: int) -> None:
    """A schedule was due more often, while nobody looked, than is made up for."""
    _warning("runs_left_out", scheduleId=schedule_id, runs=runs)


def discovered(connected: int, back: int, gone: int) -> None:
    """Another application's accounts were looked through, and this changed."""
    _info("discovered", connected=connected, back=back, gone=gone)


def undiscovered(error: str, hint: str) -> None:
    """Another application's accounts cannot be looked through."""
    _error("undiscovered", error=error, hint=hint)


def swept(jobs: int, stages: int) -> None:
    """The sweeper found work that a lost trigger had stranded."""
    _warning("swept", jobs=jobs, stages=stages)


def redis_away(address: str, error: str, hint: str) -> None:
    """Redis does not do what it is asked to. Once, until it does again."""
    _error("redis_away", address=address, error=error, hint=hint)


def redis_back(address: str) -> None:
    """Redis does what it is asked to again."""
    _warning("redis_back", address=address)


def redis_emptied(address: str) -> None:
    """The stream and its group were not there any more, and have been made anew."""
    _warning("redis_emptied", address=address)


def redis_taken(taken: int, refused: int) -> None:
    """Entries of the stream were acknowledged: jobs made of them, and those put aside."""
    _info("redis_taken", taken=taken, refused=refused)


def redis_lost(ids: list[str], hint: str) -> None:
    """Entries were deleted from the stream before anybody had finished them."""
    _error("redis_lost", entries=len(ids), first=ids[0], hint=hint)


def redis_late(connections: int) -> None:
    """Syncs that the schedule had asked for through the stream, and which did not come out."""
    _warning("redis_late", connections=connections)


def redis_untold(completions: int) -> None:
    """Ends of jobs that Redis was away too long to be told of."""
    _error("redis_untold", completions=completions)


def queued_too_long(queue: str, seconds: float) -> None:
    """Work has waited on a queue for longer than it should; said once, until it is over."""
    _error("queued_too_long", queue=queue, oldestSeconds=round(seconds))


def queued_no_longer(queue: str, seconds: float) -> None:
    """What `queued_too_long` was said of is over, after so many seconds."""
    _warning("queued_no_longer", queue=queue, afterSeconds=round(seconds))


def alert_raised(incident: str, rule: str, subject: str) -> None:
    """Something is wrong, and has not been said before."""
    _error("alert_raised", incidentId=incident, rule=rule, subject=subject)


def alert_over(incident: str, rule: str, subject: str) -> None:
    """What `alert_raised` was said of is over."""
    _warning("alert_over", incidentId=incident, rule=rule, subject=subject)


def alert_told(incident: str, channel: str, *, taken: bool, answer: str) -> None:
    """A channel of the operator's was told of an alert, or could not be."""
    if taken:
        _info("alert_told", incidentId=incident, channel=channel)
    else:
        _warning("alert_untold", incidentId=incident, channel=channel, answer=answer)


def retained(removed: int) -> None:
    """Retention has removed rows that nothing needs any more."""
    _info("retained", removed=removed)


def started(what: str, **facts: Any) -> None:
    """A process is ready."""
    _info("started", what=what, **facts)
