"""One message that Gmail answers 5xx for, again and again, and an outage of all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from headrace.engine.redrive import again
from headrace.http import Clock
from headrace.providers.gmail import Gmail
from headrace.twin.message import Answer, Request

if TYPE_CHECKING:
    from tests.gmail.box import Box

Open = Callable[..., Awaitable["Box"]]

BROKEN: Mapping[str, Any] = {"kind": "answer", "status": 500}


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(_seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(Gmail, "clock", Clock(sleep=at_once))


def break_(box: Box, *names: str) -> None:
    """From now on Gmail cannot give these messages; without any, it can give them all."""
    answer = type(box.google)._answer

    async def broken(request: Request) -> Answer:
        if request.path.rpartition("/")[2] in names:
            return Answer([b"{}"], 503)
        return await answer(box.google, request)

    box.google._answer = broken  # type: ignore[method-assign]


async def test_it_keeps_none_of_the_others(open_box: Open) -> None:
    """Covers G15: it is one dead letter, is asked for at each sync, and lands once it comes; a
    retry of the letter then knows that."""
    box = await open_box(messages=60)
    name = box.mail.nth(3)
    break_(box, name)
    await box.synced()
    assert box.shown().keys() == box.truth().keys() - {name}
    await box.synced()
    [letter] = box.letters()
    assert (letter["source_id"], letter["stage"]) == (name, "landing")
    assert "answered 503" in letter["reason"]
    assert box.cursor()["owed"] == [name]
    assert await retried(box) == "open"
    break_(box)
    await box.synced()
    assert box.shown() == box.truth()
    assert "owed" not in box.cursor()
    assert await retried(box) == "retried"


async def test_alone_on_its_page(open_box: Open) -> None:
    """Covers G15: then another message, which is here, shows that it is not Gmail. What is here of
    it stays; deleted for good, it is owed no more."""
    box = await open_box(messages=20)
    await box.synced()
    first, second = box.mail.nth(0), box.mail.nth(1)
    before = box.shown()
    for name in (first, second):
        break_(box, first, second)
        box.touch(name)
        await box.synced()
    assert box.shown() == before
    assert box.cursor()["owed"] == [first, second]
    assert len(box.letters()) == 2
    box.mail.delete(first)
    break_(box, second)
    await box.synced()
    assert box.cursor()["owed"] == [second]
    break_(box)
    await box.synced()
    assert box.shown() == box.truth()


@pytest.mark.parametrize("after", [1, 30])
async def test_an_outage_puts_nothing_aside(open_box: Open, after: int) -> None:
    """Covers G15: whether it begins before a page or in the middle of it."""
    box = await open_box(messages=60)
    box.faults({"on": {"call": "messages.get", "request": [*range(after, 1_000)]}, "do": BROKEN})
    assert (await box.sync()).state == "retry"
    assert box.letters() == []
    box.faults()
    await box.synced()
    assert box.shown() == box.truth()


async def test_a_limit_is_no_trouble_with_a_message(open_box: Open) -> None:
    """Covers G10, G15: it is waited for, even when it names no time."""
    box = await open_box(messages=20)
    does = {"kind": "answer", "status": 429}
    box.faults({"on": {"call": "messages.get", "request": [*range(15, 1_000)]}, "do": does})
    assert (await box.sync()).state == "retry"
    assert box.letters() == []


async def retried(box: Box) -> str:
    """What becomes of the only dead letter when it is retried."""
    [letter] = box.of_stream("dead_letter_id, d.tenant_id", "dead_letters d")
    number, tenant = letter["dead_letter_id"], letter["tenant_id"]
    return (await asyncio.to_thread(again, box.database, tenant, None, number)).state
