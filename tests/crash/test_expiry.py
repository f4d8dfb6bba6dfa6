"""A cursor that expires while the process is dead: the walk begins again, nothing is doubled."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.crash.rounds import long_run
from tests.crash.world import World


@long_run
def test_a_cursor_that_expired_meanwhile(worlds: Callable[..., World]) -> None:
    """Covers R18, R16: killed in mid-walk, away for longer than cursors live, and killed again
    just when the cursor had been given up."""
    world = worlds(total=15_000, cursor_ttl_s=2)
    world.dies("after-commit:1")
    time.sleep(2)
    world.dies("restarted:1")
    world.sync().succeeds()
    world.compare(bounded=False)
