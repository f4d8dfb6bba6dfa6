"""The DataSync twin as a test sees it from behind: what it holds, and what it was asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.request import Request, urlopen

import msgspec

from headrace.twin.events import Events
from headrace.twin.timeline import BLOCK, BLOCK_MS, START_MS

_SPEC = """\
name: events
base_url: {base}
streams:
  events:
    path: /events
    time: timestamp
    limit: {{value: {page}}}
"""
_SLICES = """\
    slices:
      {{by: time, param_from: since, param_to: until, from: {start}, to: {stop}, count: {count}}}
"""


class Asked(msgspec.Struct):
    """One request as the twin's log has it."""

    request: int
    offset: int | None
    status: int
    rows: int
    faults: list[str]


class Source:
    """A running twin. `edits` is the share of its events that differ at revisions above 0."""

    def __init__(
        self, base: str, *, total: int, page: int, edits: float, seed: int, slices: int
    ) -> None:
        self.base = base
        self.total = total
        self.page = page
        self._edits = edits
        self._seed = seed
        self._slices = slices

    @property
    def spec(self) -> str:
        """The YAML that describes it to `headrace sync`."""
        text = _SPEC.format(base=self.base, page=self.page)
        if self._slices > 1:
            ends = [
                datetime.fromtimestamp((START_MS + i * BLOCK_MS // BLOCK) / 1000, UTC).isoformat()
                for i in (0, self.total)
            ]
            text += _SLICES.format(start=ends[0], stop=ends[1], count=self._slices)
        return text

    def events(self, revision: int) -> dict[str, bytes]:
        """Every event's bytes at a revision, by its id."""
        events = Events(self._seed, self._edits, revision)
        ids = events.ids(0, self.total)
        return dict(zip(ids, events.rows(0, self.total), strict=True))

    def revise(self, revision: int) -> None:
        """Edit the source: from now on it serves another revision."""
        self._post("/admin/revision", {"revision": revision})

    def script(self, rules: list[dict[str, Any]]) -> None:
        """Replace the fault rules."""
        self._post("/admin/faults", rules)

    def asked(self, since: int = 0) -> list[Asked]:
        """The requests after the first `since`, in order."""
        return [one for one in self._stats(10_000)["log"] if one.request > since]

    def requests(self) -> int:
        """How many requests there have been."""
        return int(self._stats(0)["requests"])

    def _stats(self, log: int) -> dict[str, Any]:
        with urlopen(f"{self.base}/admin/stats?log={log}", timeout=10) as answer:
            stats: dict[str, Any] = msgspec.json.decode(answer.read())
        assert len(stats["log"]) in (0, stats["requests"]), "the twin's log has overflowed"
        stats["log"] = msgspec.convert(stats["log"], list[Asked])
        return stats

    def _post(self, path: str, body: Any) -> None:
        request = Request(self.base + path, msgspec.json.encode(body), method="POST")
        urlopen(request, timeout=10).close()
