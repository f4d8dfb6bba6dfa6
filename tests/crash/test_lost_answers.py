"""Commits that were made and never answered: nobody may take them for failed, or do them again."""

from __future__ import annotations

from collections.abc import Callable

from tests.crash.rounds import long_run, rounds
from tests.crash.wire import Wire, at_random, of_landings
from tests.crash.world import World


def test_landings_whose_answer_is_lost(
    worlds: Callable[..., World], databases: Callable[..., str]
) -> None:
    """Covers X11, R16: the rows are in and the checkpoint has moved, and the process was never
    told. It reads the checkpoint and goes on after them; no page is fetched twice for it."""
    database = databases()
    wire = Wire(database, of_landings(3))
    world = worlds(database=database)
    world.sync(DATABASE_URL=wire.url).succeeds()
    wire.close()
    assert wire.lost == 3
    world.tally.kills += wire.lost
    world.compare(bounded=False)


@long_run
def test_any_commit_whose_answer_is_lost(
    worlds: Callable[..., World],
    databases: Callable[..., str],
) -> None:
    """Covers A2.34, X11: of every commit, the engine's own included, one in six is made and not
    answered. Work that was taken from its queue like that bears the name of a living worker and
    runs nowhere: the worker looks for its own orphans."""
    for number in rounds(1, 20):
        database = databases()
        wire = Wire(database, at_random(1 / 6, seed=number))
        world = worlds(total=30_000, database=database)
        # A command that is hit on its way up says so, in a sentence, and has to be given again.
        wire.armed = False
        running = world.sync(DATABASE_URL=wire.url)
        world.wait(lambda: world.source.requests() > 0)  # noqa: B023 - called at once
        wire.armed = True
        running.succeeds(150)
        wire.close()
        assert wire.lost
        world.tally.kills += wire.lost
        world.compare(bounded=False)
