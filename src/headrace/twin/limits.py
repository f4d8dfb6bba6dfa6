"""The request limit of the original: so many requests in a window, told in three headers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from headrace.twin.message import Refused


class RequestLimit:
    """At most `requests` in any window of `window_s` seconds; a window opens with a request."""

    def __init__(
        self, requests: int, window_s: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._requests = requests
        self._window_s = window_s
        self._now = now
        self._closes = now()
        self._left = requests

    @classmethod
    def parse(cls, text: str) -> RequestLimit:
        """From `requests/seconds`, such as 10/60."""
        requests, window_s = text.split("/")
        return cls(int(requests), float(window_s))

    def take(self) -> dict[str, str]:
        """Count one request, and return the headers its answer carries.

        `X-RateLimit-Reset` is in seconds remaining, rounded up, as the original has it. Raises
        Refused (429) when the window is used up.
        """
        now = self._now()
        if now >= self._closes:
            self._closes = now + self._window_s
            self._left = self._requests
        reset_s = math.ceil(self._closes - now)
        allowed = self._left > 0
        self._left -= allowed
        headers = {
            "X-RateLimit-Limit": str(self._requests),
            "X-RateLimit-Remaining": str(self._left),
            "X-RateLimit-Reset": str(reset_s),
        }
        if not allowed:
            raise Refused(
                429,
                "Too many requests.",
                headers={**headers, "Retry-After": str(reset_s)},
                rateLimit={"limit": self._requests, "remaining": 0, "reset": reset_s},
            )
        return headers
