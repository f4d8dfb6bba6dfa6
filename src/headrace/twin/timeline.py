"""When event i happened: arithmetic alone, the same for every seed, strictly increasing.

Every 100 events span five minutes, which is a whole number of minutes and of 100 seconds. So the
text of a timestamp, ISO 8601 or Unix milliseconds, is a prefix the block decides and a tail that
only the place in the block decides: nothing is formatted per event.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from operator import itemgetter

BLOCK = 100
"""Events per block, the unit everything is made in."""

_STEP_MS = 3_000
BLOCK_MS = BLOCK * _STEP_MS
START_MS = 1_735_689_600_000
"""2025-01-01T00:00:00Z. Three million events later it is the middle of April."""

# A step plus a jitter smaller than a step: uneven, and yet no two alike and none out of order.
_OFFSETS_MS = tuple(row * _STEP_MS + row * 7_919 % _STEP_MS for row in range(BLOCK))
# The original mixes both forms within one page; a reader has to tell them apart row by row.
_IS_ISO = tuple(row * 37 % 100 < 60 for row in range(BLOCK))

_MINUTES = BLOCK_MS // 60_000
_HUNDREDS = BLOCK_MS // 100_000
_prefix_of_row = itemgetter(
    *(
        offset // 60_000 if iso else _MINUTES + offset // 100_000
        for offset, iso in zip(_OFFSETS_MS, _IS_ISO, strict=True)
    )
)

TAILS = tuple(
    b'%02d.%03dZ"' % divmod(offset % 60_000, 1_000) if iso else b"%05d" % (offset % 100_000)
    for offset, iso in zip(_OFFSETS_MS, _IS_ISO, strict=True)
)
"""The end of each row's timestamp, as JSON text."""


def prefixes(block: int) -> tuple[bytes, ...]:
    """The beginning of the timestamp of each of the block's rows, as JSON text."""
    start_s = (START_MS + block * BLOCK_MS) // 1_000
    choices = [
        time.strftime('"%Y-%m-%dT%H:%M:', time.gmtime(start_s + 60 * minute)).encode()
        for minute in range(_MINUTES)
    ]
    choices += [b"%d" % (start_s // 100 + hundred) for hundred in range(_HUNDREDS)]
    chosen: tuple[bytes, ...] = _prefix_of_row(choices)
    return chosen


def occurred_ms(index: int) -> int:
    """Unix milliseconds of event `index`."""
    block, row = divmod(index, BLOCK)
    return START_MS + block * BLOCK_MS + _OFFSETS_MS[row]


def first_index_at(ms: int) -> int:
    """The first event at or after this instant in Unix milliseconds; 0 for anything earlier."""
    block, rest_ms = divmod(ms - START_MS, BLOCK_MS)
    return max(0, block * BLOCK + bisect_left(_OFFSETS_MS, rest_ms))
