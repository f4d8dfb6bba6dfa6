"""A GitHub twin that checks its own answers, and a client of it."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession
from tests.twin.github.checker import problems_of_answer

from headrace.twin.github import GitHub, Options
from headrace.twin.github.routes import find
from headrace.twin.message import Answer, Request

NOW_S = 1_800_000_000


class Watched(GitHub):
    """A twin whose answers are held against GitHub's description; faults are left alone."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.wrong: list[str] = []
        self.checked: set[tuple[str, int]] = set()

    async def handle(self, request: Request) -> Answer:
        answer = await super().handle(request)
        found = find(request.method, request.path)
        if found is None or found.route.name == "graphql" or self.stats.faults:
            return answer
        body = b"".join(answer.parts)
        name = found.route.name
        shape = json.loads(body) if body else None
        self.wrong += problems_of_answer(name, answer.status, shape)
        self.checked.add((name, answer.status))
        return answer


@dataclass
class Got:
    """An answer as read."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def links(self) -> dict[str, str]:
        """The Link header: rel and URL."""
        found = re.findall(r'<([^>]+)>; rel="(\w+)"', self.headers.get("Link", ""))
        return {rel: url for url, rel in found}


@dataclass
class Twin:
    """A running twin, and a client of it with the token that it has from the start."""

    github: Watched
    client: ClientSession
    url: str

    async def get(self, path: str, *, token: str | None = "ghp_twin", **headers: str) -> Got:
        """A path or a whole URL; redirects are not followed."""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return await self.ask("GET", path, headers=headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> Got:
        """The same with a JSON body."""
        return await self.ask("POST", path, json=body, headers=headers)

    async def ask(self, method: str, path: str, **more: Any) -> Got:
        """Any request."""
        url = path if path.startswith("http") else f"{self.url}{path}"
        async with self.client.request(method, url, allow_redirects=False, **more) as answer:
            text = await answer.text()
            is_json = "json" in answer.headers.get("Content-Type", "")
            body = json.loads(text) if text and is_json else text
            return Got(answer.status, body, answer.headers)

    async def walk(self, path: str) -> list[list[dict[str, Any]]]:
        """All pages from here, by the links alone."""
        pages, url = [], path
        while url:
            got = await self.get(url)
            assert got.status == 200, got.body
            pages.append(got.body)
            url = got.links.get("next", "")
        return pages

    async def change(self, *changes: dict[str, Any]) -> Any:
        """POST /admin/change; returns what each made."""
        got = await self.post("/admin/change", list(changes))
        assert got.status == 200, got.body
        return got.body["changes"]

    async def truth(self, repository: int) -> Any:
        """What /truth says of one repository."""
        return (await self.get(f"/truth?repository={repository}")).body[str(repository)]

    async def stats(self) -> Any:
        """/admin/stats."""
        return (await self.get("/admin/stats")).body


Start = Callable[..., Awaitable[Twin]]
