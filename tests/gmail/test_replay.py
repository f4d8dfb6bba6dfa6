"""A mailbox is replayed without a word to Google."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tests.accounts import TENANT, USER
from tests.gmail.box import STAGE

from headrace.engine import jobs, replay
from headrace.engine.replay import Wanted

if TYPE_CHECKING:
    from tests.gmail.box import Box

Open = Callable[..., Awaitable["Box"]]


def interactions(box: Box) -> list[dict[str, Any]]:
    return box.rows("SELECT * FROM headrace.interactions ORDER BY source_id")


def run(box: Box, **wanted: Any) -> dict[str, Any]:
    """A replay's row, when it is over."""
    with box.database.people(TENANT, USER) as session:
        job_id = str(replay.submit(session, TENANT, USER, Wanted(stage=STAGE, **wanted))["job_id"])
    begun = jobs.begin(box.database, job_id, 1, 10)
    assert begun
    ended = replay.leg(box.database, job_id, 1)
    jobs.conclude(box.database, job_id, 1, begun, ended)
    [row] = box.rows("SELECT * FROM headrace.jobs WHERE job_id = %s", job_id)
    return row


async def test_no_call_is_made(open_box: Open) -> None:
    """Covers A3.31, X9: mail edited and deleted at Google meanwhile; then the tables are tampered
    with, and rebuilt to the last field, while the twin counts not one request."""
    box = await open_box(messages=120)
    await box.synced()
    names = list(box.truth())
    box.touch(*names[:10])
    for name in names[10:13]:
        box.mail.delete(name)
    await box.synced()
    fresh = interactions(box)
    assert box.shown() == box.truth()
    box.rows(
        "UPDATE headrace.interactions SET subject = 'Lies', labels = '{}', people = '[]'"
        " WHERE source_id = ANY(%s) RETURNING 1 AS n",
        names[5:20],
    )
    box.rows("DELETE FROM headrace.interactions WHERE source_id = %s RETURNING 1 AS n", names[30])
    calls = box.calls()
    said = (await asyncio.to_thread(run, box, dry_run=True))["summary"]["findings"]
    assert said["tables"]["interactions"]["added"] == 1
    assert said["tables"]["interactions"]["changed"] == 12
    ended = await asyncio.to_thread(run, box, provider=["gmail"])
    assert ended["status"] == "SUCCEEDED", ended
    assert interactions(box) == fresh
    assert box.calls() == calls
