"""The consumer group of the stream: read, acknowledged, taken over from the dead, trimmed.

An entry stays pending from when it is read until it is acknowledged, whoever dies in between. What
is trimmed is older than every entry that is still needed, by any group.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import redis

from headrace.errors import HeadraceError
from headrace.redis_streams import DEAD, GROUP, JOBS
from headrace.redis_streams.entry import Entry
from headrace.redis_streams.server import text

AT_ONCE = 500
"""Entries that are read at once, and made jobs of in one transaction."""

_TRIM_AT_ONCE = 1000
_GONE_MS = 3_600_000
"""A consumer that has asked for nothing for an hour and holds nothing is forgotten."""

# In one piece: between a look and a deletion it could read, and what it holds would be deleted too.
_FORGET = """
local gone = 0
for _, one in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local c = {}
  for i = 1, #one, 2 do c[one[i]] = one[i + 1] end
  if c['pending'] == 0 and c['idle'] > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], c['name'])
    gone = gone + 1
  end
end
return gone
"""

# The id of the oldest entry to be kept, or of one on the way. In one piece, for others trim as
# well; and only its id is answered, for entries may be long.
_OLDEST_KEPT = """
local over = redis.call('XLEN', KEYS[1]) - tonumber(ARGV[1])
if over <= 0 then return '' end
local found = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', math.min(over, ARGV[2]) + 1)
return found[#found][1]
"""


class Refused(NamedTuple):
    """An entry that no job can be made of, and why."""

    entry: Entry
    why: HeadraceError


class Read(NamedTuple):
    """Entries, and the ids of those that were deleted before anybody had finished them."""

    entries: list[Entry]
    lost: list[str]


class Group:
    """The group, as one consumer of it. Every method may raise redis.RedisError or OSError."""

    def __init__(self, client: redis.Redis, consumer: str) -> None:
        self._client = client
        self._consumer = consumer

    def make(self) -> bool:
        """Make the stream and the group where they are not there, from the stream's beginning.
        Whether they were not."""
        try:
            self._do("XGROUP", "CREATE", JOBS, GROUP, "0", "MKSTREAM")
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
            return False
        return True

    def own(self) -> Read:
        """What this consumer has read and not acknowledged, oldest first."""
        return self._read("0")

    def new(self, wait_ms: int) -> Read:
        """What nobody has read yet; waits so long for the first."""
        return self._read(">", "BLOCK", wait_ms)

    def claim(self, idle_ms: int) -> Read:
        """Take over what others have read and not acknowledged for so long."""
        entries: list[Entry] = []
        lost: list[str] = []
        start: Any = b"0-0"
        while len(entries) < AT_ONCE:
            asked = (JOBS, GROUP, self._consumer, idle_ms, start, "COUNT", AT_ONCE)
            start, found, *deleted = self._do("XAUTOCLAIM", *asked)
            read = _entries(found)
            entries += read.entries
            lost += [*read.lost, *(text(one) for one in (deleted[0] if deleted else []))]
            if start == b"0-0":
                break
        return Read(entries, lost)

    def done(self, ids: Sequence[str], refused: Sequence[Refused], keep: int) -> None:
        """Acknowledge these, and put those that were refused aside: all of it or nothing, so that
        an entry is either pending or where it belongs."""
        with self._client.pipeline(transaction=True) as pipe:
            for entry, why in refused:
                fields = {
                    "id": entry.id,
                    "type": entry.type,
                    "payload": entry.payload,
                    "reason": why.message,
                    "hint": why.hint,
                }
                pipe.xadd(DEAD, fields, maxlen=keep, approximate=True)  # type: ignore[arg-type]
            all_ = [*ids, *(one.entry.id for one in refused)]
            if all_:
                pipe.xack(JOBS, GROUP, *all_)
                pipe.execute()

    def leave(self) -> None:
        """Be no consumer any more, unless something is pending that others have to take over."""
        if not self._client.xpending_range(JOBS, GROUP, "-", "+", 1, consumername=self._consumer):
            self._do("XGROUP", "DELCONSUMER", JOBS, GROUP, self._consumer)

    def forget_the_gone(self) -> int:
        """Forget consumers that ended long ago and hold nothing; how many."""
        return int(self._do("EVAL", _FORGET, 1, JOBS, GROUP, _GONE_MS))

    def trim(self, keep: int) -> int:
        """Delete the oldest entries that every group has acknowledged, down to `keep` of all; how
        many. A thousand at most."""
        oldest_kept = text(self._do("EVAL", _OLDEST_KEPT, 1, JOBS, keep, _TRIM_AT_ONCE))
        if not oldest_kept:
            return 0
        bound = min(_number(oldest_kept), oldest_needed(self._client))
        return int(self._do("XTRIM", JOBS, "MINID", f"{bound[0]}-{bound[1]}"))

    def _read(self, after: str, *more: Any) -> Read:
        asked = ("GROUP", GROUP, self._consumer, "COUNT", AT_ONCE, *more)
        answer = self._do("XREADGROUP", *asked, "STREAMS", JOBS, after)
        return _entries(answer[0][1] if answer else [])

    def _do(self, *words: Any) -> Any:
        run: Any = self._client.execute_command
        return run(*words)


def oldest_needed(client: redis.Redis) -> tuple[int, int]:
    """The id before which no group needs any entry of the stream: nobody has still to read or to
    acknowledge one of those."""
    needed = []
    for group in client.xinfo_groups(JOBS):
        pending = client.xpending(JOBS, group["name"])
        ms, sequence = _number(text(group["last-delivered-id"]))
        first = pending["min"]
        needed.append(_number(text(first)) if first else (ms, sequence + 1))
    return min(needed, default=(0, 0))


def _number(id_: str) -> tuple[int, int]:
    ms, _, sequence = id_.partition("-")
    return int(ms), int(sequence or 0)


def _entries(found: Any) -> Read:
    entries, lost = [], []
    for id_, fields in found:
        if fields:
            entries.append(Entry(text(id_), fields))
        else:
            lost.append(text(id_))  # an entry has a field: this one is deleted
    return Read(entries, lost)
