"""Everything once, every change, and nothing that is not there any more."""

from __future__ import annotations

from tests.github.conftest import Open


async def test_everything_once(open_hub: Open) -> None:
    """A first sync has all there is of every kind; the next one finds nothing new."""
    hub = await open_hub(repositories=2, issues=12)
    await hub.synced()
    assert hub.live() == hub.truth()
    before = hub.versions()
    await hub.synced()
    assert hub.versions() == before
