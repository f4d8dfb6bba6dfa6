"""The time zone that a browser says it is in. Without scripts it says none: times are in UTC."""

from __future__ import annotations

from datetime import tzinfo
from functools import lru_cache
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from fastapi import Request

COOKIE = "headrace_zone"
_LONGEST = 64


def zone_of(request: Request) -> str:
    """Its name, such as `Europe/Zurich`."""
    asked = unquote(request.cookies.get(COOKIE, ""))
    return asked if asked and known(asked) is not None else "UTC"


@lru_cache(maxsize=256)
def known(name: str) -> tzinfo | None:
    """The zone of that name, where there is one."""
    if len(name) > _LONGEST:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # what is not there, and what is no name at all
        return None


def zone(name: str) -> tzinfo:
    """The zone of a name that `zone_of` gave."""
    return known(name) or ZoneInfo("UTC")
