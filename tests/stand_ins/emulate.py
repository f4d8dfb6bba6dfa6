"""npm's `emulate`, which Vercel wrote: Google and GitHub as somebody else understands them.

Between it and Headrace stands a gateway of ours. It passes everything on, keeps what was said, and
answers in emulate's place where emulate has nothing to say (`Fill`; see google.py and github.py).
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import aiohttp
from tests.npm import installed
from yarl import URL

from headrace.twin.message import Answer, Request
from headrace.twin.server import listening

PACKAGE = "emulate@0.11.2"
_HERE = Path(__file__).parent
_PATIENCE = 30.0
_PASSED_ON = (
    "Link",
    "Location",
    "ETag",
    "Retry-After",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
)
_OURS = frozenset({"host", "content-length", "connection", "accept-encoding"})

Json = Any


class Said(NamedTuple):
    """One exchange of Headrace's with emulate."""

    method: str
    path: str
    token: str
    status: int
    body: Json


class Emulate:
    """`url` is where Headrace finds it; `fill` answers what emulate does not, or is None."""

    def __init__(self, fill: Fill) -> None:
        self.url = ""
        self.said: list[Said] = []
        self._fill = fill
        self._there = ""
        self._session: aiohttp.ClientSession | None = None

    async def handle(self, request: Request) -> Answer:
        """What Headrace is answered."""
        filled = await self._fill(self, request)
        if isinstance(filled, Answer):
            return filled
        request = filled or request
        headers = {name: one for name, one in request.headers.items() if name not in _OURS}
        asked = self._request(
            request.method, request.path, headers, list(request.pairs), request.body
        )
        async with asked as answer:
            body = await answer.read()
            kept = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
            kind = answer.headers.get("Content-Type", "")
        shape = json.loads(body) if body and "json" in kind else None
        self.said.append(Said(request.method, request.path, bearer(request), answer.status, shape))
        return Answer([body], answer.status, kind, kept)

    async def ask(
        self, method: str, path: str, body: Json = None, *, token: str, **query: str
    ) -> Json:
        """What emulate itself answers to somebody with this token."""
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        sent = b"" if body is None else json.dumps(body).encode()
        async with self._request(method, path, headers, list(query.items()), sent) as answer:
            text = await answer.text()
            assert answer.status < 300, text
            return json.loads(text) if text else None

    async def visit(self, path: str, form: dict[str, str] | None = None) -> tuple[str, str]:
        """What a browser is shown at an address of emulate's, and where it is sent on to."""
        assert self._session
        asked = self._session.request(
            "POST" if form else "GET", path, data=form, allow_redirects=False
        )
        async with asked as answer:
            text = await answer.text()
            assert answer.status < 400, text
            return text, answer.headers.get("Location", "")

    def _request(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        query: list[tuple[str, str]],
        body: bytes,
    ) -> Any:
        assert self._session
        # emulate makes its links of the name that it was called by.
        named = {**headers, "host": URL(self.url).authority}
        return self._session.request(
            method,
            URL(self._there + quote(path, safe="/"), encoded=True).with_query(query),
            headers=named,
            data=body,
            allow_redirects=False,
        )

    @asynccontextmanager
    async def running(self, service: str, seed: Json) -> AsyncIterator[Emulate]:
        """It listens as long as the context lasts."""
        folder = await asyncio.to_thread(installed, PACKAGE)
        async with listening(self.handle, 0) as self.url, aiohttp.ClientSession() as self._session:
            setup = {"service": service, "baseUrl": self.url, "seed": {service: seed}}
            # Of a program that is piped in, modules are looked for from where node stands.
            process = await asyncio.create_subprocess_exec(
                "node",
                "--input-type=module",
                "--eval",
                (_HERE / "emulate.mjs").read_text("utf-8"),
                cwd=folder,
                env={**os.environ, "SETUP": json.dumps(setup)},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            try:
                assert process.stdout
                port = await asyncio.wait_for(process.stdout.readline(), _PATIENCE)
                self._there = f"http://127.0.0.1:{int(port)}"
                yield self
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()


Fill = Callable[[Emulate, Request], Awaitable[Answer | Request | None]]
"""An answer in emulate's place, or what it is asked instead; None where it is asked itself."""


def bearer(request: Request) -> str:
    """The token that a request comes with."""
    return request.headers.get("authorization", "").removeprefix("Bearer ")
