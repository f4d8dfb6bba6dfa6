"""What providers of people's accounts have in common: one client, one allowance, many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, ClassVar, TypeVar

import msgspec

from headrace.errors import HeadraceError, NeedsHuman, Retry
from headrace.http import Answer, Bearer, Client, Clock, Nonsense, Policy, require_json
from headrace.provider import Provider

T = TypeVar("T")
One = TypeVar("One")

_NONE: Mapping[str, str] = {}
AT_ONCE = 10
"""Requests of one page that are under way at the same time."""


class Account(Provider):
    """One account at an API, by OAuth or by a key of its own.

    `ask` gives an answer's JSON, and pays for it out of the account's allowance first; `each` asks
    for many things side by side.
    """

    ordered: ClassVar[bool] = True
    policy: ClassVar[Policy] = Policy()
    headers: ClassVar[dict[str, str]] = {}
    clock: Clock = Clock()

    _client: Client | None = None
    _free_at = 0.0

    async def ask(
        self, path: str, *, units: int = 0, allow: Collection[int] = (), **params: str
    ) -> Any:
        """The JSON that a GET of `path` answers with. Raises Retry and NeedsHuman; of a status in
        `allow`, what `refusal` makes of it."""
        found, _ = await self.answer(path, units=units, allow=allow, params=params)
        return found

    async def answer(
        self,
        path: str,
        *,
        units: int = 0,
        allow: Collection[int] = (),
        headers: Mapping[str, str] = _NONE,
        params: Mapping[str, str] = _NONE,
        shape: Any = Any,
    ) -> tuple[Any, Answer]:
        """The same, with the answer that it was in: for headers, and what is no JSON. The JSON is
        decoded into `shape`; one that does not fit it makes no sense, and is asked for again."""
        if units:
            await self.spend(units)

        def parse(answer: Answer) -> tuple[Any, Answer]:
            if answer.status >= 300:
                return self.refusal(path, answer), answer
            require_json(answer)
            try:
                return msgspec.json.decode(answer.body, type=shape), answer
            except msgspec.ValidationError as error:
                raise Nonsense(f"{answer.host} sent JSON of another shape: {error}.") from None
            except (msgspec.DecodeError, RecursionError):
                raise Retry(f"{answer.host} sent JSON that does not decode.") from None

        return await self.api().ask(
            "GET", path, params=params, headers=headers, allow=allow, parse=parse
        )

    def refusal(self, path: str, answer: Answer) -> Any:  # noqa: ARG002 - for those who care
        """What an allowed status other than 2xx means: raises, or gives what stands for it."""
        raise self.api().error(answer)

    def explain(self, answer: Answer) -> HeadraceError | None:  # noqa: ARG002 - for those who know
        """What a refusal means that the API gives its own reason for; None: what it always does."""
        return None

    async def pace(self, seconds: float) -> None:
        """Wait for the turn of the next chunk: so long after the one before began (A1.5, A1.9).

        A least distance, not a pause: where the allowance is what one waits for, nothing is added.
        """
        now = self.clock.steady()
        start = max(now, self._free_at)
        self._free_at = start + seconds
        if start > now:
            await self.clock.sleep(start - now)

    def put_off(self, seconds: float) -> None:
        """The next chunk begins so much later."""
        self._free_at += seconds

    async def each(
        self, asked: Collection[One], one: Callable[[One], Awaitable[T]], *, units: int = 0
    ) -> list[T]:
        """`one` of each, `AT_ONCE` at a time, in order; paid for together, `units` for each. The
        first error ends them all."""
        if units and asked:
            await self.spend(units * len(asked))
        places = asyncio.Semaphore(AT_ONCE)

        async def placed(this: One) -> T:
            async with places:
                return await one(this)

        tasks = [asyncio.create_task(placed(this)) for this in asked]
        try:
            return await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    def bearer(self) -> Bearer:
        """What gives the access token: the account's consent, or the key it was connected with.
        Raises NeedsHuman where there is neither."""
        if self.token is not None:
            return self.token
        key = self.secret
        if key is None:
            raise NeedsHuman(
                "The account is not connected.", hint=f"headrace connect {self.name}", reauth=True
            )

        async def always(_refused: str | None) -> str:
            return key

        return always

    def api(self) -> Client:
        """The client of the account's API, made once."""
        if self._client is None:
            self._client = self.client(self.bearer())
        return self._client

    def client(self, bearer: Bearer | None = None) -> Client:
        """A new client of the API, for whom `bearer` gives tokens."""
        return Client(
            self.base_url,
            headers=self.headers,
            policy=msgspec.structs.replace(self.policy, private_hosts=self.private_hosts),
            clock=self.clock,
            bearer=bearer,
            explain=self.explain,
            limited=self.hold_off,
            heard=self.heard,
        )

    async def aclose(self) -> None:
        """Close the connections to the API."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None
