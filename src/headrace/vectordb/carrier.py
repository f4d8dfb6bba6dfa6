"""Requests of somebody else's library, carried by our one HTTP client.

The library only writes and reads them. So its guard holds here too: the name is looked up once and
its addresses are checked, nothing is redirected, proxied or answered without end, what fails is
tried again in one place, and the key is put on here: the library never has it.
"""

from __future__ import annotations

import asyncio

import msgspec
from yarl import URL

from headrace.errors import HeadraceError, NeedsHuman
from headrace.http import Answer, Client, Policy
from headrace.http.answers import in_words, is_rate_limit
from headrace.http.guard import PORTS

_PORTS = PORTS | {6333}
"""Where a Qdrant listens by itself."""

NOT_FOUND = 404
_CONFLICT = 409
_REFUSED = frozenset({*range(300, 400), *range(400, 500)} - {408, 429})
_SLOWLY = {"timeout": 60.0, "retries": 2}
_HURRIED = {"timeout": 10.0, "retries": 1}


class Carrier:
    """Carries requests to one address, each over a connection of its own: the threads that ask
    share no event loop."""

    def __init__(self, url: str, key: str | None, *, private_hosts: bool, hurried: bool) -> None:
        """Raises NeedsHuman for an address that may not be called."""
        self._made = (url, key, private_hosts, hurried)
        self.base: URL = self._client().base

    def ask(self, method: str, url: str, body: bytes | None) -> Answer:
        """The answer, if it is one that says yes, not found or there already. Raises Retry, and
        NeedsHuman for a refusal. Must not be called in a thread that runs an event loop."""
        return asyncio.run(self._ask(method, url, body))

    async def _ask(self, method: str, url: str, body: bytes | None) -> Answer:
        one = self._client()
        try:
            answer = await one.request(method, url, json=body, allow=_REFUSED)
            if answer.status >= 300 and answer.status not in {NOT_FOUND, _CONFLICT}:
                raise _refusal(answer, one)
            return answer
        finally:
            await one.aclose()

    def _client(self) -> Client:
        url, key, private_hosts, hurried = self._made
        return client(url, key, private_hosts=private_hosts, hurried=hurried)


def client(url: str, key: str | None, *, private_hosts: bool, hurried: bool) -> Client:
    """The client for an index. Raises NeedsHuman for an address that may not be called."""
    policy = Policy(
        private_hosts=private_hosts,
        ports=_PORTS,
        **(_HURRIED if hurried else _SLOWLY),  # type: ignore[arg-type]
    )
    try:
        return Client(url, headers={"api-key": key} if key else {}, policy=policy)
    except NeedsHuman as error:
        said = error.message.replace("The base URL", "The url of vector_db")
        raise NeedsHuman(said, hint=error.hint.replace("the URL and", "it and")) from None


def _refusal(answer: Answer, one: Client) -> HeadraceError:
    if is_rate_limit(answer):
        return one.error(answer)
    said = _said(answer, one)
    if answer.status in {401, 403}:
        return NeedsHuman(
            f"{answer.host} refused the key of vector_db ({answer.status}){said}.",
            hint="Give the job a vector_db.api_key that may read and write its collections.",
        )
    return NeedsHuman(
        f"{answer.host} refused what was asked of the vector_db ({answer.status}){said}.",
        hint="Check vector_db.url, and that a Qdrant of a current version answers there.",
    )


def _said(answer: Answer, one: Client) -> str:
    """Qdrant says why in `status.error`."""
    try:
        words = in_words(msgspec.json.decode(answer.body)["status"], one.secrets)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError):
        return ""
    return f": {words}" if words else ""
