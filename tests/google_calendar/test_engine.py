"""The whole way: a job, real workers, one of them killed, and rows that people see."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.accounts import submit
from tests.crash.processes import Commands

from headrace.engine.progress import progress

if TYPE_CHECKING:
    from tests.google_calendar.desk import Desk

Open = Callable[..., Awaitable["Desk"]]


@pytest.fixture
def commands(engine_database: str, tmp_path: Path) -> Iterator[Commands]:
    """Starts `headrace` on the test's database; whatever still runs at its end is killed."""
    made = Commands(tmp_path, engine_database)
    yield made
    made.end()


async def over(desk: Desk, job_id: str) -> None:
    """Wait until the job has ended and its stages are through."""
    end = time.monotonic() + 60

    def settled() -> bool:
        with desk.database.connection() as session:
            return progress(session, job_id).settled

    while not await asyncio.to_thread(settled):
        assert time.monotonic() < end, await desk.rows(
            "SELECT status, last_error FROM headrace.jobs WHERE job_id = %s", job_id
        )
        await asyncio.sleep(0.05)


async def test_a_worker_is_killed_in_the_middle(open_desk: Open, commands: Commands) -> None:
    """Covers C1, C12, A3.39, A3.50, R16: killed between two commits of the listing that follows an
    expired token; another worker goes on with the page's token. Nothing is lost or doubled, what
    was deleted meanwhile is gone, and all of it is shown."""
    desk = await open_desk({"page_size": 10, "pause_ms": 200}, events=68)
    environment = {
        "GOOGLE_CALENDAR_BASE_URL": desk.settings.google_calendar_base_url,
        "GOOGLE_TOKEN_URL": desk.settings.google_token_url,
        "GOOGLE_CLIENT_ID": str(desk.settings.google_client_id),
        "GOOGLE_CLIENT_SECRET": "GOCSPX-twin",
        "HEADRACE_SECRET_KEY": bytes(32).hex(),
    }
    await desk.synced()
    desk.calendars.expire()
    desk.book.cancel(desk.book.nth(40))
    desk.calendars.fill(desk.own, 20)
    job = await asyncio.to_thread(submit, desk.database, desk.connection)
    dying = commands.start("worker", crash="after-commit:4", **environment)
    await asyncio.to_thread(dying.dies, "after-commit:4")
    worker = commands.start("worker", **environment)
    await over(desk, job)
    worker.kill()  # it would take up the next job as well, which is walked here
    await desk.in_step()
    # What the workers' batches brought has been through the stage; what came before, not yet.
    assert set(await desk.shown()) == {name for one in (await desk.live()).values() for name in one}
