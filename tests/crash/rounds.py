"""How often, and what only in the long run: HEADRACE_CRASH_ROUNDS says."""

from __future__ import annotations

import os

import pytest

ROUNDS = int(os.environ.get("HEADRACE_CRASH_ROUNDS", "0"))

long_run = pytest.mark.skipif(not ROUNDS, reason="a part of `make crash`")


def rounds(quick: int, share: int) -> range:
    """The numbers, and seeds, of the rounds to go: one in `share` of all in a long run."""
    return range(max(quick, ROUNDS // share))
