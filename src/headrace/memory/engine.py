"""Telling a memory engine of records, and to forget them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from headrace.errors import BadInput, HeadraceError
from headrace.http import Answer, Client, Policy
from headrace.http.answers import explanation
from headrace.memory.shape import Ask, Shape, fill, find, load, path
from headrace.settings import Settings

Values = Mapping[str, Any]
T = TypeVar("T")

# What is wrong with a record rather than with the engine or the way to it.
_REFUSED = frozenset({400, 413, 415, 422})


class Refused(HeadraceError):
    """The engine does not take what it was sent, and would not take it later."""


class MemoryEngine:
    """One engine, as the settings name it; a context manager. Its methods block, and raise Retry
    while it is away and NeedsHuman when a person has to act."""

    def __init__(self, settings: Settings) -> None:
        if settings.memory_engine_url is None:
            raise BadInput("No memory engine is set.", hint="Set MEMORY_ENGINE_URL.")
        self.shape: Shape = load(settings.memory_engine_shape)
        self.name = f"{settings.memory_engine_shape} {settings.memory_engine_url}"
        self._space = settings.memory_engine_space
        secret = settings.memory_engine_key.get_secret_value() if settings.memory_engine_key else ""
        headers = {
            name: fill(one, {"secret": secret}, []) for name, one in self.shape.headers.items()
        }
        self._client = Client(
            settings.memory_engine_url,
            headers=headers if secret else {},
            policy=Policy(private_hosts=True),
            secrets=[secret] if secret else [],
        )
        self._runner = asyncio.Runner()

    def __enter__(self) -> MemoryEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self._with(lambda client: client.aclose())
        self._runner.close()

    def space(self, tenant: str, user: str) -> str:
        """Whose memories these are, in the engine's words."""
        return str(fill(self._space, {"tenant": tenant, "user": user}, []))

    def prepare(self, values: Values) -> None:
        """Make what has to be there before the first record of an owner."""
        asked = self.shape.prepare
        if asked:
            self._with(lambda client: self._all(client, asked, values))

    def add(self, values: Values, records: Sequence[Values]) -> list[list[str]]:
        """Tell of records, at most `shape.add.at_once`, by one request; what the engine calls each.
        Raises Refused when it does not take them."""
        ask = self.shape.add
        own = values if ask.at_once > 1 else {**values, **records[0]}
        answer = self._with(lambda client: self._ask(client, ask, own, list(records)))
        ids = _ids(ask, answer)
        if len(records) == 1:
            return [ids]
        return [[one] for one in ids] if len(ids) == len(records) else [[] for _ in records]

    def remove(self, values: Values, remote: Sequence[str]) -> None:
        """Have a record forgotten, where the engine can; `remote` is what it called it."""
        ask = self.shape.remove
        if ask is None:
            return
        by_name = "{remote}" in ask.path
        asked = [{**values, "remote": one} for one in remote] if by_name else [values]

        async def each(client: Client) -> None:
            for one in asked:
                await self._ask(client, ask, one, [])

        self._with(each)

    async def _all(self, client: Client, asked: Sequence[Ask], values: Values) -> None:
        for ask in asked:
            await self._ask(client, ask, values, [])

    async def _ask(self, client: Client, ask: Ask, values: Values, each: list[Values]) -> Answer:
        body = None if ask.body is None else msgspec.json.encode(fill(ask.body, values, each))
        keys = [one["key"] for one in each]
        headers = {"Idempotency-Key": keys[0]} if len(keys) == 1 else {}
        place = path(ask.path, values).lstrip("/")
        allow = {*ask.fine, *_REFUSED}
        answer = await client.request(ask.method, place, headers=headers, json=body, allow=allow)
        if answer.status in _REFUSED and answer.status not in ask.fine:
            raise Refused(
                f"The memory engine at {answer.host} refused it with status {answer.status}"
                f"{explanation(answer.body, client.secrets)}.",
                hint="Retry the dead letter once the engine takes it, or drop it.",
            )
        return answer

    def _with(self, work: Callable[[Client], Awaitable[T]]) -> T:
        async def run() -> T:
            return await work(self._client)

        return self._runner.run(run())


def _ids(ask: Ask, answer: Answer) -> list[str]:
    if ask.ids is None:
        return []
    try:
        return find(msgspec.json.decode(answer.body), ask.ids)
    except (msgspec.DecodeError, RecursionError):
        return []
