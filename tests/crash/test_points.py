"""Every named point: the process dies there by SIGKILL, starts again, and nothing is amiss."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from tests.crash.rounds import long_run, rounds
from tests.crash.world import World

from headrace import crashpoints
from headrace.crashpoints import POINTS

LIFE = (
    "registered:1", "launched:1", "begun:1", "planned:1", "claimed:1", "copied:1", "before-ack:2",
    "before-recover:1", "acknowledged:1", "after-recover:1", "before-stage:1", "in-stage:1",
    "after-stage:2", "before-commit:2", "after-commit:1", "between-legs:1", "before-conclude:1",
    "in-conclude:1", "after-conclude:1",
)  # fmt: skip
"""One job's life with a death at every point on its way, the start of the next one included."""

ELSEWHERE = {
    *("upgraded", "restarted", "points-put", "before-notify", "after-notify"),
    *("entries-taken", "completions-told", "texts-embedded", "webhook-sent"),
    *("before-replay", "replay-noted", "before-hand-over", "fired", "moved"),
    *("in-alarm", "alarmed", "message-claimed", "message-sent"),
}
"""Points that a plain sync does not pass; tests of their own die there."""


def test_every_point_is_passed_somewhere_and_in_the_list() -> None:
    """A point that nobody passes proves nothing; one that is not in the list is never tried."""
    source = Path(crashpoints.__file__).parent
    text = "".join(file.read_text(encoding="utf-8") for file in source.rglob("*.py"))
    assert sorted(re.findall(r'(?<!\w)mark\("([^"]+)"\)', text)) == sorted(POINTS)


def test_a_point_that_is_not_there_is_refused() -> None:
    """A misspelt name would let a test wait for ever."""
    environment = {**os.environ, "HEADRACE_CRASH": "befor-commit"}
    command = [sys.executable, "-c", "import headrace.crashpoints"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "There is no crash point 'befor-commit'" in ended.stderr


def test_one_job_survives_a_death_at_every_point(worlds: Callable[..., World]) -> None:
    """Covers A2.16, A2.27, A2.28, A2.34, A4.16, R16, X11: nineteen deaths in one job's life, and
    the source is asked again for nothing but what had not been committed."""
    assert {one.split(":")[0] for one in LIFE} == POINTS.keys() - ELSEWHERE
    world = worlds(total=30_000, latency_ms=8)
    for point in LIFE:
        world.dies(point)
    world.ends()


@long_run
def test_deaths_in_any_order(worlds: Callable[..., World]) -> None:
    """Covers A2.27, A2.28, R16: points and passings drawn at random, one death after another, so
    that the second often comes while the first is being made good."""
    points = sorted(POINTS.keys() - ELSEWHERE)
    for number in rounds(1, 4):
        random = Random(number)
        world = worlds(total=12_000)
        for _ in range(3):
            world.may_die(f"{random.choice(points)}:{random.randint(1, 3)}")
        world.ends()


@pytest.mark.parametrize("point", ["between-legs:1", pytest.param("before-ack:3", marks=long_run)])
def test_parts_that_are_walked_side_by_side(worlds: Callable[..., World], point: str) -> None:
    """Covers A2.42, R16: four parts of a stream, each with a checkpoint of its own. A part that was
    done is not walked again by whoever takes the job over."""
    world = worlds(slices=4)
    world.dies(point)
    world.ends()
