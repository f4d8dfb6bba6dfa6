"""A worker that is killed: what it had committed stays, and the next one goes on there."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.gmail.box import Box

Open = Callable[..., Awaitable["Box"]]


async def work(box: Box, url: str, crash: str) -> int:
    """A worker's exit code."""
    environment = {**os.environ, "HEADRACE_CRASH": crash}
    twin, connection = box.settings.gmail_base_url, box.connection["connection_id"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.gmail.worker", url, twin, connection, env=environment
    )
    return await process.wait()


async def test_a_worker_is_killed_again_and_again(open_box: Open, engine_database: str) -> None:
    """Covers G1, G4, G6, R16: in the first listing, in the changes, in a listing after a gap, and
    right before it would have swept. Commits are a page each: so slow are the pages."""
    box = await open_box({"pause_ms": 450, "items_per_run": None}, messages=160)
    deaths = ["after-commit:1", "before-ack:2"]
    box.during("messages.get", 70, {"do": "delete", "nth": 3}, {"do": "deliver"})
    for crash in deaths:
        assert await work(box, engine_database, crash) == -signal.SIGKILL
    assert await work(box, engine_database, "") == 0
    await asyncio.to_thread(box.stage)
    assert box.shown() == box.truth()
    names = list(box.truth())
    box.touch(*names[:70])
    box.mail.delete(names[80])
    assert await work(box, engine_database, "after-commit:1") == -signal.SIGKILL
    box.mail.delete(names[81])
    box.mail.expire_history()
    assert await work(box, engine_database, deaths[0]) == -signal.SIGKILL
    gone = {name for name, versions in box.versions().items() if versions[-1]}
    assert names[81] not in gone, "a listing that was cut short has swept"
    assert await work(box, engine_database, deaths[1]) == -signal.SIGKILL
    assert await work(box, engine_database, "") == 0
    await asyncio.to_thread(box.stage)
    assert box.shown() == box.truth()
