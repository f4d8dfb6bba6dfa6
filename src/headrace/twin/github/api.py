"""From a request for the API to its answer: who asks, limits, access, the call, validators."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from headrace.twin.github.access import require, sees
from headrace.twin.github.call import Call, Reply
from headrace.twin.github.conditional import is_unchanged, validators
from headrace.twin.github.options import Options
from headrace.twin.github.problem import Problem, forbidden, moved, not_found
from headrace.twin.github.quota import Quota
from headrace.twin.github.render.people import Site
from headrace.twin.github.routes import Found
from headrace.twin.github.rows import Repository
from headrace.twin.github.stats import Stats
from headrace.twin.github.tokens import Caller, Tokens
from headrace.twin.github.world import World
from headrace.twin.message import Answer, Refused, Request

_POINTS_OF_GET, _POINTS_OF_OTHERS = 1, 5
_VERSION = "2022-11-28"


class Api:
    """The calls in `routes`. `graphql` holds the answers that a test has written."""

    def __init__(
        self, options: Options, world: World, tokens: Tokens, quota: Quota, stats: Stats
    ) -> None:
        self.graphql: list[Any] = []
        self._options = options
        self._world = world
        self._tokens = tokens
        self._quota = quota
        self._stats = stats

    def account(self, request: Request) -> str:
        """Whose limits the request counts against; "" are those of nobody in particular."""
        try:
            return self._tokens.caller(request.headers.get("authorization", "")).account
        except Refused:
            return ""

    def answer(self, request: Request, found: Found) -> Answer:
        """The true answer, also where it is a refusal. Everything but a 304 is charged."""
        account, route = self.account(request), found.route
        if not request.headers.get("user-agent"):
            return forbidden("Request forbidden by administrative rules: no User-Agent.").answer
        limited = not (route.free or route.signed)
        try:
            if limited:
                points = _POINTS_OF_GET if route.method == "GET" else _POINTS_OF_OTHERS
                self._quota.admit(account, route.resource, points)
        except Refused as refused:
            answer = refused.answer
        else:
            answer = self._called(request, found)
            if limited and not (answer.status == 304 and account):
                self._quota.charge(account, route.resource)
        if not route.signed:
            answer.headers.update(self._quota.headers(account, route.resource))
        answer.headers["X-GitHub-Api-Version-Selected"] = request.headers.get(
            "x-github-api-version", _VERSION
        )
        return answer

    def _called(self, request: Request, found: Found) -> Answer:
        try:
            authorization = request.headers.get("authorization", "")
            caller = Caller() if found.route.signed else self._tokens.caller(authorization)
            call = self._call(request, found, caller)
            return self._encoded(call, found.route.handler(call))
        except Problem as problem:
            return problem.answer
        except Refused:  # a body that cannot be read says so in DataSync's shape
            return Problem(400, "Problems parsing JSON").answer

    def _call(self, request: Request, found: Found, caller: Caller) -> Call:
        host = request.headers.get("host", "127.0.0.1")
        call = Call(
            name=found.route.name,
            request=request,
            path=request.path,
            parts=found.parts,
            caller=caller,
            site=Site(f"http://{host}", self._options.organization),
            world=self._world,
            options=self._options,
            tokens=self._tokens,
            quota=self._quota,
            graphql=self.graphql,
        )
        if found.of_repository:
            call.repository = self._repository(call, found)
            call.path = f"/repositories/{call.repository.id}{found.rest}"
            require(caller, found.route.permission, call.repository)
        return call

    def _repository(self, call: Call, found: Found) -> Repository:
        """By name, by number, or by a name it had before: Problem (301). Unseen: Problem (404)."""
        if found.repository_id is not None:
            row = self._world.repositories.get(found.repository_id)
        else:
            row = self._world.named(found.full_name)
        before = None if row else self._world.formerly(found.full_name)
        if not sees(call.caller, self._world, row or before):
            raise not_found()
        if before is not None:
            query = f"?{urlencode(call.request.query)}" if call.request.query else ""
            path = f"/repositories/{before.id}{found.rest}"
            raise moved(f"{call.site.base}{quote(path)}{query}")
        assert row is not None
        return row

    def _encoded(self, call: Call, reply: Reply) -> Answer:
        body = msgspec.json.encode(reply.body)
        answer = Answer([body], reply.status, headers=reply.headers)
        if call.caller.kind in ("classic", "oauth"):
            answer.headers["X-OAuth-Scopes"] = ", ".join(call.caller.scopes)
        if call.request.method != "GET":
            return answer
        answer.headers |= validators(call.caller.token, body, reply.modified_s)
        if is_unchanged(call.request, answer.headers["ETag"], reply.modified_s):
            self._stats.not_modified[call.name] += 1
            answer.parts, answer.status = [], 304
        return answer
