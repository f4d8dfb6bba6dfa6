"""What is attached to a message, as a file over HTTP: from Gmail, which keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient
from tests.accounts import TENANT, USER, VAULT

from headrace.api import create_app
from headrace.out import attached as served
from headrace.store import keys
from headrace.vault import Vault

if TYPE_CHECKING:
    from tests.gmail.box import Box

    Get = Callable[..., Awaitable[Any]]

Open = Callable[..., Awaitable["Box"]]

SHEET = bytes(range(256)) * 40


def letter() -> bytes:
    """A message with a text, a sheet and a web page."""
    made = EmailMessage(policy=SMTP)
    made["From"], made["Subject"] = "bob@b.example", "Numbers"
    made.set_content("See below.")
    made.add_attachment(SHEET, "application", "vnd.ms-excel", filename="Zahlen für \N{CRAB}.xls")
    made.add_attachment("<script>alert(1)</script>", subtype="html", filename="../page.html")
    return made.as_bytes()


@pytest.fixture
async def asked(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[Box], Get]]:
    """`get = asked(box)` asks the API over that box: `await get(name, 0, user="zoe")`."""
    monkeypatch.setattr(Vault, "from_settings", lambda _settings: VAULT)
    async with AsyncExitStack() as stack:

        def over(box: Box) -> Get:
            client = TestClient(create_app(box.database, box.settings))
            client.__enter__()
            stack.push_async_callback(asyncio.to_thread, client.__exit__)

            async def get(name: str, number: object, tenant: str = TENANT, user: str = USER) -> Any:
                with box.database.transaction() as session:
                    key = keys.issue(session, tenant, user, "test", user)
                [row] = box.rows("SELECT stream_id FROM headrace.streams")
                path = f"/api/interactions/{row['stream_id']}/{name}/attachments/{number}"
                return await asyncio.to_thread(client.get, path, headers={"X-API-Key": key})

            return get

        yield over


async def test_it_comes_from_gmail_as_a_file(open_box: Open, asked: Callable[[Box], Get]) -> None:
    """Covers G13: found anew in the message, whose attachment ids differ in each answer; a file to
    keep, whatever its sender called it."""
    box = await open_box(messages=0)
    name = box.mail.deliver(letter())
    await box.synced()
    get = asked(box)
    for _ in range(2):
        sheet = await get(name, 0)
        assert (sheet.status_code, sheet.content) == (200, SHEET)
    assert sheet.headers["Content-Type"] == "application/vnd.ms-excel"
    assert sheet.headers["Content-Disposition"] == (
        "attachment; filename*=UTF-8''Zahlen%20f%C3%BCr%20%F0%9F%A6%80.xls"
    )
    assert sheet.headers["X-Content-Type-Options"] == "nosniff"
    page = await get(name, 1)
    assert page.content.strip() == b"<script>alert(1)</script>"
    assert page.headers["Content-Disposition"] == "attachment; filename*=UTF-8''page.html"


async def test_what_is_not_there(open_box: Open, asked: Callable[[Box], Get]) -> None:
    """Covers A3.5: another number, another message, somebody else's, and one that was deleted."""
    box = await open_box(messages=0)
    name = box.mail.deliver(letter())
    await box.synced()
    get = asked(box)
    before = box.calls()["calls"]["messages.get"]
    for answer in (
        await get("nothing", 0),
        await get(name, 0, user="bob"),
        await get(name, 0, tenant="zoo"),
    ):
        assert answer.status_code == 404
        assert "no such row" in answer.json()["detail"]
    assert box.calls()["calls"]["messages.get"] == before
    for number in (2, 10**30):
        assert (await get(name, number)).status_code == 404
    assert (await get(name, -1)).status_code == 422
    box.mail.delete(name)
    gone = await get(name, 0)
    assert (gone.status_code, gone.json()["detail"]) == (404, "There is no such attachment.")


async def test_a_consent_that_has_ended_is_said_in_words(
    open_box: Open, asked: Callable[[Box], Get]
) -> None:
    """Covers O8: nothing is shown but what to do."""
    box = await open_box(messages=0)
    name = box.mail.deliver(letter())
    await box.synced()
    box.ask("POST", "/admin/suspend", {})
    answer = await asked(box)(name, 0)
    assert answer.status_code == 409
    said: Mapping[str, str] = answer.json()
    assert "Account has been suspended" in said["detail"]
    assert "Connect the account again" in said["hint"]


async def test_one_that_is_too_large(
    open_box: Open, asked: Callable[[Box], Get], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers R11: nothing of any size is read."""
    box = await open_box(messages=0)
    name = box.mail.deliver(letter())
    await box.synced()
    monkeypatch.setattr(served, "LARGEST", 100)
    answer = await asked(box)(name, 0)
    assert answer.status_code == 422
    assert "larger than 100 bytes" in answer.json()["detail"]
