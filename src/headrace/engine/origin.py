"""Where a batch came from, and whose it is."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from headrace.errors import HeadraceError
from headrace.logs.about import also
from headrace.plugins import steps
from headrace.stage import StreamContext
from headrace.store.database import Connection

_CONTEXT = """
SELECT b.tenant_id, b.user_id, b.stream_id, b.job_id, s.name AS stream, s.content, c.provider,
  c.config, c.addresses, c.connection_id, c.trusted, c.credential,
  s.forgets AND EXISTS (SELECT FROM headrace.raw_events r
    WHERE r.batch_id = b.batch_id AND r.content_hash = '') AS forgetting
FROM headrace.batches b
JOIN headrace.streams s USING (tenant_id, stream_id)
JOIN headrace.connections c USING (tenant_id, connection_id)
WHERE b.batch_id = %s
"""

_CHANGING = """
SELECT EXISTS (SELECT FROM headrace.raw_events WHERE batch_id = %s AND version > 1) AS changing
"""


_LAST_RUN = """
SELECT coalesce(max(version), 0) AS version FROM headrace.stage_runs
WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s AND stage = %(stage)s AND error IS NULL
"""


class Context(msgspec.Struct):
    """A batch's owner and origin, with the sealed credential of that; whether it says of any record
    that it is gone."""

    tenant: str
    user: str
    stream_id: int
    job_id: str
    stream: StreamContext
    forgetting: bool
    connection_id: str
    trusted: bool
    credential: bytes | None

    def keys(self) -> dict[str, Any]:
        """The parameters dead letters are written with."""
        return {
            "tenant": self.tenant,
            "user": self.user,
            "stream_id": self.stream_id,
            "job_id": self.job_id,
        }


def context(connection: Connection, batch_id: int) -> Context:
    """Who owns a batch and where it came from."""
    row = connection.execute(_CONTEXT, [batch_id]).fetchone()
    if row is None:
        raise HeadraceError(f"There is no batch {batch_id}.")
    also(tenantId=row["tenant_id"], userId=row["user_id"], jobId=row["job_id"])
    return Context(
        tenant=row["tenant_id"],
        user=row["user_id"],
        stream_id=row["stream_id"],
        job_id=row["job_id"],
        stream=StreamContext(
            provider=row["provider"],
            stream=row["stream"],
            content=row["content"],
            config=json.dumps(row["config"], sort_keys=True),
            addresses=frozenset(row["addresses"]),
        ),
        forgetting=row["forgetting"],
        connection_id=row["connection_id"],
        trusted=row["trusted"],
        credential=row["credential"],
    )


def alone(connection: Connection, origin: Context, batch_id: int, stage: str) -> bool:
    """Whether the stage must write while no other writes for the stream.

    Whoever deletes must; and whoever changes rows that other stages have made something of, so that
    what they make of the row of before does not come after what they make of the new one.
    """
    if origin.forgetting:
        return True
    content = origin.stream.content
    if not any(stage in (one.name for one in step.lineage) for step in steps(content)[1:]):
        return False
    found = connection.execute(_CHANGING, [batch_id]).fetchone()
    return bool(found and found["changing"])


def last_run(connection: Connection, origin: Context, batch_id: int, stage: str) -> int:
    """The newest version of the stage that has been through the batch; 0 where none has."""
    values = {"tenant": origin.tenant, "batch_id": batch_id, "stage": stage}
    found = connection.execute(_LAST_RUN, values).fetchone()
    return int(found["version"]) if found else 0
