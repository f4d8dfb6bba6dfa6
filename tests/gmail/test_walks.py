"""Rules G1 to G9: every message once, every change, and nothing that is not there any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.gmail.box import Box

Open = Callable[..., Awaitable["Box"]]


async def test_everything_once(open_box: Open) -> None:
    """Covers A1.3, A1.4: listed, fetched, shown; a second sync finds nothing new."""
    box = await open_box()
    await box.synced()
    assert box.shown() == box.truth()
    assert len(box.shown()) > 100
    before = box.calls()
    await box.synced()
    print(before, box.calls(), box.cursor())
