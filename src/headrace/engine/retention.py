"""Removing what nothing needs any more, after a time that the settings say: a piece at a time.

    retention.look(database, settings)                 # what every worker does now and then
    retention.sweep_out(database, settings, dry=True)  # all at once, or only what it would be

Each subject is passed through in its own order, and the bookmark moves in the transaction that
removes: whoever dies in the middle has lost nothing, and the next one goes on there. One process
does it at a time. A piece that takes long says that the machine is busy, and this can wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from psycopg.sql import SQL, Composed, Identifier

from headrace import telemetry
from headrace.engine.queues import APPLICATION
from headrace.plugins import stages, wiring
from headrace.settings import Settings
from headrace.store.database import Connection, Database
from headrace.store.sql import query

LOOK_SECONDS = 15.0
REST_SECONDS = 3600.0
"""Between two passes through a subject."""
AT_ONCE = 1000
"""Rows that one transaction looks at."""
_WORK_SECONDS = 2.0
_BUSY_SECONDS = 0.5

_LOCK: Final = (0x4852_5245, 1)
_MONTH: Final = 30.0
"""Days for which it is kept which processes there have been."""


class Policy(msgspec.Struct, frozen=True):
    """What is kept of a subject: `days`, None for ever, and of records the newest `versions`."""

    subject: str
    table: str
    days: float | None
    versions: int | None = None

    @property
    def said(self) -> str:
        """The policy in words."""
        if self.days is None:
            return "kept for ever"
        of = f"the newest {self.versions}, and " if self.versions is not None else ""
        return f"kept {self.days:g} days" if not of else f"{of}all of the last {self.days:g} days"


class Removed(msgspec.Struct):
    """What went of a subject, or would go: rows, and about how many bytes."""

    policy: Policy
    rows: int = 0
    bytes: int = 0


def policies(settings: Settings) -> list[Policy]:
    """What is kept, in the order in which it goes: what others hang on comes after them."""

    def days(number: float) -> float | None:
        return number or None

    versions = settings.headrace_keep_versions
    version_days = days(settings.headrace_keep_version_days) if versions else None
    jobs = days(settings.headrace_keep_job_days)
    return [
        Policy("workflows", "dbos.workflow_status", days(settings.headrace_keep_workflow_days)),
        Policy("versions", "raw_events", version_days, versions if version_days else None),
        Policy("letters", "dead_letters", days(settings.headrace_keep_letter_days)),
        Policy("open_letters", "dead_letters", days(settings.headrace_keep_open_letter_days)),
        Policy("batches", "batches", jobs),
        Policy("jobs", "jobs", jobs),
        Policy("workers", "workers", _MONTH),
    ]


def look(database: Database, settings: Settings) -> int:
    """Go on where it stopped, for a moment; how many rows have been removed. Nothing where another
    process does it, or every subject has been passed through a while ago."""
    until = time.monotonic() + _WORK_SECONDS
    removed = 0
    wanted = [policy for policy in policies(settings) if policy.days is not None]
    with database.connection() as connection:
        if not _due(connection, wanted):
            return 0
    with database.alone(*_LOCK) as mine:
        if mine is None:
            return 0
        for policy in _due(mine, wanted):  # another process may have been through meanwhile
            gone, busy = _go_on(mine, policy, until)
            removed += gone
            if busy:
                break
    if removed:
        telemetry.retained(removed)
    return removed


def _due(connection: Connection, wanted: list[Policy]) -> list[Policy]:
    """Those of which a pass is under way, or the last one is long enough ago."""
    asked = {"subjects": [policy.subject for policy in wanted], "rest": REST_SECONDS}
    rows = connection.execute(query("retention", "due"), asked).fetchall()
    due = {row["subject"] for row in rows}
    return [policy for policy in wanted if policy.subject in due]


def _go_on(connection: Connection, policy: Policy, until: float) -> tuple[int, bool]:
    """Go on with a subject. Returns how much was removed, and whether it is time to stop."""
    begun = connection.execute(query("retention", "begin"), {"subject": policy.subject}).fetchone()
    assert begun is not None, "INSERT ... RETURNING answers"
    after, removed = int(begun["bookmark"]), 0
    while True:
        started = time.monotonic()
        with connection.transaction():
            found = _piece(connection, policy, after)
            after = int(found["upto"]) if found["looked"] else 0
            noted = {**found, "upto": after, "subject": policy.subject}
            connection.execute(query("retention", "note"), noted)
        removed += found["removed"]
        if not after:
            return removed, False
        now = time.monotonic()
        if now >= until or now - started > _BUSY_SECONDS:
            return removed, True


def sweep_out(
    database: Database,
    settings: Settings,
    *,
    dry: bool = False,
    told: Callable[[Removed], None] | None = None,
) -> list[Removed]:
    """Pass through every subject now, from its beginning; with `dry`, only say what would go.
    `told` hears of each when it is through."""
    answer = []
    with database.connection() as connection:
        for policy in policies(settings):
            sum_ = Removed(policy)
            after = 0 if policy.days is not None else None
            if after is not None and not dry:
                connection.execute(query("retention", "begin"), {"subject": policy.subject})
            while after is not None:
                with connection.transaction():
                    found = _piece(connection, policy, after, dry=dry)
                    after = int(found["upto"]) if found["looked"] else None
                    if not dry:
                        noted = {**found, "upto": after or 0, "subject": policy.subject}
                        connection.execute(query("retention", "note"), noted)
                sum_.rows += found["removed"]
                sum_.bytes += int(found["bytes"])
            answer.append(sum_)
            if told is not None:
                told(sum_)
    return answer


def standing(connection: Connection) -> dict[str, dict[str, Any]]:
    """Of each subject, when it was last looked at and passed through, and what has gone so far."""
    rows = connection.execute(query("retention", "standing")).fetchall()
    return {row["subject"]: row for row in rows}


def _piece(
    connection: Connection, policy: Policy, after: int, *, dry: bool = False
) -> dict[str, Any]:
    assert policy.days is not None, "what is kept for ever is not looked at"
    values = {
        "after": after,
        "limit": AT_ONCE,
        "before": datetime.now(UTC) - timedelta(days=policy.days),
        "application": APPLICATION,
        "keep": policy.versions,
        **wiring(),
    }
    found = connection.execute(_text(policy.subject, dry=dry), values).fetchone()
    assert found is not None, "an aggregate always answers"
    return found


def _text(subject: str, *, dry: bool) -> Composed:
    act = "gone AS (SELECT FROM doomed)" if dry else query("retention", f"{subject}_go")
    more = {"stands": _stands()} if subject == "versions" else {}
    return SQL(query("retention", subject)).format(act=SQL(act), **more)


_STANDS = SQL(
    "AND NOT EXISTS (SELECT FROM {} t WHERE t.stream_id = v.stream_id"
    " AND t.source_id = v.source_id AND t.tenant_id = v.tenant_id AND t.version = v.version)"
)


def _stands() -> Composed:
    """Whether a row of any table that stages make stands of a version."""
    made = {row.table for one in stages().values() for row in one.rows}
    tables = sorted({*made, "participants", "documents"})
    return SQL(" ").join(_STANDS.format(Identifier("headrace", one)) for one in tables)
