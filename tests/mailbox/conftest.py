"""Mailboxes to walk, and the walking, written without the code under test."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.provider import JSON, Page
from headrace.providers.mailbox import Mailbox, MailboxConfig

Walk = Callable[..., dict[str, list[Page]]]
DATA = Path(__file__).with_name("data")


@pytest.fixture
def data() -> Path:
    """The folder with hand-written mails."""
    return DATA


@pytest.fixture
def walk() -> Walk:
    """Walk everything at a path to its end: the pages by stream.

    `cursors` is where each stream begins; with `afresh` every page is asked of a new provider, as
    after a crash, so that nothing but the cursor carries over.
    """

    def run(
        path: Path, cursors: dict[str, JSON] | None = None, *, afresh: bool = False
    ) -> dict[str, list[Page]]:
        return asyncio.run(_walk(path, cursors or {}, afresh))

    return run


async def _walk(path: Path, cursors: dict[str, JSON], afresh: bool) -> dict[str, list[Page]]:
    config = MailboxConfig(path=str(path))
    provider = Mailbox(config)
    result: dict[str, list[Page]] = {}
    for plan in await provider.streams():
        pages = result[plan.name] = []
        cursor = cursors.get(plan.name)
        while True:
            if afresh:
                await provider.aclose()
                provider = Mailbox(config)
            page = await provider.fetch(plan.name, "", cursor)
            pages.append(page)
            cursor = page.cursor
            if not page.more:
                break
    await provider.aclose()
    return result


@pytest.fixture
def mboxrd() -> Callable[..., bytes]:
    """Write messages as an mbox the way the format's description says, in as few words."""

    def write(messages: list[bytes], *, newline: bytes = b"\n") -> bytes:
        out = b""
        for number, message in enumerate(messages):
            stamp = f"From s{number}@host.example Thu Nov 26 10:00:{number % 60:02d} 2026"
            body = re.sub(rb"(?m)^(>*From )", rb">\1", message)
            if body and not body.endswith(b"\n"):
                body += newline
            out += stamp.encode() + newline + body + newline
        return out

    return write


@pytest.fixture
def mail() -> Callable[..., bytes]:
    """A small mail with that number in it."""

    def write(number: int, body: str = "", newline: str = "\n", **headers: str) -> bytes:
        lines = [
            f"From: Person {number} <p{number}@example.com>",
            "To: me@example.org",
            f"Subject: Mail {number}",
            f"Date: Thu, 26 Nov 2026 10:{number % 60:02d}:00 +0000",
            f"Message-ID: <{number}@example.com>",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
            "",
            body or f"Body of mail {number}.",
            "",
        ]
        return newline.join(lines).encode()

    return write
