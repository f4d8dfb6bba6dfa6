"""Gmail at emulate: everything there, then what changes there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.stand_ins import google
from tests.stand_ins.account import Account, consent
from tests.stand_ins.deviations import deviations
from tests.stand_ins.emulate import Emulate
from tests.stand_ins.google import ANN, ANYBODY, BACK, LABEL, MAIL

from headrace.oauth.connect import Wish
from headrace.store.database import Database

MESSAGES = 120
HIDDEN = {"SPAM", "TRASH", "DRAFT"}
WRONG = {
    # Google pads base64, and its history ids fit into 64 bits.
    "messages.get $.payload.parts[].body.data has another form",
    "messages.get $.historyId has another form",
    "history.list $.history[].id has another form",
    "history.list $.history[].messages[].historyId has another form",
    "history.list $.history[].labelsAdded[].message.historyId has another form",
    "history.list $.history[].labelsRemoved[].message.historyId has another form",
    "history.list $.historyId has another form",
}


@asynccontextmanager
async def mailbox(
    pool: Database, messages: int = MESSAGES, **config: Any
) -> AsyncIterator[tuple[Emulate, Account]]:
    async with Emulate(google.fill).running("google", google.seed(messages)) as emulate:
        settings = google.settings(emulate.url)
        wish = Wish("gmail", config={"pause_ms": 0, **config})
        [row] = await consent(pool, settings, emulate, [wish], owner=ANN, back=BACK)
        yield emulate, Account(pool, settings, row, "normalize_google_email")


Wanted = Callable[[set[str]], bool]


async def there(
    emulate: Emulate, wanted: Wanted = lambda labels: not labels & HIDDEN
) -> dict[str, list[str]]:
    """The messages that emulate has, with their labels."""
    path = f"{MAIL}/messages"
    more = {"includeSpamTrash": "true", "maxResults": "500"}
    listed = (await emulate.ask("GET", path, token=ANYBODY, **more))["messages"]
    found = {}
    for one in listed:
        said = await emulate.ask("GET", f"{path}/{one['id']}", token=ANYBODY, format="minimal")
        if wanted(set(said["labelIds"])):
            found[said["id"]] = named(said["labelIds"])
    return found


async def here(account: Account) -> dict[str, list[str]]:
    rows = await account.of("interactions")
    return {name: named(row["labels"]) for name, row in rows.items()}


def named(labels: list[str]) -> list[str]:
    """Labels as people know them."""
    return sorted(LABEL["name"] if one == LABEL["id"] else one for one in labels)


async def test_all_mail_is_there_as_it_was_sent(pool: Database) -> None:
    """Covers A0.1, A1.31, A1.37 and G2: by a consent of emulate's own, page by page, with ids of
    history that have 21 digits."""
    async with mailbox(pool) as (emulate, account):
        assert account.connection["addresses"] == [ANN]
        await account.sync()
        rows = await account.of("interactions")
        assert await here(account) == await there(emulate)
        assert len(rows) == MESSAGES / 2
        for number in range(MESSAGES):
            sent = google.message(number)
            row = rows.pop(str(sent["id"]), None)
            assert (row is None) == bool(HIDDEN & {*sent["label_ids"]})
            if row is None:
                continue
            is_sent = "SENT" in sent["label_ids"]
            other = f"bob{number}@example.org"
            assert row["direction"] == ("outbound" if is_sent else "inbound")
            assert row["from_address"] == (ANN if is_sent else other)
            assert row["to_addresses"] == [other if is_sent else ANN]
            assert row["subject"] == sent["subject"]
            assert row["body"].strip() == f"Text of {number}"
            assert row["thread_id"] == sent["thread_id"]
            assert f"<{row['message_id']}>" == sent["message_id"]
            assert row["attachments"] == ([] if number % 4 else ["offer.pdf"])
            assert row["occurred_at"].timestamp() * 1_000 == int(sent["internal_date"])
        assert rows == {}
        pages = [one for one in emulate.said if one.path == f"{MAIL}/messages"]
        assert len(pages) > 1
        # Tokens are asked for once: what the consent gave is used.
        assert [one.path for one in emulate.said].count("/oauth2/token") == 1


async def test_what_changes_there_changes_here(pool: Database) -> None:
    """Covers G8 and G13: mail comes, is moved, read, labelled, trashed, taken out of the trash
    and deleted for good. What did not change is not fetched again."""
    async with mailbox(pool) as (emulate, account):
        await account.sync()

        async def do(what: str, body: Any = None, method: str = "POST") -> Any:
            return await emulate.ask(method, f"{MAIL}/messages{what}", body, token=ANYBODY)

        mail = {"from": "Eve <eve@example.org>", "to": ANN, "subject": "New", "body_text": "Ünique"}
        new = await do("/import", mail)
        both = await do("/import", {**mail, "subject": "Come and gone"})
        await do("/msg0000/modify", {"addLabelIds": [LABEL["id"]], "removeLabelIds": ["UNREAD"]})
        await do("/msg0006/trash")
        await do("/msg0003/untrash")
        await do("/msg0004/modify", {"addLabelIds": ["INBOX"], "removeLabelIds": ["SPAM"]})
        await do("/msg0008", method="DELETE")
        await do(f"/{both['id']}", method="DELETE")
        await do("/msg0012/trash")
        await do("/msg0012/untrash")
        emulate.said.clear()
        landed = await account.landed()
        await account.sync()
        assert await here(account) == await there(emulate)
        assert (await account.of("interactions"))[new["id"]]["body"].strip() == "Ünique"
        fetched = {one.path for one in emulate.said if one.path.startswith(f"{MAIL}/messages/")}
        changed = {"msg0000", "msg0003", "msg0004", "msg0006", "msg0012", new["id"]}
        assert {path.rpartition("/")[2] for path in fetched} == changed
        landed += len(changed) + 1  # the deleted one's tombstone
        assert await account.landed() == landed
        emulate.said.clear()
        await account.sync()
        assert await account.landed() == landed
        assert not any("/messages" in one.path for one in emulate.said)


async def test_a_label_by_its_name(pool: Database) -> None:
    """Covers G9: a label of the owner's is chosen, and a message that loses it goes."""
    async with mailbox(pool, labels=[LABEL["name"]]) as (emulate, account):

        def wanted(labels: set[str]) -> bool:
            return LABEL["id"] in labels

        await account.sync()
        assert await here(account) == await there(emulate, wanted)
        assert len(await here(account)) == MESSAGES / 6
        body = {"removeLabelIds": [LABEL["id"]]}
        await emulate.ask("POST", f"{MAIL}/messages/msg0001/modify", body, token=ANYBODY)
        await account.sync()
        assert await here(account) == await there(emulate, wanted)
        assert "msg0001" not in await here(account)


async def test_a_token_that_is_over_is_refreshed(pool: Database) -> None:
    """Covers A0.4 and O4: emulate gives another token for the refresh token, and no other one."""
    async with mailbox(pool, messages=6) as (emulate, account):
        await account.sync()
        account.over()
        emulate.said.clear()
        await account.sync()
        [asked] = [one for one in emulate.said if one.path == "/oauth2/token"]
        assert asked.status == 200
        assert "refresh_token" not in asked.body
        given = asked.body["access_token"]
        assert [one.token for one in emulate.said if "/history" in one.path] == [given]
        account.over()
        await account.sync()
        assert [one.path for one in emulate.said].count("/oauth2/token") == 2


async def test_where_emulate_is_not_gmail(pool: Database) -> None:
    """What its answers have that Google's do not. A newer one that mends it says so here."""
    async with mailbox(pool, messages=12) as (emulate, account):
        await account.sync()
        await emulate.ask("POST", f"{MAIL}/messages/msg0000/trash", token=ANYBODY)
        await account.sync()
        gmail = [one for one in emulate.said if one.path.startswith(MAIL)]
        assert deviations(gmail) == WRONG
