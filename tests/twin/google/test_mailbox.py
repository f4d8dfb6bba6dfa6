"""The mailbox tells the truth: lists, and history, whatever happens and whenever."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from email import message_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.twin.google.direct import Direct
from tests.twin.google.mail_copy import Copy, apply, without_bytes
from tests.twin.google.visitor import GMAIL, Visitor

from headrace.twin.google.mailbox import Mailbox
from headrace.twin.message import Refused

Start = Callable[..., Awaitable[Visitor]]
MESSAGES, HISTORY = f"{GMAIL}/messages", f"{GMAIL}/history"
ALL = {"includeSpamTrash": "true", "maxResults": "7"}
ACTS = (
    "deliver", "old", "label", "unlabel", "trash", "untrash", "spam", "unspam", "delete", "draft",
    "edit_draft", "send_draft",
)  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 40)), max_size=12)


def act(box: Mailbox, what: str, which: int) -> None:
    """One of the things that can happen to the n-th newest message, or to a draft."""
    name = box.nth(which % len(box)) if len(box) else ""
    draft = list(box.drafts)[which % len(box.drafts)] if box.drafts else ""
    match what:
        case "deliver":
            box.deliver()
        case "old":
            box.deliver(ms=1_700_000_000_000 + which)
        case "draft":
            box.draft()
        case "edit_draft" | "send_draft" if draft:
            getattr(box, what)(draft)
        case "label" | "unlabel" if name:
            getattr(box, what)(name, [("STARRED", "Label_1", "UNREAD")[which % 3]])
        case "trash" | "untrash" | "spam" | "unspam" | "delete" if name:
            getattr(box, what)(name)


@given(
    before=STEPS,
    between=st.lists(STEPS, max_size=8),
    start=st.sampled_from([1_000, 2**53 - 3, 2**63 - 3]),
    sparse=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_an_old_copy_and_its_history_make_the_new_truth(
    before: list[tuple[str, int]], between: list[list[tuple[str, int]]], start: int, sparse: bool
) -> None:
    """Covers G1 G2 G5 G6, the server's side of them: things happen between the pages, too."""
    twin = Direct(messages=40, history_start=start, sparse=sparse)
    box = twin.google.account().mailbox
    copy: Copy = without_bytes(box.truth())
    since = str(box.history.now)
    for step in before:
        act(box, *step)
    later = iter(between)
    for page in twin.pages(HISTORY, {"startHistoryId": since, "maxResults": "3"}):
        apply(copy, page)
        for step in next(later, []):
            act(box, *step)
        reached = page["historyId"]
    for page in twin.pages(HISTORY, {"startHistoryId": reached}):
        apply(copy, page)
    assert copy == without_bytes(box.truth())


@given(between=st.lists(STEPS, max_size=8))
@settings(max_examples=40, deadline=None)
def test_a_list_and_the_history_since_before_it_make_the_truth(
    between: list[list[tuple[str, int]]],
) -> None:
    """Covers G1, the server's side of it: and no message comes twice in a list."""
    twin = Direct(messages=40)
    box = twin.google.account().mailbox
    since = twin.ask(f"{GMAIL}/profile")[1]["historyId"]
    copy: Copy = {}
    later = iter(between)
    listed: list[str] = []
    for page in twin.pages(MESSAGES, ALL):
        for item in page.get("messages", ()):
            listed.append(item["id"])
            status, mail = twin.ask(f"{MESSAGES}/{item['id']}", {"format": "minimal"})
            assert status == 200
            copy[item["id"]] = {key: mail[key] for key in ("labelIds", "threadId", "historyId")}
        for step in next(later, []):
            act(box, *step)
    assert len(listed) == len(set(listed))
    for page in twin.pages(HISTORY, {"startHistoryId": since}):
        apply(copy, page)
    assert copy == without_bytes(box.truth())


async def test_a_list_alone_misses_what_arrives_during_it(start: Start) -> None:
    """Covers G1, the hazard: new mail stands before the page that is asked for next."""
    visitor = await start(messages=20)
    during = {"at": {"call": "messages.list", "n": 3}, "changes": [{"do": "deliver", "n": 2}]}
    await visitor.post("/admin/during", during)
    listed = [x async for page in visitor.pages(MESSAGES, ALL) for x in page["messages"]]
    truth = await visitor.truth("gmail")
    assert len(truth) == 22
    assert len({item["id"] for item in listed}) == len(listed) == 20


async def test_newest_first_and_without_spam_and_trash_unless_asked(start: Start) -> None:
    """Covers G8."""
    visitor = await start(messages=100)
    truth = await visitor.truth("gmail")
    listed = [x["id"] async for p in visitor.pages(MESSAGES) for x in p["messages"]]
    times = [int((await visitor.get(f"{MESSAGES}/{one}"))["internalDate"]) for one in listed[:20]]
    assert times == sorted(times, reverse=True)
    hidden = {n for n, one in truth.items() if {"SPAM", "TRASH"} & set(one["labelIds"])}
    assert hidden
    assert set(listed) == set(truth) - hidden
    everything = [x["id"] async for p in visitor.pages(MESSAGES, ALL) for x in p["messages"]]
    assert set(everything) == set(truth)
    found = await visitor.get(MESSAGES, {"labelIds": "TRASH"})
    assert {x["id"] for x in found["messages"]} == {
        name for name, one in truth.items() if "TRASH" in one["labelIds"]
    }


async def test_a_search_by_time_and_place(start: Start) -> None:
    visitor = await start(messages=100)
    listed = [x["id"] async for p in visitor.pages(MESSAGES, ALL) for x in p["messages"]]
    middle = int((await visitor.get(f"{MESSAGES}/{listed[40]}"))["internalDate"]) // 1_000 + 1
    for q, expected in (
        (f"in:anywhere after:{middle}", listed[:40]),
        (f"in:anywhere before:{middle}", listed[40:]),
        ("in:anywhere after:2024/01/01 before:2024-01-01", []),
    ):
        found = [
            x["id"] async for p in visitor.pages(MESSAGES, {"q": q}) for x in p.get("messages", ())
        ]
        assert found == expected
    unread = await visitor.get(MESSAGES, {"q": "is:unread -in:spam label:inbox"})
    assert unread["messages"]
    await visitor.get(MESSAGES, {"q": "frobnicate:yes"}, status=400)


async def test_a_page_token_belongs_to_its_question(start: Start) -> None:
    visitor = await start(messages=20)
    page = await visitor.get(MESSAGES, {"maxResults": "5"})
    token = {"pageToken": page["nextPageToken"]}
    assert await visitor.get(MESSAGES, {**token, "maxResults": "3"})
    await visitor.get(MESSAGES, {**token, "labelIds": "INBOX"}, status=400)
    await visitor.get(MESSAGES, {"pageToken": "bm9uZQ=="}, status=400)
    await visitor.get(f"{GMAIL}/drafts", token, status=400)
    inbox = {"labelIds": "INBOX", "maxResults": "2"}
    page = await visitor.get(MESSAGES, inbox)
    assert await visitor.get(MESSAGES, {**inbox, "pageToken": page["nextPageToken"]})


@pytest.mark.parametrize("wrong", [{"maxResults": "0"}, {"maxResults": "x"}, {"labelids": "INBOX"}])
async def test_a_parameter_nobody_knows_is_refused(start: Start, wrong: dict[str, str]) -> None:
    error = (await (await start()).get(MESSAGES, wrong, status=400))["error"]
    assert error["errors"][0]["location"] == next(iter(wrong))


async def test_a_page_is_capped_at_five_hundred(start: Start) -> None:
    visitor = await start(messages=700)
    page = await visitor.get(MESSAGES, {"maxResults": "5000"})
    assert len(page["messages"]) == 500
    assert "nextPageToken" in page


@pytest.mark.parametrize("base", [2**53 + 1, 2**63 + 5, 2**64 - 1_000])
async def test_history_ids_are_as_large_as_they_come(start: Start, base: int) -> None:
    """Covers G2, the server's side of it: as text, and to the last digit."""
    visitor = await start(messages=5, history_start=base)
    profile = await visitor.get(f"{GMAIL}/profile")
    assert profile["historyId"] == str(base)
    done = await visitor.post("/admin/gmail/ada@example.com", [{"do": "deliver"}])
    page = await visitor.get(HISTORY, {"startHistoryId": profile["historyId"]})
    assert int(page["historyId"]) > base
    mail = await visitor.get(f"{MESSAGES}/{done['done'][0][0]}")
    assert mail["historyId"] == page["history"][0]["id"] == page["historyId"]


@pytest.mark.parametrize("page", [1, 3])
async def test_history_may_be_forgotten_at_any_page(start: Start, page: int) -> None:
    """Covers G3, the server's side of it."""
    visitor = await start(messages=5)
    since = (await visitor.get(f"{GMAIL}/profile"))["historyId"]
    await visitor.post("/admin/gmail/ada@example.com", [{"do": "deliver", "n": 6}])
    expires = {"at": {"call": "history.list", "n": page}, "changes": [{"do": "expire_history"}]}
    await visitor.post("/admin/during", expires)
    query = {"startHistoryId": since, "maxResults": "2"}
    for _ in range(page - 1):
        query["pageToken"] = (await visitor.get(HISTORY, query))["nextPageToken"]
    refused = await visitor.get(HISTORY, query, status=404)
    assert refused["error"]["errors"][0]["reason"] == "notFound"
    fresh = (await visitor.get(f"{GMAIL}/profile"))["historyId"]
    assert "history" not in await visitor.get(HISTORY, {"startHistoryId": fresh})


@pytest.mark.parametrize(("since", "status"), [("1", 404), ("9" * 25, 404), ("x", 400), ("", 400)])
async def test_an_id_that_was_never_given_is_refused(start: Start, since: str, status: int) -> None:
    await (await start()).get(HISTORY, {"startHistoryId": since}, status=status)


async def test_history_may_be_asked_for_some_changes_only(start: Start) -> None:
    """Covers G9, the hazard: with a label its own removal is not told."""
    visitor = await start(messages=5)
    box = visitor.google.account().mailbox
    since = str(box.history.now)
    name = box.deliver(labels=["INBOX", "Label_1"])
    box.unlabel(name, ["Label_1"])
    box.delete(name)
    two = [("startHistoryId", since), ("historyTypes", "messageAdded")]
    page = await visitor.get(HISTORY, [*two, ("historyTypes", "messageDeleted")])
    fields = [set(record) - {"id", "messages"} for record in page["history"]]
    assert fields == [{"messagesAdded"}, {"messagesDeleted"}]
    page = await visitor.get(HISTORY, {"startHistoryId": since, "labelId": "Label_1"})
    assert [set(record) - {"id", "messages"} for record in page["history"]] == [{"messagesAdded"}]
    await visitor.get(HISTORY, [*two, ("historyTypes", "all")], status=400)


async def test_empty_pages_are_not_the_end(start: Start) -> None:
    """Covers G5, the server's side of it."""
    visitor = await start(messages=5, sparse=True)
    since = (await visitor.get(f"{GMAIL}/profile"))["historyId"]
    await visitor.post("/admin/gmail/ada@example.com", [{"do": "deliver", "n": 20}])
    query = {"startHistoryId": since, "maxResults": "4"}
    pages = [page async for page in visitor.pages(HISTORY, query)]
    assert "history" not in pages[1]
    assert sum(len(page.get("history", ())) for page in pages) == 20


async def test_the_bytes_are_the_bytes(start: Start) -> None:
    """Covers G13: `raw` is what the truth is the digest of, and `full` is made of it."""
    raw = b"From: a@x.test\r\nSubject: =?utf-8?B?w6Q=?=\r\n\r\n\xff\x00 body"
    visitor = await start(messages=100)
    put = {"do": "deliver", "raw_base64": base64.b64encode(raw).decode(), "labels": ["INBOX"]}
    name = (await visitor.post("/admin/gmail/ada@example.com", [put]))["done"][0][0]
    truth = await visitor.truth("gmail")
    for one in (name, *list(truth)[:20]):
        mail = await visitor.get(f"{MESSAGES}/{one}", {"format": "raw"})
        content = base64.urlsafe_b64decode(mail["raw"])
        assert hashlib.sha256(content).hexdigest() == truth[one]["sha256"]
        assert mail["labelIds"] == truth[one]["labelIds"]
        assert (content == raw) == (one == name)
        full = await visitor.get(f"{MESSAGES}/{one}")
        assert full["payload"]["mimeType"] == message_from_bytes(content).get_content_type()
    head = await visitor.get(
        f"{MESSAGES}/{name}", [("format", "metadata"), ("metadataHeaders", "subject")]
    )
    assert head["payload"]["headers"] == [{"name": "Subject", "value": "ä"}]


async def test_an_attachment_goes_by_another_name_each_time(start: Start) -> None:
    """Covers G13."""
    visitor = await start(messages=60)
    for name in await visitor.truth("gmail"):
        first = await visitor.get(f"{MESSAGES}/{name}")
        if first["payload"]["mimeType"] == "multipart/mixed":
            break
    again = await visitor.get(f"{MESSAGES}/{name}")
    ids = [one["payload"]["parts"][1]["body"]["attachmentId"] for one in (first, again)]
    assert ids[0] != ids[1]
    bodies = [await visitor.get(f"{MESSAGES}/{name}/attachments/{one}") for one in ids]
    assert bodies[0] == bodies[1]
    assert base64.urlsafe_b64decode(bodies[0]["data"]).startswith(b"%PDF")
    assert bodies[0]["size"] == first["payload"]["parts"][1]["body"]["size"]
    await visitor.get(f"{MESSAGES}/{name}/attachments/none", status=400)


async def test_a_draft_has_another_message_after_every_edit(start: Start) -> None:
    """Covers G13."""
    visitor = await start(messages=5)
    changes = [{"do": "draft"}, *[{"do": "edit_draft"}] * 5]
    done = (await visitor.post("/admin/gmail/ada@example.com", changes))["done"]
    draft, messages = done[0][0], [one[0] for one in done[1:]]
    listed = (await visitor.get(f"{GMAIL}/drafts"))["drafts"]
    assert [(one["id"], one["message"]["id"]) for one in listed] == [(draft, messages[-1])]
    assert (await visitor.get(f"{GMAIL}/drafts/{draft}"))["message"]["id"] == messages[-1]
    for gone in messages[:-1]:
        await visitor.get(f"{MESSAGES}/{gone}", status=404)
    sent = (await visitor.post("/admin/gmail/ada@example.com", [{"do": "send_draft"}]))["done"]
    assert (await visitor.get(f"{MESSAGES}/{sent[0][0]}"))["labelIds"] == ["SENT"]
    assert "drafts" not in await visitor.get(f"{GMAIL}/drafts")


async def test_an_alias_is_an_address_of_the_owner(start: Start) -> None:
    visitor = await start()
    put = [{"do": "alias", "address": "ada@lovelace.example", "name": "Ada"}]
    await visitor.post("/admin/gmail/ada@example.com", put)
    told = (await visitor.get(f"{GMAIL}/settings/sendAs"))["sendAs"]
    assert [one["sendAsEmail"] for one in told] == ["ada@example.com", "ada@lovelace.example"]


async def test_metadata_scope_shows_no_content(start: Start) -> None:
    visitor = await start(messages=3)
    scope = "https://www.googleapis.com/auth/gmail.metadata"
    visitor.token = str(visitor.google.grant(scopes=[scope])["access_token"])
    name = (await visitor.get(MESSAGES))["messages"][0]["id"]
    await visitor.get(f"{MESSAGES}/{name}", {"format": "metadata"})
    await visitor.get(f"{MESSAGES}/{name}", status=403)
    await visitor.get(MESSAGES, {"q": "in:anywhere"}, status=403)
    await visitor.get(f"{GMAIL}/drafts", status=403)


async def test_only_the_fields_asked_for(start: Start) -> None:
    visitor = await start(messages=3)
    page = await visitor.get(MESSAGES, {"maxResults": "1", "fields": "nextPageToken,messages/id"})
    assert set(page) == {"nextPageToken", "messages"}
    assert set(page["messages"][0]) == {"id"}
    name = page["messages"][0]["id"]
    mail = await visitor.get(f"{MESSAGES}/{name}", {"fields": "payload(headers/name,mimeType)"})
    assert set(mail["payload"]) == {"headers", "mimeType"}
    for wrong in ("id,,", "payload(", "(id)", "payload/", "a)b"):
        await visitor.get(f"{MESSAGES}/{name}", {"fields": wrong}, status=400)


def test_the_same_seed_has_the_same_mail() -> None:
    one, other, third = (Direct(messages=30, seed=seed) for seed in (3, 3, 4))
    truths = [twin.google.account().mailbox.truth() for twin in (one, other, third)]
    assert truths[0] == truths[1]
    assert not set(truths[0]) & set(truths[2])


def test_what_is_not_there_cannot_be_changed() -> None:
    box = Direct(messages=3).google.account().mailbox
    for wrong in (lambda: box.trash("0"), lambda: box.edit_draft("r0"), lambda: box.nth(3)):
        with pytest.raises(Refused):
            wrong()
    with pytest.raises(Refused):
        box.deliver(labels=["Label_99"])
