"""Labels: which mail is wanted, and how a message comes and goes by them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from headrace.twin.google.mailbox import Mailbox

if TYPE_CHECKING:
    from tests.gmail.box import Box

Open = Callable[..., Awaitable["Box"]]
Change = Callable[[Mailbox, str], None]

CHANGES: dict[str, Change] = {
    "label": lambda mail, name: mail.label(name, ["STARRED"]),
    "unlabel": lambda mail, name: mail.unlabel(name, ["INBOX"]),
    "trash": lambda mail, name: mail.trash(name),
    "untrash": lambda mail, name: mail.untrash(name),
    "spam": lambda mail, name: mail.spam(name),
    "unspam": lambda mail, name: mail.unspam(name),
}


@pytest.mark.parametrize("each", [True, False], ids=["a sync each", "one sync"])
async def test_all_four_kinds_of_change(open_box: Open, each: bool) -> None:
    """Covers G8: every pair of changes to a message in either order, and a deletion after them."""
    box = await open_box(messages=60)
    await box.synced()
    names = iter(box.truth())
    pairs = [(*pair, next(names)) for pair in permutations(CHANGES, 2)]
    for step in range(2):
        for *pair, name in pairs:
            CHANGES[pair[step]](box.mail, name)
        if each:
            await box.synced()
            assert box.shown() == box.truth()
    box.mail.delete(pairs[0][-1])
    await box.synced()
    assert box.shown() == box.truth()


@pytest.mark.parametrize("fault", [{"kind": "shuffle"}, {"kind": "repeat", "what": "rows"}])
async def test_changes_in_any_order_and_twice(open_box: Open, fault: dict[str, str]) -> None:
    """Covers G8, R3: each message is fetched as it is now, whatever is said of it and when."""
    box = await open_box(messages=60)
    await box.synced()
    for name in list(box.truth())[:10]:
        for change in ("trash", "untrash", "label", "spam", "unspam"):
            CHANGES[change](box.mail, name)
    for name in list(box.truth())[10:15]:
        CHANGES["label"](box.mail, name)
        box.mail.delete(name)
    box.faults({"on": {"call": "history.list"}, "do": fault})
    await box.synced()
    assert box.shown() == box.truth()


async def test_what_is_left_out_is_a_choice(open_box: Open) -> None:
    """Covers G8: trash is a label; wanted, it is mail like any other."""
    box = await open_box({"leave_out": ["drafts"]})
    await box.synced()
    without = frozenset({"DRAFT"})
    assert box.shown() == box.truth(without)
    assert any("TRASH" in labels for labels in box.shown().values())
    name = box.mail.nth(0)
    box.mail.trash(name)
    await box.synced()
    assert "TRASH" in box.shown()[name]
    box.reconfigure()
    await box.synced()
    assert box.shown() == box.truth()


async def test_labels_that_are_chosen_later(open_box: Open) -> None:
    """Covers G9: a label's old mail arrives when it is chosen, by name or id, and goes when it is
    chosen no more; taking a label off a message takes the message away."""
    box = await open_box({"labels": ["Receipts"]}, messages=150)

    def wanted(*labels: str) -> dict[str, list[str]]:
        return {name: has for name, has in box.truth().items() if set(has) & set(labels)}

    await box.synced()
    assert box.shown() == wanted("Label_1")
    assert len(box.shown()) > 10
    name = next(iter(box.shown()))
    box.mail.unlabel(name, ["Label_1"])
    box.mail.label(box.mail.nth(0), ["Label_1"])
    await box.synced()
    assert name not in box.shown()
    assert box.shown() == wanted("Label_1")
    box.reconfigure(labels=["Receipts", "Label_2"])
    await box.synced()
    assert box.shown() == wanted("Label_1", "Label_2")
    box.reconfigure(labels=["Travel"])
    await box.synced()
    assert box.shown() == wanted("Label_2")


async def test_the_labels_are_never_asked_of_the_history(open_box: Open) -> None:
    """Covers G9: a history of one label does not tell of its being taken off."""
    box = await open_box({"labels": ["Receipts"]}, messages=30)
    asked: list[dict[str, str]] = []
    handle = box.google._answer

    async def listening(request):  # type: ignore[no-untyped-def]
        asked.append({"path": request.path, **request.query})
        return await handle(request)

    box.google._answer = listening  # type: ignore[method-assign]
    await box.synced()
    lists = [one for one in asked if one["path"].endswith("/messages")]
    histories = [one for one in asked if one["path"].endswith("/history")]
    assert [one["labelIds"] for one in lists] == ["Label_1"]
    assert histories
    assert not any("labelId" in one for one in histories)


async def test_a_label_that_is_not_there(open_box: Open) -> None:
    box = await open_box({"labels": ["Reciepts"]}, messages=5)
    outcome = await box.sync()
    assert (outcome.state, outcome.error) == (
        "human",
        "There is no label 'Reciepts' in this mailbox.",
    )


async def test_the_window_of_days_begins_once(open_box: Open) -> None:
    """Covers A1.16, G3: mail before it is nobody's business, whatever happens to it; time goes on
    and a listing is made again, and the window begins where it did."""
    box = await open_box({"days": 30}, messages=20)
    now = datetime.now(UTC)
    age = {name: now - timedelta(days=days) for name, days in (("old", 31), ("new", 29))}
    old, new = (box.mail.deliver(ms=int(age[name].timestamp() * 1_000)) for name in ("old", "new"))
    await box.synced()
    assert list(box.shown()) == [new]
    box.mail.label(old, ["STARRED"])
    box.google.clock.advance(10 * 86_400)
    later = box.mail.deliver()
    await box.synced()
    box.mail.expire_history()
    await box.synced()
    assert set(box.shown()) == {new, later}
    assert old not in box.versions()
    box.mail.delete(new)
    box.mail.expire_history()
    await box.synced()
    assert set(box.shown()) == {later}
    box.reconfigure(days=32)
    await box.synced()
    assert set(box.shown()) == {old, later}


async def test_the_owners_own_labels_have_names(open_box: Open) -> None:
    """Covers A1.37: a label that is made later as well; the list of them is asked for once a walk,
    and not where no message has one."""
    box = await open_box(messages=20)
    await box.synced()
    assert box.calls()["calls"]["labels.list"] == 1
    name = box.mail.nth(0)
    box.mail.label(name, [box.mail.create_label("Küche \N{CRAB}")])
    await box.synced()
    assert "Küche \N{CRAB}" in labels_of(box, name)
    assert box.shown() == box.truth()
    assert box.calls()["calls"]["labels.list"] == 2
    box.mail.deliver(labels=["INBOX"])
    await box.synced()
    assert box.calls()["calls"]["labels.list"] == 2


async def test_a_renamed_label_is_called_so_with_the_next_change(open_box: Open) -> None:
    """Gmail counts a new name as no change of any message; one that is fetched anew has it. A label
    that is there no more is called by its id."""
    box = await open_box(messages=3)
    label = box.mail.create_label("Before")
    first, second = box.mail.nth(0), box.mail.nth(1)
    for name in (first, second):
        box.mail.label(name, [label])
    await box.synced()
    box.mail.labels[label] = "After"
    box.mail.label(first, ["STARRED"])
    await box.synced()
    assert "After" in labels_of(box, first)
    assert "Before" in labels_of(box, second)
    del box.mail.labels[label]
    box.mail.label(second, ["STARRED"])
    await box.synced()
    assert label in labels_of(box, second)


async def test_a_label_may_be_called_anything(open_box: Open) -> None:
    """Covers A1.39: what a message is, its labels' ids say."""
    box = await open_box(messages=0)
    raw = b"From: bob@b.example\r\n\r\nx"
    name = box.mail.deliver(raw, labels=["INBOX", box.mail.create_label("Sent items")])
    await box.synced()
    [row] = box.of_stream("source_id, direction, labels", "interactions")
    assert row == {"source_id": name, "direction": "inbound", "labels": ["INBOX", "Sent items"]}


def labels_of(box: Box, name: str) -> list[str]:
    """What a message's labels are called."""
    rows = box.of_stream("source_id, labels", "interactions")
    return next(row["labels"] for row in rows if row["source_id"] == name)
