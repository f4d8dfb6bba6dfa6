"""What tests and demos steer a twin with; none of it needs a token or counts as a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from headrace.twin.github.changes import AnyChange
from headrace.twin.github.devices import Devices
from headrace.twin.github.render.people import Site
from headrace.twin.github.rules import CallRule
from headrace.twin.github.truth import truth
from headrace.twin.message import Answer, Refused, Request, answer_json

if TYPE_CHECKING:
    from headrace.twin.github.service import GitHub


class _Part(msgspec.Struct, forbid_unknown_fields=True):
    """Part of a body: a misspelt key is refused, not ignored."""


class _Clock(_Part):
    advance_s: Annotated[int, Meta(ge=0)]


class _Approve(_Part):
    user_code: str
    deny: bool = False


class _Revoke(_Part):
    token: str


class _At(_Part):
    call: str
    n: Annotated[int, Meta(ge=1)] = 1


class _During(_Part):
    at: _At
    changes: tuple[AnyChange, ...]


@dataclass(slots=True)
class _Pending:
    call: str
    left: int
    changes: tuple[AnyChange, ...]


class Admin:
    """The routes below /admin, /truth and /health."""

    def __init__(self, github: GitHub, devices: Devices, graphql: list[Any]) -> None:
        self._github = github
        self._devices = devices
        self._graphql = graphql
        self._pending: list[_Pending] = []
        self._routes: dict[str, tuple[str, Callable[[Request], Any]]] = {
            "/health": ("GET", lambda _: {"status": "ok"}),
            "/truth": ("GET", self._truth),
            "/admin/stats": ("GET", lambda _: github.stats.shape()),
            "/admin/clock": ("POST", self._advance),
            "/admin/change": ("POST", self._change),
            "/admin/during": ("POST", self._set_during),
            "/admin/faults": ("POST", self._set_faults),
            "/admin/graphql": ("POST", self._script_graphql),
            "/admin/approve": ("POST", self._approve),
            "/admin/revoke": ("POST", self._revoke),
        }

    def answer(self, request: Request) -> Answer:
        """Raises Refused for what makes no sense."""
        method, route = self._routes.get(request.path, ("", None))
        if route is None:
            raise Refused(404, f"There is no {request.path} here.")
        if request.method != method:
            raise Refused(405, f"{method} only.", headers={"Allow": method})
        return answer_json(route(request))

    def due(self, call: str) -> list[tuple[AnyChange, ...]]:
        """The changes that happen right before this call, which is counted."""
        due = []
        for pending in self._pending:
            pending.left -= pending.call == call
            if not pending.left:
                due.append(pending.changes)
        self._pending = [pending for pending in self._pending if pending.left]
        return due

    def _truth(self, request: Request) -> dict[int, Any]:
        """All repositories by number, or the one of `repository`."""
        site = Site("", self._github.world.organization)
        only = request.query.get("repository")
        return {
            number: truth(site, row)
            for number, row in self._github.world.repositories.items()
            if only in (None, str(number))
        }

    def _advance(self, request: Request) -> dict[str, int]:
        return {"now": self._github.clock.advance(request.read(_Clock).advance_s)}

    def _change(self, request: Request) -> dict[str, Any]:
        return {"changes": self._github.change(*request.read(tuple[AnyChange, ...]))}

    def _set_during(self, request: Request) -> dict[str, int]:
        """The n-th such call is counted from here."""
        during = request.read(_During)
        self._pending.append(_Pending(during.at.call, during.at.n, during.changes))
        return {"pending": len(self._pending)}

    def _set_faults(self, request: Request) -> dict[str, int]:
        rules = request.read(tuple[CallRule, ...])
        self._github.set_faults(rules)
        return {"rules": len(rules)}

    def _script_graphql(self, request: Request) -> dict[str, int]:
        self._graphql[:] = request.read(list[Any])
        return {"answers": len(self._graphql)}

    def _approve(self, request: Request) -> dict[str, str]:
        approve = request.read(_Approve)
        self._devices.decide(approve.user_code, deny=approve.deny)
        return {"status": "ok"}

    def _revoke(self, request: Request) -> dict[str, str]:
        self._github.tokens.revoke(request.read(_Revoke).token)
        return {"status": "ok"}
