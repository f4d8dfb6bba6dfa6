"""GET /events: from a request to its page, or to whatever the fault rules have made of it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from hmac import compare_digest

from headrace.twin import faults
from headrace.twin.ask import DEFAULT_LIMIT, Ask, read_ask
from headrace.twin.cursors import Cursors
from headrace.twin.distort import distort
from headrace.twin.events import Events
from headrace.twin.ledger import Ledger
from headrace.twin.limits import RequestLimit
from headrace.twin.message import Answer, Refused, Request
from headrace.twin.options import Options
from headrace.twin.page import Envelope, Page
from headrace.twin.script import Script
from headrace.twin.scripted import scripted


class Feed:
    """The events and their pages. `events` and `script` may be exchanged at any time."""

    def __init__(self, options: Options) -> None:
        ttl_s = options.cursor_ttl_s or None
        self.events = Events(options.seed, options.edits, options.revision)
        self.script = Script(options.faults, options.seed)
        self.ledger = Ledger()
        self._total = options.total
        self._key = options.api_key.encode()
        self._latency_ms = options.latency_ms
        self._cursors = Cursors(options.seed, ttl_s)
        self._envelope = Envelope(options.envelope == "documented", ttl_s)
        self._limit = RequestLimit.parse(options.rate_limit) if options.rate_limit else None
        self._used: deque[str] = deque(maxlen=faults.LONGEST_LOOP)

    async def answer(self, request: Request) -> Answer:
        """The page asked for. Its request is in the ledger before anything is sent."""
        self._used.append(request.query.get("cursor", ""))
        ask: Ask | Refused
        try:
            ask = read_ask(request.query, self._cursors, self._total)
        except Refused as refused:
            ask = refused
        wrong = self.script.next(ask.page if isinstance(ask, Ask) else range(0))
        answer, rows = self._made(request, ask, wrong)
        answer.delivery = next((x for x in wrong if isinstance(x, faults.Delivery)), None)
        self.ledger.write(
            offset=ask.walk.at if isinstance(ask, Ask) else None,
            limit=ask.limit if isinstance(ask, Ask) else DEFAULT_LIMIT,
            status=0 if faults.is_silent(answer.delivery) else answer.status,
            rows=rows,
            faults=[faults.kind(fault) for fault in wrong],
        )
        late_ms = self._latency_ms + sum(x.ms for x in wrong if isinstance(x, faults.Delay))
        if late_ms:
            await asyncio.sleep(late_ms / 1_000)
        return answer

    def _made(
        self, request: Request, ask: Ask | Refused, wrong: Sequence[faults.Fault]
    ) -> tuple[Answer, int]:
        """The answer, and the number of rows in it: scripted, refused or a page, in this order."""
        for fault in wrong:
            if isinstance(fault, faults.AnswerWith):
                return scripted(fault), 0
        try:
            headers = self._admit(request)
        except Refused as refused:
            return refused.answer, 0
        if isinstance(ask, Refused):
            ask.answer.headers.update(headers)
            return ask.answer, 0
        page = self._page(ask, wrong)
        number = self.ledger.requests + 1
        parts = self._envelope.wrap(page, limit=ask.limit, total=ask.walk.total, request=number)
        return Answer(parts, headers=headers), page.returned

    def _admit(self, request: Request) -> dict[str, str]:
        """Check key and rate. Returns the headers of the limit. Raises Refused (401, 429)."""
        key = request.headers.get("x-api-key", "").encode()
        if self._key and not compare_digest(key, self._key):
            raise Refused(401, "A valid X-API-Key is needed.")
        return self._limit.take() if self._limit else {}

    def _page(self, ask: Ask, wrong: Sequence[faults.Fault]) -> Page:
        indexes = ask.page
        more = indexes.stop < ask.walk.stop
        page = Page(
            pieces=(),
            returned=len(indexes),
            more=more,
            cursor=self._cursors.write(ask.walk.moved(indexes.stop)) if more else None,
        )
        in_page = [x for x in wrong if isinstance(x, faults.InPage)]
        if in_page:
            here = self._cursors.write(ask.walk)
            distort(page, in_page, self.events, indexes, here=here, used=self._used)
        else:
            page.pieces = list(self.events.joined(indexes.start, indexes.stop))
        return page
