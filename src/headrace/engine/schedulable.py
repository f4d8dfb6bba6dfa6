"""What can be done on a schedule: the kinds of job, and what each of them is given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from headrace.cadence.times import TOGETHER_SECONDS, phase, spread
from headrace.engine import extract, insight, intake, jobs, replay
from headrace.errors import BadInput, HeadraceError
from headrace.insights.weekly_digest import week_before
from headrace.plugins import insight_kind, insight_kinds, provider, sync_kinds, unknown_kind
from headrace.store import connections, schedules
from headrace.store.database import Connection
from headrace.store.jobs import JobRow
from headrace.store.schedules import SYNC, ScheduleRow
from headrace.store.sql import query
from headrace.text import one_line


def check_missed(kind: str, missed: str) -> None:
    """Raises BadInput where each of several runs would do the same."""
    if missed == "all" and kind != insight.KIND:
        raise BadInput(
            f"A {kind} that was missed is made up for by the next one: it does everything since.",
            hint='Say "once" or "skip" instead of "all".',
        )


def key(row: ScheduleRow, instant: datetime | None) -> str | None:
    """The idempotency key of what a schedule makes for a moment: whoever finds it due, it is made
    once. What somebody runs by hand has none."""
    return None if instant is None else f"schedule:{row['schedule_id']}:{instant.isoformat()}"


def known(kind: str, payload: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The kind and the payload of a schedule, checked; a kind of insight, and a provider's kind of
    sync, may be named as such. Raises BadInput."""
    if kind == SYNC or kind in sync_kinds():
        named = payload.get("provider") if kind == SYNC else sync_kinds()[kind].name
        _only(kind, payload, ["provider"] if kind == SYNC else [])
        return SYNC, {} if named is None else {"provider": provider(str(named)).name}
    if kind in insight_kinds():
        kind, payload = insight.KIND, {"kind": kind, **payload}
    if kind == insight.KIND:
        _only(kind, payload, ["kind", "subject"])
        if "kind" not in payload:
            raise BadInput(
                "It is not said which kind of insight.",
                hint=f"There are: {', '.join(sorted(insight_kinds()))}.",
            )
        of = insight_kind(str(payload["kind"]))
        if payload.get("subject") is not None:
            of.check_subject(str(payload["subject"]))
        return insight.KIND, payload
    if kind == replay.KIND:
        _only(kind, payload, list(replay.Wanted.__struct_fields__))
        replay.check(_replay(payload))
        return kind, payload
    if kind == extract.KIND:
        _only(kind, payload, [])
        return kind, payload
    kinds = [SYNC, insight.KIND, replay.KIND, extract.KIND, *insight_kinds(), *sync_kinds()]
    raise unknown_kind(kind, kinds)


def _only(kind: str, payload: dict[str, Any], fields: list[str]) -> None:
    strange = sorted(set(payload) - set(fields))
    if strange:
        raise BadInput(
            f"A job of kind {kind} is given no {one_line(strange[0])!r}.",
            hint=f"It takes: {', '.join(fields)}." if fields else "It takes nothing.",
        )


def _replay(payload: dict[str, Any]) -> replay.Wanted:
    try:
        return msgspec.convert(payload, replay.Wanted)
    except msgspec.ValidationError as error:
        raise BadInput(
            f"A replay cannot be asked for so: {one_line(str(error))}.",
            hint="docs/reference/http.md says what /api/replay takes.",
        ) from None


def run(connection: Connection, row: ScheduleRow, instant: datetime | None) -> list[JobRow]:
    """Make the jobs of a schedule for this moment, or because somebody has asked (None); a job that
    is under way already answers itself. Raises HeadraceError where they cannot be made."""
    return _MAKERS[row["kind"]](connection, row, instant)


def run_now(connection: Connection, row: ScheduleRow) -> list[JobRow]:
    """Make the jobs of a schedule because somebody asks. Raises BadInput."""
    if row["connection_id"] is None:
        return run(connection, row, None)
    source = connections.get(connection, row["connection_id"])
    assert source is not None, "connections are not removed"
    if source["health"] in ("paused", "needs_reauth"):
        raise BadInput(
            f"The connection {source['name']} cannot be synced: {source['health']}.",
            hint=source["health_hint"] or "Resume it.",
        )
    return [intake.submit_sync(connection, source)]


def _syncs(connection: Connection, row: ScheduleRow, instant: datetime | None) -> list[JobRow]:
    """Of every connection that there is; those that have a job under way get no other."""
    named = row["payload"].get("provider")
    values = {"tenant": row["tenant_id"], "user": row["key_user"], "provider": named}
    sources = connection.execute(query("schedules", "sources"), values).fetchall()
    wanted = []
    for source in sources:
        try:
            wanted.append((source, provider(source["provider"]).kind))
        except HeadraceError:
            continue  # a sync of its own says so
    made_of = key(row, instant)
    width = spread(schedules.beat(row).spec, row["jitter"], sync=True)
    width = width if row["jitter"] is not None else min(width, TOGETHER_SECONDS)
    begin = instant and max(instant, row["now"])
    later = [_later(source, begin, width) for source, _ in wanted]
    keys = [made_of and f"{made_of}:{source['connection_id']}" for source, _ in wanted]
    return jobs.submit_syncs(connection, wanted, keys=keys, not_before=later)


def _later(source: ScheduleRow, begin: datetime | None, width: int) -> datetime | None:
    """Each connection somewhat later, always by the same: they are not all asked at once."""
    shift = phase(source["connection_id"], width)
    return begin + timedelta(seconds=shift) if begin is not None and shift else None


def _insights(connection: Connection, row: ScheduleRow, instant: datetime | None) -> list[JobRow]:
    """One of a week is about the week before its moment, however late that is made up for."""
    kind, subject = row["payload"]["kind"], row["payload"].get("subject")
    if subject is None and instant is not None and insight_kind(kind).when == "week":
        subject = week_before(instant)
    wish = insight.Wish(kind, subject)
    owner = (row["tenant_id"], row["user_id"])
    return [insight.submit(connection, *owner, [wish], idempotency_key=key(row, instant))[0]]


def _replays(connection: Connection, row: ScheduleRow, instant: datetime | None) -> list[JobRow]:
    del instant  # the same that is under way answers itself
    wanted = _replay(row["payload"])
    owner = (row["tenant_id"], row["user_id"])
    return [replay.submit(connection, *owner, wanted, of_user=row["key_user"])]


def _extracting(connection: Connection, row: ScheduleRow, instant: datetime | None) -> list[JobRow]:
    del instant
    return [extract.submit(connection, row["tenant_id"], row["user_id"])]


_MAKERS: dict[str, Callable[[Connection, ScheduleRow, datetime | None], list[JobRow]]] = {
    SYNC: _syncs,
    insight.KIND: _insights,
    replay.KIND: _replays,
    extract.KIND: _extracting,
}
