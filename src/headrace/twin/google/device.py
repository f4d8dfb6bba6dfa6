"""POST /device/code and what becomes of it (RFC 8628): consent given on another device."""

from __future__ import annotations

from dataclasses import dataclass, field

from headrace.twin.google.accounts import Account
from headrace.twin.google.clock import Clock
from headrace.twin.google.form import needed
from headrace.twin.google.grants import Grants
from headrace.twin.google.options import Options
from headrace.twin.google.problem import OAuthProblem
from headrace.twin.google.scopes import DEVICE, granted, unknown
from headrace.twin.message import Refused

_TTL_S = 1_800
_INTERVAL_S = 5
_LETTERS = "BCDFGHJKLMNPQRST"


@dataclass
class Pending:
    """A device waiting for its owner. `account` is who has allowed it, `denied` if nobody will."""

    user_code: str
    wanted: str
    expires_at: float
    asked_at: float = field(default=-1e18)
    account: Account | None = None
    denied: bool = False


class Devices:
    """The devices that wait."""

    def __init__(self, options: Options, clock: Clock, grants: Grants) -> None:
        self._options = options
        self._clock = clock
        self._grants = grants
        self._waiting: dict[str, Pending] = {}

    def start(self, form: dict[str, str]) -> dict[str, object]:
        """A new pair of codes. Raises OAuthProblem (invalid_client, invalid_scope)."""
        if needed(form, "client_id") != self._options.client_id:
            raise OAuthProblem("invalid_client", "The OAuth client was not found.", 401)
        wanted = needed(form, "scope")
        outside = set() if self._options.device_any_scope else set(wanted.split()) - DEVICE
        if strange := sorted({*unknown(wanted), *outside}):
            raise OAuthProblem("invalid_scope", f"Invalid device flow scope: {strange[0]}")
        code = self._grants.secret("AH-1")
        letters = "".join(_LETTERS[int(digit, 16)] for digit in self._grants.secret("")[:8])
        pending = Pending(f"{letters[:4]}-{letters[4:]}", wanted, self._clock.now() + _TTL_S)
        self._waiting[code] = pending
        return {
            "device_code": code,
            "user_code": pending.user_code,
            "expires_in": _TTL_S,
            "interval": _INTERVAL_S,
            "verification_url": "https://www.google.com/device",
        }

    def decide(self, user_code: str, account: Account | None) -> None:
        """What the owner does on the other device; None: refuses. Raises Refused (404)."""
        for pending in self._waiting.values():
            if pending.user_code == user_code:
                pending.account, pending.denied = account, account is None
                return
        raise Refused(404, f"No device waits with {user_code}.")

    def take(self, code: str) -> tuple[Account, frozenset[str]]:
        """Who has allowed a device what; good once. Raises OAuthProblem while that is open."""
        pending = self._waiting.get(code)
        if pending is None:
            raise OAuthProblem("invalid_grant", "Malformed auth code.")
        now = self._clock.now()
        too_soon = now < pending.asked_at + _INTERVAL_S
        pending.asked_at = now
        if pending.expires_at <= now:
            raise OAuthProblem("expired_token", "The device code has expired.")
        if pending.denied:
            raise OAuthProblem("access_denied", "Forbidden", 403)
        if pending.account is None:
            if too_soon:
                raise OAuthProblem("slow_down", "Forbidden", 403)
            raise OAuthProblem("authorization_pending", "Precondition Required", 428)
        del self._waiting[code]
        return pending.account, granted(pending.wanted, pending.account.ticked)
