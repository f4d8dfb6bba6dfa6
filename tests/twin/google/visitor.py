"""Who asks a Google twin in tests, and does not let a wrong shape pass."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from aiohttp import ClientSession
from tests.twin.google.discovery import SERVED
from tests.twin.google.shapes import wrong_in

from headrace.twin.google import Google
from headrace.twin.google.routes import find

GMAIL, CALENDAR = "/gmail/v1/users/me", "/calendar/v3"
EVENTS = f"{CALENDAR}/calendars/primary/events"
ROOT = "https://www.googleapis.com/auth/"
READS = (ROOT + "gmail.readonly", ROOT + "calendar.readonly")
MOST_PAGES = 500
Json = dict[str, Any]
Query = Mapping[str, str] | Sequence[tuple[str, str]]


class Visitor:
    """One account's client. `google` is the twin itself, to change things without HTTP."""

    def __init__(self, google: Google, client: ClientSession) -> None:
        self.google = google
        self.client = client
        self.token = str(google.grant(scopes=READS)["access_token"])

    async def get(self, path: str, query: Query | None = None, *, status: int = 200) -> Json:
        """An answer of this status, in the shape that Google's own document gives it."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.client.get(path, params=query, headers=headers) as answer:
            body: Json = await answer.json()
            assert answer.status == status, body
        if status == 200:
            check_shape(path, body)
        else:
            error = body["error"]
            assert error["code"] == status
            assert {"message", "reason", "domain"} <= set(error["errors"][0])
        return body

    async def post(self, path: str, body: object, *, status: int = 200) -> Any:
        """What one of the routes behind the scenes says."""
        async with self.client.post(path, json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def form(self, path: str, fields: Mapping[str, str], *, status: int = 200) -> Json:
        """What an OAuth endpoint says to a form."""
        async with self.client.post(path, data=dict(fields)) as answer:
            body: Json = await answer.json()
            assert answer.status == status, body
            return body

    async def refresh(self, token: str, *, status: int = 200) -> Json:
        """What the token endpoint says to a refresh token."""
        return await self.form("/token", self.client_fields() | refresh_form(token), status=status)

    def client_fields(self) -> dict[str, str]:
        """How our client names itself."""
        return {
            "client_id": "headrace.apps.googleusercontent.com",
            "client_secret": "GOCSPX-twin",
        }

    async def pages(self, path: str, query: Query | None = None) -> AsyncIterator[Json]:
        """A walk: every page, until there is no token for another."""
        asked = dict(query or {})
        for _ in range(MOST_PAGES):
            page = await self.get(path, asked)
            yield page
            if "nextPageToken" not in page:
                return
            asked["pageToken"] = page["nextPageToken"]
        raise AssertionError("the walk never ends")

    async def stats(self) -> Json:
        """What the twin has counted."""
        async with self.client.get("/admin/stats") as answer:
            told: Json = await answer.json()
            return told

    async def truth(self, what: str, account: str = "ada@example.com") -> Json:
        """What there really is."""
        async with self.client.get(f"/truth/{what}/{account}") as answer:
            told: Json = await answer.json()
            return told


def refresh_form(token: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": token}


def check_shape(path: str, body: Json) -> None:
    """The answer of a method against Google's own document; OAuth's is not in one."""
    name = find("GET", path).name
    for api, served in SERVED.items():
        if name in served:
            assert wrong_in(api, name, body) == []
