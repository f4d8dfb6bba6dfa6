"""No stranded work: what the tables say is to do is held against what the engine knows of.

A lost trigger delays work until the next sweep, and never loses it. Asking twice does it once,
because the ids of workflows are made of what they do.
"""

from __future__ import annotations

from typing import Any

from headrace import telemetry
from headrace.engine import jobs, lanes, needs, replaced
from headrace.engine.chain import enqueue_stage
from headrace.engine.deadline import TOO_LATE, fail
from headrace.engine.queues import QUEUES, STAGES, is_stage
from headrace.engine.settle import settle
from headrace.engine.swept import Found
from headrace.plugins import stages, wiring
from headrace.store.database import Connection, Database

SWEEP_SECONDS = 10.0
QUIET_SECONDS = 15.0
"""How long a thing must have been still before the sweeper looks into it."""

_LOCK = 0x4852_5357_4545_5001

AT_ONCE = 1000
"""Jobs revived and stage runs enqueued by one sweep, and how many old batches' may wait on the
queue at a time: what has come in just now goes before them, and the queue stays short."""

# A batch lacks a stage when no run of the stage's present version, or a newer one, is written down,
# and no workflow for it, or for a stage that leads to it, is on its way. The ids are those of
# `queues.stage_workflow_id`. A batch that is old has waited long, or has come to a new version of
# the stage: it can wait until there is nothing else to do.
_STRANDED = """
SELECT b.batch_id, n.stage, n.version, w.tried,
  b.committed_at < now() - interval '10 minutes' AS old
FROM headrace.batches b
JOIN headrace.streams s USING (tenant_id, stream_id)
JOIN unnest(%(stages)s::text[], %(versions)s::int[], %(contents)s::text[], %(befores)s::text[],
    %(lineages)s::text[])
  AS n (stage, version, content, befores, lineage) ON n.content = s.content
CROSS JOIN LATERAL (
  SELECT coalesce(max(attempt) FILTER (WHERE step = n.stage || ':' || n.version), 0) AS tried,
    count(*) FILTER (WHERE status IN ('ENQUEUED', 'PENDING', 'DELAYED')) AS under_way
  FROM unnest(string_to_array(n.lineage, ',')) AS on_the_way (step)
  CROSS JOIN LATERAL (
    WITH RECURSIVE asked (attempt, status) AS (
      SELECT 0, ''
      UNION ALL
      SELECT a.attempt + 1, w.status FROM asked a JOIN dbos.workflow_status w ON w.workflow_uuid =
        'stage:' || on_the_way.step || ':' || b.batch_id || ':' || a.attempt + 1)
    SELECT * FROM asked) known) w
WHERE b.inserted > 0 AND b.committed_at < now() - %(quiet)s * interval '1 second'
  AND NOT EXISTS (SELECT 1 FROM headrace.stage_runs r WHERE r.tenant_id = b.tenant_id
    AND r.batch_id = b.batch_id AND r.stage = n.stage AND r.version >= n.version)
  AND NOT EXISTS (SELECT 1 FROM unnest(string_to_array(n.befores, ',')) AS before (step)
    WHERE NOT EXISTS (SELECT 1 FROM headrace.stage_runs r WHERE r.tenant_id = b.tenant_id
      AND r.batch_id = b.batch_id AND r.stage = split_part(before.step, ':', 1)
      AND r.version >= split_part(before.step, ':', 2)::int))
  AND w.under_way = 0
ORDER BY old, b.batch_id LIMIT %(limit)s
"""

_OLD = {"priority": "low", "lane": "reconcile"}
"""The place of old batches: nothing comes after it."""

_WAITING = """
SELECT count(*) AS waiting FROM (SELECT FROM dbos.workflow_status
  WHERE status = 'ENQUEUED' AND queue_name = %(queue)s
    AND priority BETWEEN %(first)s AND %(last)s LIMIT %(limit)s) old
"""

LOOKED_AT = 10_000
"""Unfinished jobs that one sweep looks at; the next one looks at those after them. So a sweep takes
hundredths of a second however many wait, and two hundred thousand are through in some minutes."""

_PAGE_ENDS = """
SELECT created_at, job_id FROM headrace.jobs
WHERE status IN ('PENDING', 'RUNNING') AND (created_at, job_id) > (%(at)s, %(id)s)
ORDER BY created_at, job_id OFFSET %(looked)s - 1 LIMIT 1
"""

_IN_PAGE = """
(j.created_at, j.job_id) > (%(at)s, %(id)s) AND (j.created_at, j.job_id) <= (%(to_at)s, %(to_id)s)
"""

# A job is stalled when it ought to be moving and its turn's workflow is not there, or is over. The
# ids are those of `jobs.workflow_id`.
_STALLED = f"""
SELECT j.tenant_id, j.user_id, j.job_id, j.kind, j.turn, j.priority, j.lane, j.resume_at,
  w.status AS workflow
FROM headrace.jobs j
LEFT JOIN LATERAL (SELECT s.status FROM dbos.workflow_status s
  -- One after the other by the index of the engine's ids, which are not in our ids' collation.
  WHERE s.workflow_uuid =
    (j.job_id || CASE WHEN j.turn = 1 THEN '' ELSE '/' || j.turn END) COLLATE "default"
  LIMIT 1) w ON true
WHERE j.status IN ('PENDING', 'RUNNING') AND {_IN_PAGE}
  -- What has landed waits for its stages, and these are swept; so is what waits for other jobs.
  AND j.landed_at IS NULL AND NOT j.waits
  AND coalesce(j.resume_at, j.started_at, j.created_at) < now() - %(quiet)s * interval '1 second'
  AND (w.status IS NULL OR w.status NOT IN ('ENQUEUED', 'PENDING', 'DELAYED'))
ORDER BY j.job_id LIMIT %(limit)s
"""  # noqa: S608 - of this program's own words

# A job whose workflows keep ending so is failed in the end, as one that keeps failing is.
_REVIVE = """
UPDATE headrace.jobs SET status = 'PENDING', turn = turn + 1, attempts = attempts + 1,
  resume_at = NULL
WHERE job_id = %s AND turn = %s AND status IN ('PENDING', 'RUNNING') RETURNING *
"""

_GIVE_UP = """
UPDATE headrace.jobs SET status = 'FAILED', completed_at = now(),
  last_error = 'Its workflows end without saying how.',
  hint = 'This is a bug worth reporting; what was landed is kept, and a retry goes on from there.'
WHERE job_id = %s RETURNING *
"""


# What takes over from the dead knows them by their row; this is for those who have none any more.
_FORGOTTEN = """
UPDATE dbos.workflow_status s SET status = 'ENQUEUED', owner_xid = NULL, started_at_epoch_ms = NULL
WHERE s.status = 'PENDING' AND s.queue_name = ANY(%(queues)s)
  AND s.updated_at < extract(epoch FROM clock_timestamp()) * 1000 - %(quiet)s * 1000
  AND NOT EXISTS (SELECT FROM headrace.workers w WHERE w.executor_id = s.executor_id)
RETURNING s.workflow_uuid AS id
"""

# A stage that a job waited for may be wanted no more: then nobody else ends the job.
_LANDED = f"""
SELECT j.tenant_id, j.job_id FROM headrace.jobs j
WHERE j.status IN ('PENDING', 'RUNNING') AND {_IN_PAGE}
  AND j.status = 'RUNNING' AND j.landed_at < now() - %(quiet)s * interval '1 second'
ORDER BY random() LIMIT 100
"""  # noqa: S608

_ANY = "SELECT FROM headrace.jobs WHERE status IN ('PENDING', 'RUNNING') LIMIT 1"

# The run itself ends when its time has come; this finds those whose turn waits, and those of a
# process that does not get to it.
_LATE = """
UPDATE headrace.jobs SET status = 'FAILED', completed_at = now(), last_error = %s, hint = %s
WHERE (tenant_id, job_id) IN (SELECT tenant_id, job_id FROM headrace.jobs
  WHERE status IN ('PENDING', 'RUNNING') AND deadline_at < now()
  ORDER BY deadline_at LIMIT 1000 FOR UPDATE SKIP LOCKED) RETURNING *
"""


class Bookmark:
    """How far through the unfinished jobs somebody has looked, in the order in which they were
    made. Lost with the process, which begins again at the oldest."""

    def __init__(self) -> None:
        self._at, self._id = _BEGIN

    def page(self, connection: Connection) -> dict[str, Any]:
        """The next page, as the queries want it: after which job it begins, and with which it
        ends."""
        begin = {"at": self._at, "id": self._id}
        row = connection.execute(_PAGE_ENDS, {**begin, "looked": LOOKED_AT}).fetchone()
        to_at, to_id = _END if row is None else (row["created_at"], row["job_id"])
        return {**begin, "to_at": to_at, "to_id": to_id}

    def move(self, page: dict[str, Any]) -> None:
        """To the end of this page; after the last one, to the beginning."""
        ends = page["to_at"], page["to_id"]
        self._at, self._id = _BEGIN if ends == _END else ends


_BEGIN = ("-infinity", "")
_END = ("infinity", "")


def sweep(
    database: Database, quiet: float = QUIET_SECONDS, bookmark: Bookmark | None = None
) -> tuple[int, int]:
    """Enqueue what is stranded. Returns how many jobs and how many stage runs were. Jobs are looked
    at from the bookmark on, which is moved."""
    found = put_back(database, quiet, bookmark)
    return len(found.jobs), len(found.batches)


def put_back(
    database: Database, quiet: float = QUIET_SECONDS, bookmark: Bookmark | None = None
) -> Found:
    """`sweep`, and which they were: of all tenants."""
    bookmark = bookmark or Bookmark()
    with database.transaction() as connection:
        # Every worker sweeps, and one at a time is enough: it reads all the batches there are.
        mine = connection.execute(
            "SELECT pg_try_advisory_xact_lock(%s) AS mine", [_LOCK]
        ).fetchone()
        if not (mine and mine["mine"]):
            return Found()
        replaced.take_over(connection)
        found = _forgotten(connection, quiet)
        stalled, through = _unfinished(connection, quiet, bookmark)
        found.jobs += stalled
        found.batches += _stages(connection, quiet)
        lanes.move_up(connection, list(QUEUES))
    if through is not None:
        bookmark.move(through)
    if found.jobs or found.batches:
        telemetry.swept(len(found.jobs), len(found.batches))
    return found


def _forgotten(connection: Connection, quiet: float) -> Found:
    values = {"queues": list(QUEUES), "quiet": quiet}
    ids = [row["id"] for row in connection.execute(_FORGOTTEN, values)]
    return Found(
        [one.partition("/")[0] for one in ids if not is_stage(one)],
        [int(one.split(":")[3]) for one in ids if is_stage(one)],
    )


def _unfinished(
    connection: Connection, quiet: float, bookmark: Bookmark
) -> tuple[list[str], dict[str, Any] | None]:
    """End the jobs that are late or only waited for their stages; enqueue those that are stranded.
    Which these were, and the page that is done with."""
    if connection.execute(_ANY).fetchone() is None:
        return [], None  # on an idle machine this is asked all day
    for row in connection.execute(_LATE, TOO_LATE).fetchall():
        fail(connection, row, TOO_LATE)
        telemetry.job_failed(row["job_id"], *TOO_LATE, attempts=row["attempts"], final=True)
    page = bookmark.page(connection)
    for row in connection.execute(_LANDED, {**page, "quiet": quiet}).fetchall():
        settle(connection, row["tenant_id"], row["job_id"])
    stalled = _jobs(connection, page, quiet)
    through = page if len(stalled) < AT_ONCE else None
    return stalled + needs.sweep(connection), through


def _jobs(connection: Connection, page: dict[str, Any], quiet: float) -> list[str]:
    revived = []
    values = {**page, "quiet": quiet, "limit": AT_ONCE}
    for row in connection.execute(_STALLED, values).fetchall():
        if row["workflow"] is None:
            jobs.dispatch(connection, row)
            revived.append(row["job_id"])
            continue
        # The workflow ended without ending its job: a new turn takes it up.
        again = connection.execute(_REVIVE, [row["job_id"], row["turn"]]).fetchone()
        if again is None:
            continue
        if again["attempts"] >= jobs.ATTEMPTS:
            over = connection.execute(_GIVE_UP, [row["job_id"]]).fetchone()
            assert over is not None, "its row was changed a moment ago"
            fail(connection, over, (over["last_error"], over["hint"]))
        else:
            jobs.dispatch(connection, again)
        revived.append(row["job_id"])
    return revived


def _stages(connection: Connection, quiet: float) -> list[int]:
    values = {**wiring(), "quiet": quiet, "limit": AT_ONCE}
    stranded = connection.execute(_STRANDED, values).fetchall()
    first, last = lanes.band(*_OLD.values())
    queued = {"queue": STAGES, "first": first, "last": last, "limit": AT_ONCE}
    waiting = (connection.execute(_WAITING, queued).fetchone() or {})["waiting"] if stranded else 0
    room = max(0, AT_ONCE - waiting)
    old = [row for row in stranded if row["old"]]
    taken = [row for row in stranded if not row["old"]] + old[:room]
    for row in taken:
        place = _OLD if row["old"] else {}
        stage, attempt = stages()[row["stage"]], row["tried"] + 1
        enqueue_stage(connection, stage, row["batch_id"], attempt=attempt, **place)
    return [row["batch_id"] for row in taken]
