"""Every message once, every change of it, and nothing that is not there any more."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from headrace.google.choice import GmailConfig

if TYPE_CHECKING:
    from tests.gmail.box import Box

Open = Callable[..., Awaitable["Box"]]


async def test_everything_once(open_box: Open) -> None:
    """Covers A1.3, A1.4, G13: listed, fetched, shown; the next sync asks what is new, and fetches
    nothing."""
    box = await open_box()
    await box.synced()
    assert box.shown() == box.truth()
    assert len(box.shown()) > 100
    first = box.calls()["calls"]
    await box.synced()
    again = box.calls()["calls"]
    assert again["messages.get"] == first["messages.get"]
    assert again["messages.list"] == first["messages.list"] == 3
    assert again["history.list"] == first["history.list"] + 1
    assert set(map(len, box.versions().values())) == {1}


async def test_what_happens_during_the_listing(open_box: Open) -> None:
    """Covers G1: the historyId is from before the list."""
    box = await open_box(messages=160)
    box.during("messages.list", 2, {"do": "deliver", "n": 3}, {"do": "delete", "nth": 150})
    box.during("messages.list", 3, {"do": "trash", "nth": 1}, {"do": "label", "labels": ["SENT"]})
    box.during("messages.get", 120, {"do": "delete", "nth": 60}, {"do": "untrash", "nth": 1})
    await box.synced()
    assert box.shown() == box.truth()
    calls = box.calls()["calls"]
    assert list(calls).index("getProfile") < list(calls).index("messages.list")


@pytest.mark.parametrize("start", [2**53 + 1, 2**63 + 5, 2**64 - 1_000])
async def test_history_ids_of_any_size(open_box: Open, start: int) -> None:
    """Covers G2: they are text, and compared as integers."""
    box = await open_box(messages=20, history_start=start)
    await box.synced()
    box.touch(box.mail.nth(0))
    await box.synced()
    assert box.shown() == box.truth()
    assert box.cursor()["history"] == str(box.mail.history.now)


@pytest.mark.parametrize("at", [1, 3])
async def test_an_expired_history_lists_everything_again(open_box: Open, at: int) -> None:
    """Covers G3, G4: at any page, and once more while it lists; what was deleted meanwhile is a
    tombstone, and nothing is said of the account."""
    box = await open_box(messages=120)
    await box.synced()
    names = list(box.truth())
    box.touch(*names[:110])
    for name in names[-5:]:
        box.mail.delete(name)
    box.during("history.list", at, {"do": "expire_history"}, {"do": "delete", "nth": 3})
    box.during("messages.list", 3, {"do": "expire_history"}, {"do": "deliver"})
    await box.synced()
    assert box.shown() == box.truth()
    assert box.versions()[names[-1]] == [False, True]
    [connection] = box.rows("SELECT health FROM headrace.connections")
    assert connection["health"] == "active"


async def test_a_listing_that_is_cut_short_sweeps_nothing(open_box: Open) -> None:
    """Covers G4: of one that has not come to its end nobody knows what it would have named."""
    box = await open_box(messages=150)
    await box.synced()
    before = box.shown()
    box.mail.expire_history()
    box.faults({"on": {"call": "messages.list", "request": [2, 3, 4, 5]}, "do": {"kind": "reset"}})
    assert (await box.sync()).state == "retry"
    assert box.shown() == before
    await box.synced()
    assert box.shown() == before == box.truth()


async def test_a_page_may_be_empty(open_box: Open) -> None:
    """Covers G5: at the start, in the middle, at the end; what counts is the token."""
    box = await open_box(messages=160, sparse=True)
    await box.synced()
    box.touch(*box.truth())
    asked = box.calls()["calls"]["history.list"]
    await box.synced()
    assert box.calls()["calls"]["history.list"] - asked > 4
    assert box.shown() == box.truth()


async def test_the_cursor_moves_with_the_last_page(open_box: Open) -> None:
    """Covers G6: until then it keeps the id that the walk began with."""
    box = await open_box(messages=160)
    await box.synced()
    begun = box.cursor()["history"]
    box.touch(*list(box.truth())[:120])
    box.faults({"on": {"call": "history.list", "request": [2, 3, 4, 5]}, "do": {"kind": "reset"}})
    assert (await box.sync()).state == "retry"
    assert box.cursor()["history"] == begun
    assert box.cursor()["page"]
    box.faults()
    box.during("history.list", 1, {"do": "deliver"})
    await box.synced()
    assert box.cursor()["history"] == str(box.mail.history.now)
    assert "page" not in box.cursor()
    assert box.shown() == box.truth()


async def test_an_older_history_id_never_takes_it_back(open_box: Open) -> None:
    """Covers G2, G6: nothing has changed, says an answer that is behind."""
    box = await open_box(messages=10)
    await box.synced()
    box.mail.deliver()
    await box.synced()
    kept = box.cursor()["history"]
    behind = {"kind": "answer", "json": {"historyId": "999999999"}}
    box.faults({"on": {"call": "history.list"}, "do": behind})
    await box.synced()
    assert box.cursor()["history"] == kept


async def test_a_page_token_that_is_refused(open_box: Open) -> None:
    """Covers G3: of the changes it is asked for anew from the same id, of a listing from the
    start."""
    box = await open_box(messages=160)
    refused = {"kind": "answer", "status": 400}
    box.faults({"on": {"call": "messages.list", "request": 3}, "do": refused})
    await box.synced()
    assert box.calls()["calls"]["messages.list"] == 3 + 4
    box.touch(*list(box.truth())[:120])
    box.faults({"on": {"call": "history.list", "request": 2}, "do": refused})
    before = box.calls()["calls"]
    await box.synced()
    after = box.calls()["calls"]
    assert after["messages.list"] == before["messages.list"]
    assert after["history.list"] == before["history.list"] + 2 + 3
    assert box.shown() == box.truth()


async def test_deleted_between_history_and_get(open_box: Open) -> None:
    """Covers G7: gone at get is gone, and nothing waits for it."""
    box = await open_box(messages=20)
    await box.synced()
    name = box.mail.nth(0)
    box.touch(name)
    box.during("messages.get", 1, {"do": "delete", "id": name})
    await box.synced()
    assert box.shown() == box.truth()
    assert box.versions()[name] == [False, True]


async def test_changed_on_one_page_and_gone_on_the_next(open_box: Open) -> None:
    """Covers G7, G8: both come into one commit, and the later one counts; so it does for one that
    goes to the trash and comes back."""
    box = await open_box(messages=160)
    await box.synced()
    names = list(box.truth())
    box.touch(*names[:60])
    box.mail.trash(names[59])
    trash = {"do": "trash", "id": names[2]}
    box.during("history.list", 2, {"do": "delete", "id": names[0]}, trash)
    box.during("messages.get", 55, {"do": "delete", "id": names[1]})
    box.during("history.list", 2, {"do": "untrash", "id": names[59]})
    await box.synced()
    assert names[0] not in box.shown()
    await box.synced()
    assert box.shown() == box.truth()
    assert box.versions()[names[0]][-1]


async def test_a_404_of_somebody_in_between_deletes_nothing(open_box: Open) -> None:
    """Covers G7: only Google's own word that a message is gone counts."""
    box = await open_box(messages=20)
    await box.synced()
    box.touch(box.mail.nth(0))
    page = {"kind": "answer", "status": 404, "text": "<h1>No such page</h1>"}
    box.faults({"on": {"call": "messages.get"}, "do": page})
    outcome = await box.sync()
    assert outcome.state == "human"
    box.faults()
    await box.synced()
    assert box.shown() == box.truth()


async def test_an_edited_draft_is_one_item(open_box: Open) -> None:
    """Covers G13: its message has another id after every edit."""
    box = await open_box({"leave_out": []}, messages=10)
    draft = box.mail.draft()
    await box.synced()
    for _ in range(5):
        box.mail.edit_draft(draft)
        await box.synced()
    drafts = [name for name, labels in box.shown().items() if "DRAFT" in labels]
    assert drafts == [box.mail.drafts[draft]]
    box.mail.send_draft(draft)
    await box.synced()
    assert box.shown() == box.truth(frozenset())


async def test_what_was_never_wanted_leaves_no_trace(open_box: Open) -> None:
    """A draft that is written and edited is no tombstone each time it is saved."""
    box = await open_box(messages=10)
    await box.synced()
    before = box.versions()
    draft = box.mail.draft()
    for _ in range(3):
        box.mail.edit_draft(draft)
        await box.synced()
    assert box.versions() == before


async def test_a_run_is_capped_and_the_next_goes_on(open_box: Open) -> None:
    """Covers A1.6: nothing is skipped, and nothing is fetched twice."""
    box = await open_box({"items_per_run": 100}, messages=350)
    states = []
    for _ in range(4):
        states.append((await box.sync()).state)
        if states[-1] == "done":
            break
    assert states == ["capped", "capped", "done"]
    assert box.shown() == box.truth()
    listed = box.truth(frozenset({"SPAM", "TRASH"}))
    assert box.calls()["calls"]["messages.get"] == len(listed)


async def test_chunks_keep_their_distance(open_box: Open) -> None:
    """Covers A1.5, A1.30: a fifth of a second from one to the next, by default."""
    assert GmailConfig().pause_ms == 200
    box = await open_box({"pause_ms": 100}, messages=200)
    began = time.monotonic()
    await box.synced()
    assert time.monotonic() - began >= 0.4
    assert box.shown() == box.truth()


async def test_polling_needs_no_push(open_box: Open) -> None:
    """Covers G16: nothing is watched, so no watch can lapse; whatever has happened is there after
    the next sync, however long it has been."""
    box = await open_box(messages=30)
    await box.synced()
    box.google.clock.advance(30 * 86_400)
    box.mail.deliver()
    box.mail.trash(box.mail.nth(7))
    await box.synced()
    assert box.shown() == box.truth()
    assert not [call for call in box.calls()["calls"] if "watch" in call or "stop" in call]
