"""A source whose records change: every version is kept once, however often the process dies."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.crash.rounds import rounds
from tests.crash.world import World

POINTS = ("copied", "before-ack", "acknowledged", "after-commit", "in-stage", "after-stage")


def test_versions_are_exactly_those_of_the_source(worlds: Callable[..., World]) -> None:
    """Covers X9, X11, R3: a walk at revision 0, and one at revision 1 that is killed on its way.
    What was edited has versions 1 and 2, the rest version 1, and the newest is shown."""
    for number in rounds(1, 10):
        random = Random(number)
        world = worlds(total=8_000, edits=0.3)
        world.ends(0)
        world.source.revise(1)
        for _ in range(2):
            world.may_die(f"{random.choice(POINTS)}:{random.randint(1, 2)}")
        world.ends(0, 1)
