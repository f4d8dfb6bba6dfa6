"""The fields that a line may have. One that is not listed is left out, whatever is in it: that
something is no secret is said here, by a person, and not assumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.logs.secrets import cover

LEFT_OUT = "[left out]"

IDS = ("requestId", "jobId", "turn", "batchId", "stage", "tenantId", "userId", "traceId", "spanId")
"""Of what a line is: see `logs.about`."""

FIELDS = frozenset(
    (
        *IDS,
        *("event", "level", "timestamp", "exception"),
        *("itemsFetched", "itemsInserted", "itemsSkipped", "durationMs", "timedOut"),
        *("error", "hint", "attempts", "final", "where", "why", "attempt", "waitSeconds"),
        *("connection", "stream", "share", "perMinute", "note", "kind", "what", "jobsAtOnce"),
        *("executor", "deadExecutor", "handedOver", "ms", "jobs", "left", "stages", "others"),
        *("atMostSeconds", "schema", "known", "workflow", "topic", "due", "scheduleId", "runs"),
        *("connected", "back", "gone", "address", "taken", "refused", "entries", "first"),
        *("connections", "completions", "queue", "oldestSeconds", "afterSeconds", "removed"),
        *("webhookId", "host", "status", "messages"),
        *("incidentId", "rule", "subject", "channel", "answer"),
        # What sources say of themselves: see `provider.Page.notes`.
        *("envelope", "unsafe", "ignored", "edited", "calendar", "poll", "notes"),
    )
)

_MOST = {"exception": 20_000}
_MOST_CHARACTERS = 2_000


def admitted(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they may be written: those that are listed, with secrets covered."""
    return {
        name: _plain(value, _MOST.get(name, _MOST_CHARACTERS)) if name in FIELDS else LEFT_OUT
        for name, value in facts.items()
    }


def _plain(value: Any, most: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        covered = cover(value)  # before it is cut: half a secret would not be known
        return covered if len(covered) <= most else covered[:most] + "…"
    if isinstance(value, list | tuple):
        return [_plain(one, most) for one in value]
    return type(value).__name__


def admit(_logger: Any, _method: str, line: Any) -> Any:
    """The same of a line that is about to be written."""
    return admitted(line)
