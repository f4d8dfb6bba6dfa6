"""A Google twin beside the test, accounts connected at it, and what is known of both."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, build_opener, urlopen
from urllib.request import Request as Post

import pytest
from tests.accounts import TENANT, VAULT, at_google, connect, run

from headrace.engine.sync import Outcome
from headrace.oauth.keeper import Keeper
from headrace.oauth.sealed import Kept
from headrace.settings import Settings
from headrace.store import grants
from headrace.store.connections import ConnectionRow
from headrace.store.database import Database
from headrace.twin.google import Google, options_from
from headrace.twin.message import Answer, Request
from headrace.twin.server import listening

QUICK: dict[str, Any] = {"pause_ms": 0}
BOTH = ("gmail", "google_calendar")


class World:
    """`before` is called with every request before the twin answers it."""

    def __init__(self, database: Database, **options: Any) -> None:
        self.database = database
        self.google = Google(options_from({"messages": 5, "events": 3, **options}))
        self.before: Callable[[Request], None] = lambda _: None
        self.url = ""

    async def handle(self, request: Request) -> Answer:
        """What the twin answers."""
        await asyncio.to_thread(self.before, request)
        return await self.google.handle(request)

    @property
    def settings(self) -> Settings:
        """Settings under which Google is the twin."""
        return at_google(self.url, **self.values())

    def values(self) -> dict[str, str]:
        """What the twin needs besides `at_google`, under the names of settings."""
        return {
            "google_auth_url": f"{self.url}/o/oauth2/v2/auth",
            "google_device_url": f"{self.url}/device/code",
            "headrace_secret_key": bytes(32).hex(),
        }

    def environment(self) -> dict[str, str]:
        """The same for a process."""
        base = {"gmail_base_url": self.url, "google_calendar_base_url": self.url}
        client = {"google_client_id": "headrace.apps.googleusercontent.com"}
        secret = {"google_client_secret": "GOCSPX-twin", "google_token_url": f"{self.url}/token"}
        named = {**base, **client, **secret, **self.values(), "database_url": self.database.url}
        return {name.upper(): value for name, value in named.items()}

    # --- the twin ---------------------------------------------------------------------------------

    def ask(self, path: str, body: object = None) -> Any:
        """What one of its routes behind the scenes says."""
        content = None if body is None else json.dumps(body).encode()
        with urlopen(Post(self.url + path, content)) as answer:
            return json.load(answer)

    def calls(self, name: str = "token") -> int:
        """How often something was asked for."""
        return int(self.ask("/admin/stats")["calls"].get(name, 0))

    def stat(self, name: str) -> int:
        """One of its counts."""
        return int(self.ask("/admin/stats")[name])

    def wrong(self, *rules: dict[str, Any]) -> None:
        """These fault rules from now on, and no others."""
        self.ask("/admin/faults", list(rules))

    def says(self, body: object, status: int = 200, **on: Any) -> None:
        """What the token endpoint answers from now on."""
        do = {"kind": "answer", "status": status, "json": body}
        self.wrong({"on": {"call": "token", **on}, "do": do})

    # --- the account ------------------------------------------------------------------------------

    def connect(self, *providers: str) -> ConnectionRow:
        """The last of these connections; all have one grant, of the account's owner."""
        scopes = [scope for name in providers for scope in SCOPES[name]]
        made = [connect(self.database, self.google, one, scopes=scopes) for one in providers]
        return made[-1]

    def keeper(self, row: ConnectionRow) -> Keeper:
        """A keeper of the connection's grant, as another process would have it."""
        return Keeper(self.database, VAULT, self.settings, TENANT, row["grant_id"])

    def token(self, row: ConnectionRow, refused: str | None = None) -> str:
        """An access token from a keeper that knows nothing yet."""
        return asyncio.run(self.keeper(row).token(refused))

    def sync(self, row: ConnectionRow) -> list[Outcome]:
        """One job's walk, without the engine. Raises what the plan of it raises."""
        return asyncio.run(run(self.database, self.settings, row))

    def lasts(self, row: ConnectionRow, seconds: float) -> None:
        """How long the access token, which was good for an hour, is so from now on, by the
        database's clock."""
        self.rows(
            "UPDATE headrace.grants SET expires_at = now() + make_interval(secs => %s),"
            " refreshed_at = now() + make_interval(secs => %s) - interval '1 hour'"
            " WHERE grant_id = %s",
            seconds,
            seconds,
            row["grant_id"],
        )

    def kept(self, row: ConnectionRow) -> Kept:
        """What is sealed in the grant at this moment."""
        with self.database.connection() as session:
            found = grants.get(session, TENANT, row["grant_id"])
        assert found is not None
        text = VAULT.open(found["tokens"], tenant=TENANT, connection=row["grant_id"])
        return Kept(**json.loads(text))

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """What a statement answers, as the owner of the tables."""
        with self.database.connection() as session:
            cursor = session.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def health(self) -> dict[str, str]:
        """How each connection is, by its name."""
        found = self.rows("SELECT name, health FROM headrace.connections")
        return {row["name"]: row["health"] for row in found}


SCOPES = {
    "gmail": ["https://www.googleapis.com/auth/gmail.readonly"],
    "google_calendar": ["https://www.googleapis.com/auth/calendar.readonly"],
}


class _Still(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def staying(request: Post) -> str:
    """Where a request would be sent on to."""
    with pytest.raises(HTTPError) as moved:
        build_opener(_Still).open(request)
    assert moved.value.code == 302, moved.value.read()
    return str(moved.value.headers["Location"])


@contextmanager
def served(handle: Callable[[Request], Awaitable[Answer]]) -> Iterator[str]:
    """Answer requests in a thread of its own while the context lasts; its base URL."""
    ready: Queue[str] = Queue()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with listening(handle, 0) as url:
            ready.put(url)
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()], daemon=True)
    thread.start()
    try:
        yield ready.get(timeout=10)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
