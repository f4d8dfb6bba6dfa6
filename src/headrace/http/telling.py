"""What answers say of an allowance, told on to those who share it, once an exchange is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from headrace.http import waits
from headrace.provider import Heard, Standing

Limited = Callable[[float], Awaitable[None]]
"""Is told for how many seconds the origin wants to be left alone."""


class Telling:
    """Keeps what has not been told. Nothing is kept for whom nobody listens."""

    def __init__(self, limited: Limited | None, heard: Heard | None) -> None:
        self._limited = limited
        self._heard = heard
        self._wait = 0.0
        self._standing: Standing | None = None
        self._refused = False

    def answered(self, headers: Mapping[str, str], now: float) -> None:
        """An answer has come, at `now` (seconds since 1970)."""
        if self._heard is not None:
            self._standing = waits.standing(headers, now) or self._standing

    def refused(self, headers: Mapping[str, str]) -> None:
        """It refuses for the rate of requests."""
        self._refused = not waits.exhausted(headers)

    def wait(self, seconds: float) -> None:
        """The origin wants to be left alone for so long."""
        self._wait = max(self._wait, seconds)

    async def tell(self) -> None:
        """Tell it."""
        wait, self._wait = self._wait, 0.0
        if wait and self._limited is not None:
            await self._limited(wait)
        said, refused = self._standing, self._refused
        self._standing, self._refused = None, False
        if self._heard is not None and (refused or said is not None):
            await self._heard(said, refused)
