"""Named points at which the crash suite kills the process: `HEADRACE_CRASH=before-commit:3`.

The number says at which passing. Unset, as ever outside that suite, a point costs one comparison.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

_WANTED, _, _NTH = os.environ.get("HEADRACE_CRASH", "").partition(":")
_passed: Counter[str] = Counter()


def mark(point: str) -> None:
    """Die here, by SIGKILL, if this is the point and the passing that was asked for."""
    if point != _WANTED:
        return
    _passed[point] += 1
    if _passed[point] == int(_NTH or 1):
        os.kill(os.getpid(), signal.SIGKILL)
