"""All that the GitHub twin answers: the API behind its limits, signing in, and what tests use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from headrace.twin.faults import AnswerWith, Delay, Delivery, is_silent
from headrace.twin.github.admin import Admin
from headrace.twin.github.api import Api
from headrace.twin.github.changes import AnyChange
from headrace.twin.github.clock import Clock
from headrace.twin.github.jwt import read_key
from headrace.twin.github.oauth import OAuth
from headrace.twin.github.options import Options, TokenSpec
from headrace.twin.github.problem import not_found
from headrace.twin.github.quota import Quota
from headrace.twin.github.routes import Found, find
from headrace.twin.github.rules import CallFault, CallScript, adorn, scripted
from headrace.twin.github.seeding import seed_repository
from headrace.twin.github.stats import Stats
from headrace.twin.github.tokens import Tokens
from headrace.twin.github.world import World
from headrace.twin.message import Answer, Refused, Request

SignIn = tuple[str, Callable[[Request], Answer]]
"""The name of a call of the authorization server, and what answers it."""

_MEMBERS = ("grace", "linus")
_ADMIN = ("/admin/", "/truth", "/health")


class GitHub:
    """One twin. `handle` answers any request, `change` does what POST /admin/change does."""

    def __init__(self, options: Options) -> None:
        if options.app_public_key:
            read_key(options.app_public_key)  # raises BadInput now rather than at the first call
        self.clock = Clock(options.frozen_s)
        self.stats = Stats()
        people = (options.login, *_MEMBERS)
        self.world = World(options.seed, self.clock, people, options.organization)
        self.tokens = Tokens(options.seed, self.clock)
        self.script = CallScript(options.faults, options.seed)
        self._options = options
        self._quota = Quota(options, self.clock, self.stats)
        self._oauth = OAuth(options, self.clock, self.tokens, self.stats)
        self._api = Api(options, self.world, self.tokens, self._quota, self.stats)
        self._admin = Admin(self, self._oauth.devices, self._api.graphql)
        _fill(self.world, options)
        for spec in options.tokens or (TokenSpec(token="ghp_twin"),):  # noqa: S106
            self.tokens.add_personal(spec, options.login, self.world)
        self._sign_in: dict[tuple[str, str], SignIn] = {
            ("GET", "/login/oauth/authorize"): ("oauth.authorize", self._oauth.authorize),
            ("POST", "/login/oauth/access_token"): ("oauth.token", self._oauth.exchange),
            ("POST", "/login/device/code"): ("oauth.device", self._oauth.device),
        }

    def change(self, *changes: AnyChange) -> list[dict[str, Any]]:
        """Let these happen, in order; returns what each made. Raises Refused (400) at one that
        cannot be; those before it have happened."""
        return [change.apply(self.world) for change in changes]

    def set_faults(self, rules: Sequence[Any]) -> None:
        """The rules replace those before them, and count requests from here."""
        self.script = CallScript(rules, self._options.seed)

    async def handle(self, request: Request) -> Answer:
        """The answer to any request; never raises Refused, which is an answer too."""
        if request.path.startswith(_ADMIN):
            try:
                return self._admin.answer(request)
            except Refused as refused:
                return refused.answer
        sign_in = self._sign_in.get((request.method, request.path))
        found = None if sign_in else find(request.method, request.path)
        name = sign_in[0] if sign_in else found.route.name if found else "unknown"
        self.stats.calls[name] += 1
        faults = self.script.next(name)
        account = self._api.account(request)
        self._quota.enter(account)
        try:
            answer = self._made(request, name, faults, sign_in, found)
            late_ms = self._options.latency_ms
            late_ms += sum(fault.ms for fault in faults if isinstance(fault, Delay))
            if late_ms:
                await asyncio.sleep(late_ms / 1_000)
        finally:
            self._quota.leave(account)
        return answer

    def _made(
        self,
        request: Request,
        name: str,
        faults: Sequence[CallFault],
        sign_in: SignIn | None,
        found: Found | None,
    ) -> Answer:
        """The answer: scripted, or the true one as the other faults leave it."""
        instead = next((fault for fault in faults if isinstance(fault, AnswerWith)), None)
        try:
            for changes in self._admin.due(name):
                self.change(*changes)
            if instead is not None:
                answer = scripted(instead)
            elif sign_in:
                answer = sign_in[1](request)
            elif found:
                answer = self._api.answer(request, found)
            else:
                raise not_found()
        except Refused as refused:
            answer = refused.answer
        adorn(answer, faults)
        answer.delivery = next((fault for fault in faults if isinstance(fault, Delivery)), None)
        self.stats.statuses[0 if is_silent(answer.delivery) else answer.status] += 1
        self.stats.faults.update(str(type(one).__struct_config__.tag) for one in faults)
        return answer


def _fill(world: World, options: Options) -> None:
    """Repositories by turns: the account's, a private one of the organization, a public one."""
    for number in range(options.repositories):
        seed_repository(
            world,
            options.login if number % 3 == 0 else options.organization,
            f"repo-{number + 1}",
            private=number % 3 == 1,
            issues=options.issues,
            commits=options.commits,
        )
