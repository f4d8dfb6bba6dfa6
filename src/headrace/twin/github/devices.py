"""The device flow: a device asks again and again until its user has typed in a code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headrace.twin.github.clock import Clock
from headrace.twin.github.tokens import Tokens
from headrace.twin.message import Refused

_TTL_S = 900
_INTERVAL_S = 5


@dataclass(slots=True)
class _Device:
    user_code: str
    scope: str
    expires_s: int
    interval_s: int = _INTERVAL_S
    next_s: int = 0
    verdict: str = "authorization_pending"


class Devices:
    """The devices that wait."""

    ERRORS = (
        "authorization_pending",
        "slow_down",
        "access_denied",
        "expired_token",
        "incorrect_device_code",
    )
    """What `poll` returns in place of a scope."""

    def __init__(self, clock: Clock, tokens: Tokens) -> None:
        self._clock = clock
        self._tokens = tokens
        self._waiting: dict[str, _Device] = {}

    def begin(self, scope: str) -> dict[str, Any]:
        """A device's two codes, and how often it may ask."""
        code = self._tokens.invent("device").removeprefix("device_")
        shown = code[:8].upper()
        device = _Device(f"{shown[:4]}-{shown[4:]}", scope, self._clock.now() + _TTL_S)
        self._waiting[code] = device
        return {
            "device_code": code,
            "user_code": device.user_code,
            "verification_uri": "https://github.com/login/device",
            "expires_in": _TTL_S,
            "interval": _INTERVAL_S,
        }

    def decide(self, user_code: str, *, deny: bool) -> None:
        """What the user answers. Raises Refused (404) for a code nobody was shown."""
        for device in self._waiting.values():
            if device.user_code == user_code:
                device.verdict = "access_denied" if deny else ""
                return
        raise Refused(404, f"No device shows {user_code}.")

    def poll(self, code: str) -> str:
        """The scope that was granted, once, or one of ERRORS."""
        device, now = self._waiting.get(code), self._clock.now()
        if device is None:
            return "incorrect_device_code"
        if device.expires_s <= now:
            return "expired_token"
        if now < device.next_s:
            device.interval_s += _INTERVAL_S
            device.next_s = now + device.interval_s
            return "slow_down"
        device.next_s = now + device.interval_s
        if device.verdict:
            return device.verdict
        del self._waiting[code]
        return device.scope
