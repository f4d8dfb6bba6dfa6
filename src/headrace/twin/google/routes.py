"""Which method a request is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from headrace.twin.google.calendar import CALLS as CALENDAR
from headrace.twin.google.gmail import CALLS as GMAIL
from headrace.twin.google.problem import Problem
from headrace.twin.google.visit import Call

OAUTH = {
    "auth": ("GET", "/o/oauth2/v2/auth"),
    "token": ("POST", "/token"),
    "device.code": ("POST", "/device/code"),
    "revoke": ("POST", "/revoke"),
    "userinfo": ("GET", "/oauth2/v3/userinfo"),
}
"""The OAuth endpoints by the names that fault rules know them by."""

NAMES = frozenset([*OAUTH, *(call.name for call in GMAIL + CALENDAR)])
"""Every method there is."""


@dataclass(frozen=True)
class Found:
    """A method: of an API, with the names in the path, or an OAuth endpoint (`call` None)."""

    name: str
    call: Call[Any] | None
    ids: Mapping[str, str]

    @property
    def is_gmail(self) -> bool:
        """Whose quota it counts against."""
        return self.call in GMAIL


def find(method: str, path: str) -> Found:
    """Raises Problem (404, 405) where there is nothing."""
    for name, (needed, at) in OAUTH.items():
        if path == at:
            return Found(name, None, {}) if method == needed else _refuse(needed)
    for call in GMAIL + CALENDAR:
        if match := _pattern(call.path).fullmatch(path):
            return Found(call.name, call, match.groupdict()) if method == "GET" else _refuse("GET")
    raise Problem(404, "notFound", f"There is no {path} here.")


def _refuse(needed: str) -> Found:
    raise Problem(405, "httpMethodNotAllowed", f"{needed} only.")


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
