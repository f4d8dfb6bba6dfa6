"""One client for one origin: it asks, paces itself, tries again and gives back whole answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import nullcontext
from typing import TypeVar
from urllib.parse import urlencode, urljoin

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from headrace import telemetry
from headrace.errors import HeadraceError, NeedsHuman, Retry
from headrace.http import body, guard, waits
from headrace.http.answers import Answer, Explain, error_for, is_rate_limit
from headrace.http.policy import Clock, Policy, backoff
from headrace.http.targets import secret_words, target
from headrace.http.telling import Limited, Telling
from headrace.http.transport import error_from
from headrace.provider import Heard
from headrace.text import clean_text

T = TypeVar("T")

Bearer = Callable[[str | None], Awaitable[str]]
"""Gives the access token to send; asked with one that was just refused, another one."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NO_QUERY: Mapping[str, str] = {}


class Client:
    """Asks one origin. Make it inside the running event loop or before; give it back with `aclose`.

    `headers` and `query` go with every request and count as secret, and so do `secrets`: no message
    shows them, and no request that carries them leaves the origin of `base_url`. Raises NeedsHuman
    for a `base_url` that may not be called.

    `bearer` gives the token of each request. A 401 asks it once for another (rule O5), and what it
    raises ends the request. `explain` knows the API's own reasons for refusing. `limited` is told
    of each refusal for the rate of requests that names a wait, and of an allowance that is used up,
    before anything else is asked: others may share it. `heard` is told what answers say of the
    allowance.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] = _NO_QUERY,
        query: Mapping[str, str] = _NO_QUERY,
        secrets: Iterable[str] = (),
        policy: Policy | None = None,
        clock: Clock | None = None,
        resolver: AbstractResolver | None = None,
        bearer: Bearer | None = None,
        explain: Explain | None = None,
        limited: Limited | None = None,
        heard: Heard | None = None,
    ) -> None:
        self.policy = policy or Policy()
        self.clock = clock or Clock()
        try:
            self.base = URL(base_url)
        except ValueError:
            self.base = URL()
        guard.check_base(
            self.base, private_hosts=self.policy.private_hosts, ports=self.policy.ports
        )
        self.host = self.base.host or ""
        self._headers = dict(headers)
        self._query = urlencode(query)
        self.secrets = secret_words([*secrets, *headers.values(), *query.values()])
        self._resolver = resolver
        self._bearer = bearer
        self._explain = explain
        self._telling = Telling(limited, heard)
        self._session: aiohttp.ClientSession | None = None
        at_once = self.policy.at_once
        self._places = nullcontext() if at_once is None else asyncio.Semaphore(at_once)
        self._free_at = 0.0  # steady seconds: when the next request may start

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] = _NO_QUERY,
        headers: Mapping[str, str] = _NO_QUERY,
        json: bytes | None = None,
        form: Mapping[str, str] | None = None,
        allow: Collection[int] = (),
    ) -> Answer:
        """The answer to one request, tried again as the policy says: it must be safe to repeat.

        `url` is a path below `base_url` or an absolute URL of the same origin, such as a next
        link. Answers with a status of 2xx or in `allow` are returned; others raise Retry or
        NeedsHuman. `json` is an encoded body; `form` are fields, sent as a web form.
        """
        return await self.ask(
            method,
            url,
            params=params,
            headers=headers,
            json=json,
            form=form,
            allow=allow,
            parse=_whole,
        )

    async def ask(
        self,
        method: str,
        url: str,
        *,
        parse: Callable[[Answer], T],
        params: Mapping[str, str] = _NO_QUERY,
        headers: Mapping[str, str] = _NO_QUERY,
        json: bytes | None = None,
        form: Mapping[str, str] | None = None,
        allow: Collection[int] = (),
    ) -> T:
        """Like `request`, giving back `parse(answer)`.

        A `Retry` that `parse` raises counts as one more failed attempt: a body that does not
        decode is asked for again (R10).
        """
        target = self.target(url, params)
        if form is not None:
            headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
            json = urlencode(form).encode()
        attempt = 0
        refused: str | None = None
        while True:
            async with self._places:
                await self._turn()
                try:
                    sent = {**headers, **await self._authorization(refused)}
                    answer = await self._exchange(method, target, sent, json)
                    if answer.status in _REDIRECTS and self.policy.redirects:
                        answer = await self._follow(method, answer, sent, json)
                    if answer.status == 401 and self._bearer is not None and refused is None:
                        refused = sent["Authorization"].removeprefix("Bearer ")
                        continue
                    if 200 <= answer.status < 300 or answer.status in allow:
                        return parse(answer)
                    raise self.error(answer)
                except Retry as failure:
                    wait = failure.after or backoff(self.policy, attempt, self.clock)
                    attempt += 1
                    if wait > self.policy.max_wait or attempt > self.policy.retries:
                        raise self._give_up(failure, attempt) from None
                    telemetry.asked_again(failure.message, attempt, wait)
                finally:
                    await self._telling.tell()
            await self.clock.sleep(wait)

    def error(self, answer: Answer) -> HeadraceError:
        """What an answer stands for; also one that was let through by `allow`, after all. A limit
        that was hit holds for the next requests as well."""
        own = self._explain(answer) if self._explain is not None else None
        error = own or error_for(answer, self.clock.wall(), self.secrets)
        if isinstance(error, Retry) and is_rate_limit(answer):
            self._telling.refused(answer.headers)
            if error.after:
                self._pause(error.after)
        return error

    def target(self, url: str, params: Mapping[str, str] = _NO_QUERY) -> URL:
        """The URL to ask. Raises NeedsHuman for one outside the origin of `base_url`."""
        return target(self.base, url, params)

    async def aclose(self) -> None:
        """Close the connections that are kept open."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(
        self, method: str, target: URL, headers: Mapping[str, str], json: bytes | None
    ) -> Answer:
        session = self._session or self._open()
        sent = target
        if self._query:  # appended as text: a next link stays as it was written
            mark = "&" if target.raw_query_string else "?"
            sent = URL(f"{target}{mark}{self._query}", encoded=True)
        if json is not None:
            headers = {"Content-Type": "application/json", **headers}
        try:
            async with session.request(
                method, sent, headers=headers, data=json, allow_redirects=False
            ) as response:
                content = await body.read(response, self.policy, self.host)
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise error_from(problem, self.host, self.base.port, self.policy) from None
        found = response.headers
        self._telling.answered(found, self.clock.wall())
        if waits.exhausted(found):
            self._pause(waits.until_reset(found, self.clock.wall()) or 0.0)
        links = tuple(found.getall("Link", ()))
        return Answer(response.status, found, content, str(target), self.host, links)

    async def _authorization(self, refused: str | None) -> dict[str, str]:
        """The header with the token of this moment, which is secret from now on."""
        if self._bearer is None:
            return {}
        token = await self._bearer(refused)
        if token not in self.secrets:
            self.secrets = secret_words([*self.secrets, token])
        return {"Authorization": f"Bearer {token}"}

    async def _follow(
        self, method: str, answer: Answer, headers: Mapping[str, str], json: bytes | None
    ) -> Answer:
        """Go where same-origin redirects lead, a bounded number of times (R15)."""
        seen = {answer.url}
        for _ in range(self.policy.redirects):
            place = answer.headers.get("Location")
            if not place or (json is not None and answer.status not in {307, 308}):
                return answer
            target = self.target(urljoin(answer.url, clean_text(place)))
            if str(target) in seen:
                raise NeedsHuman(
                    f"{self.host} redirects in a circle.", hint="Put the final address in base_url."
                )
            seen.add(str(target))
            await self._turn()
            answer = await self._exchange(method, target, headers, json)
            if answer.status not in _REDIRECTS:
                break
        return answer

    async def _turn(self) -> None:
        """Wait for this request's turn: pacing, and the reset of a used-up allowance (A2.29)."""
        delay = self.policy.delay
        if not self._free_at and not delay:
            return
        now = self.clock.steady()
        start = max(now, self._free_at)
        if start - now > max(self.policy.max_wait, delay):
            raise Retry(
                f"{self.host} allows no more requests for now.", after=self._park(start - now)
            )
        self._free_at = start + delay
        if start > now:
            await self.clock.sleep(start - now)

    def _pause(self, wait: float) -> None:
        self._telling.wait(self._park(wait))
        self._free_at = max(self._free_at, self.clock.steady() + self._park(wait))

    def _park(self, wait: float) -> float:
        return min(wait, self.policy.max_park)

    def _give_up(self, failure: Retry, attempts: int) -> Retry:
        if attempts > 1:
            failure.message = f"{failure.message.rstrip('.')}, after {attempts} attempts."
        if failure.after is not None:
            failure.after = self._park(failure.after)
        return failure

    def _open(self) -> aiohttp.ClientSession:
        policy = self.policy
        connector = aiohttp.TCPConnector(
            resolver=guard.GuardedResolver(
                private_hosts=policy.private_hosts, resolver=self._resolver
            ),
            limit=32,
            keepalive_timeout=60,
            ttl_dns_cache=60,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers={
                "Accept": "application/json",
                "Accept-Encoding": body.ENCODINGS,
                "User-Agent": "headrace",
                **self._headers,
            },
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=policy.timeout, ceil_threshold=policy.timeout + 1),
            auto_decompress=False,
            trust_env=False,
            max_line_size=16_384,
            max_field_size=16_384,
        )
        # aiohttp would quietly ask again by itself; attempts are counted in one place only.
        self._session._retry_connection = False
        return self._session


def _whole(answer: Answer) -> Answer:
    return answer
