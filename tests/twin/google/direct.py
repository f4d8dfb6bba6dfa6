"""A Google twin without HTTP, for tests that ask it thousands of things."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.twin.google.visitor import MOST_PAGES, READS, Json, check_shape

from headrace.twin.google import Google, options_from
from headrace.twin.message import Request


class Direct:
    """`google` with a token of its first account."""

    def __init__(self, **options: Any) -> None:
        self.google = Google(options_from(options))
        self._token = self.google.grant(scopes=READS)["access_token"]

    def ask(self, path: str, query: Mapping[str, str] | None = None) -> tuple[int, Json]:
        """Status and body, which has been held against Google's document if it is an answer."""
        headers = {"authorization": f"Bearer {self._token}"}
        answer = asyncio.run(self.google.handle(Request("GET", path, dict(query or {}), headers)))
        body: Json = json.loads(b"".join(answer.parts))
        if answer.status == 200:
            check_shape(path, body)
        return answer.status, body

    def pages(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Json]:
        """A walk, page by page."""
        asked = dict(query or {})
        for _ in range(MOST_PAGES):
            status, page = self.ask(path, asked)
            assert status == 200, page
            yield page
            if "nextPageToken" not in page:
                return
            asked["pageToken"] = page["nextPageToken"]
        raise AssertionError("the walk never ends")
