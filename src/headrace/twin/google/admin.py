"""What tests ask of the twin behind the scenes; none of it needs a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from headrace.twin.faults import Rule
from headrace.twin.google.calendar_changes import CalendarChange
from headrace.twin.google.changes import Change, During, change
from headrace.twin.google.clock import rfc3339
from headrace.twin.google.grants import REVOKED
from headrace.twin.google.mail_changes import MailChange
from headrace.twin.google.routes import NAMES
from headrace.twin.message import Answer, Refused, Request, answer_json

if TYPE_CHECKING:
    from headrace.twin.google.service import Google


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A misspelt key is refused, not ignored. No account named: the first one."""

    account: str = ""


class _Advance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    advance_s: Annotated[float, Meta(ge=0)]


class _Grant(_Body, frozen=True):
    scopes: tuple[str, ...] = ()
    offline: bool = True


class _Revoke(_Body, frozen=True):
    cause: str = REVOKED


class _Suspend(_Body, frozen=True):
    how: Literal["suspended", "policy", ""] = "suspended"


class _Consent(_Body, frozen=True):
    scopes: tuple[str, ...] | None = None
    deny: bool = False


class _Device(_Body, frozen=True, kw_only=True):
    user_code: str
    allow: bool = True


class Admin:
    """The routes below `/admin`, `/truth` and `/health`. Each raises Refused with a reason."""

    def __init__(self, google: Google) -> None:
        self._google = google
        self._routes: dict[tuple[str, str], Callable[[Request], object]] = {
            ("GET", "/health"): lambda _: {"status": "ok"},
            ("GET", "/admin/stats"): lambda _: google.ledger.stats(),
            ("POST", "/admin/faults"): self._set_faults,
            ("POST", "/admin/clock"): self._advance,
            ("POST", "/admin/grant"): self._grant,
            ("POST", "/admin/revoke"): self._revoke,
            ("POST", "/admin/suspend"): self._suspend,
            ("POST", "/admin/consent"): self._consent,
            ("POST", "/admin/device"): self._decide,
            ("POST", "/admin/during"): self._during,
        }

    def answer(self, request: Request) -> Answer | None:
        """The answer, or None where the request is none for here."""
        route = self._routes.get((request.method, request.path))
        if route is not None:
            return answer_json(route(request))
        _, first, *rest = [*request.path.split("/"), ""]
        if first not in ("admin", "truth", "health"):
            return None
        where = (request.method, first, rest[0] if rest else "")
        account = self._google.account("/".join(rest[1:]).rstrip("/"))
        if where == ("GET", "truth", "gmail"):
            return answer_json(account.mailbox.truth())
        if where == ("GET", "truth", "calendar"):
            return answer_json(account.calendars.truth())
        if where == ("POST", "admin", "gmail"):
            changes: tuple[Change, ...] = request.read(tuple[MailChange, ...])
        elif where == ("POST", "admin", "calendar"):
            changes = request.read(tuple[CalendarChange, ...])
        else:
            raise Refused(404, f"There is no {request.method} {request.path} here.")
        return answer_json({"done": [change(account, one) for one in changes]})

    def _set_faults(self, request: Request) -> dict[str, Any]:
        """The rules replace those before them, and count requests from here."""
        rules = request.read(tuple[Rule, ...])
        self._google.set_faults(rules)
        return {"rules": len(rules)}

    def _advance(self, request: Request) -> dict[str, Any]:
        self._google.clock.advance(request.read(_Advance).advance_s)
        return {"now": rfc3339(self._google.clock.now())}

    def _grant(self, request: Request) -> dict[str, object]:
        asked = request.read(_Grant)
        account = self._google.account(asked.account)
        return self._google.grant(account.email, asked.scopes, offline=asked.offline)

    def _revoke(self, request: Request) -> dict[str, Any]:
        asked = request.read(_Revoke)
        account = self._google.account(asked.account)
        return {"revoked": self._google.grants.revoke(account.email, asked.cause)}

    def _suspend(self, request: Request) -> dict[str, Any]:
        """`policy`: the domain's administrators refuse the APIs. "": all is well again."""
        asked = request.read(_Suspend)
        account = self._google.account(asked.account)
        account.closed = asked.how
        if asked.how == "suspended":
            self._google.grants.revoke(account.email, "Account has been suspended.")
        return {"closed": asked.how}

    def _consent(self, request: Request) -> dict[str, Any]:
        """What the owner ticks from here on (null: everything), or that they refuse."""
        asked = request.read(_Consent)
        account = self._google.account(asked.account)
        account.ticked = None if asked.scopes is None else frozenset(asked.scopes)
        account.denies = asked.deny
        return {"denies": asked.deny}

    def _decide(self, request: Request) -> dict[str, Any]:
        asked = request.read(_Device)
        account = self._google.account(asked.account)
        self._google.oauth.devices.decide(asked.user_code, account if asked.allow else None)
        return {"allowed": asked.allow}

    def _during(self, request: Request) -> dict[str, Any]:
        during = request.read(During)
        if during.at.call not in NAMES:
            raise Refused(400, f"There is no call {during.at.call}: there are {sorted(NAMES)}.")
        self._google.waiting.add(self._google.account(during.account), during)
        return {"changes": len(during.changes)}
