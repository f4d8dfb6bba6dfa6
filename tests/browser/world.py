"""What the browser meets: one `headrace up`, and Google's twin beside it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

import psycopg
from tests import databases
from tests.cli.command import House, made_home

from headrace.twin import run_google

ACCOUNT = "ada@example.com"


class World:
    """The service at `base`, the twin at `google`, and the key that opens the service; `link` signs
    one browser in."""

    def __init__(self, house: House, google: str, key: str) -> None:
        self.house, self.google, self.key = house, google, key
        running = house.start("up")
        self.link = running.says(r"http://\S+/welcome/\S+")
        self.base = self.link.partition("/welcome/")[0]

    def ask(self, path: str, body: object = None) -> Any:
        """What the service answers to a program."""
        return _ask(self.base + path, body, **{"X-API-Key": self.key})

    def upload(self, name: str, content: bytes) -> None:
        """Send a document."""
        address = f"{self.base}/ingestion/uploads/{name}"
        with urlopen(Request(address, content, {"X-API-Key": self.key}, method="PUT"), timeout=60):
            pass

    def execute(self, statement: str, *values: object) -> None:
        """Make something so behind the service's back."""
        with psycopg.connect(self.house.environment["DATABASE_URL"]) as connection:
            connection.execute(statement.encode(), values)

    def rests(self) -> bool:
        """Whether every job there has been is over, and at least one has."""
        rows = self.ask("/api/jobs")["items"]
        return bool(rows) and all(row["completed_at"] for row in rows)

    def deliver(self, *letters: str) -> None:
        """These come into the mailbox."""
        changes = [{"do": "deliver", "raw": one} for one in letters]
        _ask(f"{self.google}/admin/gmail/{ACCOUNT}", changes)

    def wrong(self, *rules: dict[str, Any]) -> None:
        """Google does these things wrong from now on, and no others."""
        _ask(f"{self.google}/admin/faults", list(rules))


def _ask(address: str, body: object, **headers: str) -> Any:
    content = None if body is None else json.dumps(body).encode()
    headers["Content-Type"] = "application/json"
    with urlopen(Request(address, content, headers), timeout=60) as answer:
        return json.load(answer)


@contextmanager
def served(cluster: str, template: str, **google: Any) -> Iterator[World]:
    """A service with nothing in it, and a Google twin with these options, for the context."""
    key = secrets.token_urlsafe(24)
    with (
        made_home() as home,
        databases.lent(cluster, template) as url,
        run_google(**google) as twin,
    ):
        house = House(
            home,
            DATABASE_URL=url,
            SERVICE_PORT="0",
            HEADRACE_API_KEY=key,
            GOOGLE_CLIENT_ID="headrace.apps.googleusercontent.com",
            GOOGLE_CLIENT_SECRET="GOCSPX-twin",
            GOOGLE_AUTH_URL=f"{twin}/o/oauth2/v2/auth",
            GOOGLE_TOKEN_URL=f"{twin}/token",
            GMAIL_BASE_URL=twin,
            GOOGLE_CALENDAR_BASE_URL=twin,
        )
        try:
            yield World(house, twin, key)
        finally:
            house.end()


def letter(sender: str, subject: str, text: str, number: int) -> str:
    """A letter to the account's owner."""
    return (
        f"From: {sender}\r\nTo: {ACCOUNT}\r\nSubject: {subject}\r\n"
        f"Message-ID: <seen-{number}@letters.example>\r\n"
        "Date: Mon, 02 Nov 2026 09:00:00 +0000\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
