"""Which calendars of an account are followed: what the config names, or its owner looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.errors import BadInput
from headrace.google.calendar_config import GoogleCalendarConfig
from headrace.provider import Known

LIST = "calendars"
"""The stream of the calendars themselves; every other stream is a calendar, named by its id."""

_AT_ONCE = 1_000


async def followed(
    listed: Mapping[str, Mapping[str, Any]], config: GoogleCalendarConfig, known: Known
) -> Sequence[str]:
    """The calendars to follow of those that are `listed`, and those that are not any longer and
    still have events here. Raises BadInput where none is as the config says."""
    found = [name for name, one in listed.items() if await _follows(one, config, known)]
    gone = [name for name in await with_events(known) if name not in listed]
    if config.calendars and not found and not gone:
        names = ", ".join(str(one.get("summary", one["id"])) for one in listed.values())
        raise BadInput(
            f"The account has no calendar {config.calendars[0]!r}.", hint=f"It has: {names}."
        )
    return [*found, *gone]


async def with_events(known: Known) -> list[str]:
    """The calendars ever listed of which there are events here."""
    found: list[str] = []
    after = ""
    while names := [name for name, _ in await known(LIST, after, _AT_ONCE)]:
        found += [name for name in names if await _has_events(name, known)]
        after = names[-1]
    return found


async def _follows(entry: Mapping[str, Any], config: GoogleCalendarConfig, known: Known) -> bool:
    wanted = config.calendars
    if wanted:
        names = {entry["id"], entry.get("summary"), entry.get("summaryOverride")}
        return bool(names & {*wanted}) or (bool(entry.get("primary")) and "primary" in wanted)
    if entry.get("selected") or entry.get("accessRole") == "owner":
        return True
    # What somebody does not look at any more is not begun; what is here stays up to date.
    return await _has_events(str(entry["id"]), known)


async def _has_events(name: str, known: Known) -> bool:
    return bool(await known(name, "", 1))
