"""The Google twin: from a request to its answer, or to whatever the fault rules make of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from headrace.errors import BadInput
from headrace.twin import faults
from headrace.twin.google.accounts import Account, Accounts
from headrace.twin.google.admin import Admin
from headrace.twin.google.asks import read_ask
from headrace.twin.google.changes import Waiting
from headrace.twin.google.clock import Clock
from headrace.twin.google.grants import Access, Grants
from headrace.twin.google.ledger import Ledger
from headrace.twin.google.masks import masked
from headrace.twin.google.oauth import OAuth
from headrace.twin.google.options import Options
from headrace.twin.google.problem import Problem, too_little_scope, unauthenticated
from headrace.twin.google.quota import Quota
from headrace.twin.google.routes import NAMES, Found, find
from headrace.twin.google.scopes import granted
from headrace.twin.google.tokens import Tokens
from headrace.twin.google.visit import Call, Visit
from headrace.twin.google.wrong import answer_instead, check_rules, distort
from headrace.twin.message import Answer, Refused, Request, answer_json
from headrace.twin.script import Script
from headrace.twin.server import listening


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[str]:
    """A twin in this event loop: yields its base URL. Raises BadInput if the port is taken."""
    async with listening(Google(options).handle, options.port) as url:
        yield url


class Google:
    """One twin. `handle` answers any request; `account` leads to what tests change.

    Raises BadInput for fault rules that could not fire.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self.clock = Clock()
        self.grants = Grants(options, self.clock)
        self.accounts = Accounts(options, self.clock)
        self.oauth = OAuth(options, self.clock, self.accounts, self.grants)
        self.waiting = Waiting()
        self._gmail = self._quota(options.user_units, options.project_units)
        self._calendar = self._quota(options.user_requests, options.project_requests)
        self.ledger = Ledger(self.grants, self._gmail, self._calendar)
        self._tokens = Tokens(options.seed)
        self._admin = Admin(self)
        try:
            self.set_faults(options.faults)
        except Refused as refused:
            raise BadInput(str(refused), hint="The rules are in --faults.") from None

    def account(self, email: str = "") -> Account:
        """An account by its address, the first one for "". Raises Refused (404)."""
        return self.accounts.need(email)

    def grant(
        self, email: str = "", scopes: Iterable[str] = (), *, offline: bool = True
    ) -> dict[str, object]:
        """Tokens for an account without asking it, as the token endpoint gives them."""
        wanted = granted(" ".join(scopes), None)
        return self.oauth.issue(self.account(email), wanted, offline=offline)

    def set_faults(self, rules: Sequence[faults.Rule]) -> None:
        """These rules and no others, from the next request on. Raises Refused (400)."""
        check_rules(rules, NAMES)
        self._script = Script(rules, self._options.seed)

    async def handle(self, request: Request) -> Answer:
        """The answer to any request; never raises Refused, which is an answer too."""
        try:
            return self._admin.answer(request) or await self._answer(request)
        except Refused as refused:
            return refused.answer

    async def _answer(self, request: Request) -> Answer:
        found = find(request.method, request.path)
        wrong = self._script.next(range(0), found.name)
        self.waiting.before(found.name)
        answer = self._made(request, found, wrong)
        answer.delivery = next((x for x in wrong if isinstance(x, faults.Delivery)), None)
        status = 0 if faults.is_silent(answer.delivery) else answer.status
        self.ledger.write(found.name, status, [faults.kind(fault) for fault in wrong])
        late_ms = self._options.latency_ms
        late_ms += sum(x.ms for x in wrong if isinstance(x, faults.Delay))
        if late_ms:
            await asyncio.sleep(late_ms / 1_000)
        return answer

    def _made(self, request: Request, found: Found, wrong: Sequence[faults.Fault]) -> Answer:
        """A scripted answer in place of the right one, after what it does has been done if late."""
        instead = next((x for x in wrong if isinstance(x, faults.AnswerWith)), None)
        if instead is not None and not instead.late:
            return answer_instead(instead, oauth=found.call is None)
        try:
            answer = self._right(request, found, wrong)
        except Refused as refused:
            answer = refused.answer
        if instead is not None:
            return answer_instead(instead, oauth=found.call is None)
        return answer

    def _right(self, request: Request, found: Found, wrong: Sequence[faults.Fault]) -> Answer:
        match found.name:
            case "auth":
                return self.oauth.ask(request)
            case "token":
                return self.oauth.token(request)
            case "device.code":
                return self.oauth.device_code(request)
            case "revoke":
                return self.oauth.revoke(request)
        access, account = self._authenticated(request)
        if found.call is None:
            return self.oauth.userinfo(access, account)
        self._admit(found, found.call, access, account)
        visit = Visit(
            account=account,
            scopes=access.scopes,
            ids=found.ids,
            tokens=self._tokens,
            clock=self.clock,
            sparse=self._options.sparse,
            sync_ttl_s=self._options.sync_ttl_s,
        )
        body = found.call.run(visit, read_ask(found.call.ask, request))
        if fields := request.query.get("fields"):
            body = masked(body, fields)
        return answer_json(distort(body, wrong))

    def _authenticated(self, request: Request) -> tuple[Access, Account]:
        """Raises Problem (401) without a token that is good."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        access = self.grants.find(token.strip()) if kind.lower() == "bearer" else None
        if access is None:
            raise unauthenticated()
        return access, self.account(access.grant.email)

    def _admit(self, found: Found, call: Call[Any], access: Access, account: Account) -> None:
        """Check what the token is for, and bill the call. Raises Problem (403, 429)."""
        if account.closed == "policy":
            message = "The domain administrators have disabled this API."
            raise Problem(403, "domainPolicy", message)
        if not access.scopes & call.scopes:
            raise too_little_scope()
        user = found.ids.get("userId", "me")
        if user.lower() not in ("me", account.email.lower()):
            raise Problem(403, "forbidden", f"Delegation denied for {account.email}")
        quota = self._gmail if found.is_gmail else self._calendar
        quota.charge(account.email, call.units)
        self.ledger.bill(call.name, call.units)

    def _quota(self, user: int, project: int) -> Quota:
        options = self._options
        return Quota(
            self.clock,
            user=user,
            project=project,
            overdrafts=options.overdrafts,
            ban_s=options.ban_s,
            answers=options.over_budget,
        )
