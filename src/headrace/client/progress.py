"""How far a job is, told as it moves: the events of `/api/jobs/{id}/events`, read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from headrace.client.answers import ClientError, not_ours


@dataclass(frozen=True)
class Progress:
    """A job at one moment. `total` is what its source says there is; `share` (0 to 1) and
    `seconds_left` are told where that is known, `per_second` while it runs. After the one that is
    `last`, the job is over and worked through."""

    job_id: str
    status: str
    fetched: int
    inserted: int
    total: int | None
    share: float | None
    per_second: float | None
    seconds_left: float | None
    last: bool


def read(lines: Iterable[bytes]) -> Iterator[Progress]:
    """What the lines of an event stream tell, to the last of it. Raises ClientError where it ends
    before that, which is temporary: the service has ended, or was out of reach."""
    event, data = "", ""
    for raw in lines:
        line = raw.decode(errors="replace").rstrip("\r\n")
        name, _, value = line.partition(":")
        if name == "event":
            event = value.strip()
        elif name == "data":
            data += value.strip()
        elif not line and data:
            now = _progress(data, last=event == "end")
            yield now
            if now.last:
                return
            event, data = "", ""
    raise ClientError("The service hung up before the job was over.", "Ask again.")


def _progress(data: str, *, last: bool) -> Progress:
    try:
        told: dict[str, Any] = json.loads(data)
        return Progress(
            job_id=str(told["job_id"]),
            status=str(told["status"]),
            fetched=int(told["fetched"]),
            inserted=int(told["inserted"]),
            total=told["total"],
            share=told["share"],
            per_second=told["per_second"],
            seconds_left=told["seconds_left"],
            last=last,
        )
    except (KeyError, TypeError, ValueError):
        raise not_ours() from None
