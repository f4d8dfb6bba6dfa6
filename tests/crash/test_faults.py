"""Everything at once: a source that fails at three requests in ten, and a process that dies."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Any

from tests.crash.rounds import rounds
from tests.crash.world import World


def _rule(share: float, **do: Any) -> dict[str, Any]:
    return {"on": {"probability": share}, "do": do}


BAD_DAYS = [
    _rule(0.04, kind="answer", status=429, headers={"Retry-After": "0.05"}),
    _rule(0.04, kind="answer", status=503),
    _rule(0.03, kind="answer", status=500, text="<html>Oops</html>"),
    _rule(0.03, kind="reset"),
    _rule(0.03, kind="reset", keep=0.5),
    _rule(0.03, kind="truncate"),
    _rule(0.02, kind="truncate", how="chunk"),
    _rule(0.03, kind="repeat", what="rows"),
    _rule(0.03, kind="shuffle"),
    _rule(0.02, kind="empty"),
]
"""Three requests in ten go wrong in one of ten ways."""


def test_a_failing_source_and_a_dying_process(worlds: Callable[..., World]) -> None:
    """Covers A2.30, A2.33, A2.35, R1, R3, R8, R10, R16, X11: 429, 5xx, resets, half answers, rows
    twice, shuffled or missing, and SIGKILL in between; every record is there once."""
    for number in rounds(1, 8):
        random = Random(number)
        # Cursors with a date are never alike: an empty page leads to its own place again.
        world = worlds(
            total=5_000, latency_ms=2, seed=number + 1, faults=BAD_DAYS, cursor_ttl_s=600
        )
        for _ in range(2):
            running = world.sync()
            time.sleep(random.uniform(1, 4))
            if running.kill():
                world.tally.kills += 1
        world.sync().succeeds()
        # What repeated rows cost is not asked here: only whether each record is there, once.
        world.compare(bounded=False)
