"""A worker that is killed between, in and after commits: the next one comes to the truth."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from tests.github.conftest import Open
from tests.github.hub import Hub

from headrace.twin.github.changes import DeleteIssue, ForcePush, Push

WORKER = Path(__file__).with_name("worker.py")
REPO = 1001


async def killed(hub: Hub, url: str, point: str) -> None:
    """A job whose worker dies at a crash point."""
    hub.begin()
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, str(WORKER), url, hub.url, hub.id, hub.job_id),
        env={**os.environ, "HEADRACE_CRASH": point},
    )
    assert await program.wait() == -signal.SIGKILL


@pytest.mark.crash
@pytest.mark.parametrize("point", ["before-commit:3", "copied:2", "after-commit:2"])
async def test_a_killed_worker(open_hub: Open, engine_database: str, point: str) -> None:
    """Covers H1, H8, H10: in a first sync, and in a sweep that finds things gone."""
    kinds = ["issues", "comments", "commits"]
    hub = await open_hub({"kinds": kinds}, issues=250, commits=120)
    await killed(hub, engine_database, point)
    await hub.sync(resume=True)
    assert hub.live() == hub.truth(*kinds)
    hub.change(DeleteIssue(repo=REPO, number=1), ForcePush(repo=REPO, drop=2), Push(repo=REPO))
    await hub.synced()
    hub.later(8 * 86_400)
    # The worker's clock is not the twin's: to it the sweep is due since it never was.
    hub.rows("UPDATE headrace.checkpoints SET cursor = NULL RETURNING 1")
    await killed(hub, engine_database, point)
    await hub.sync(resume=True)
    assert hub.live() == hub.truth(*kinds)
