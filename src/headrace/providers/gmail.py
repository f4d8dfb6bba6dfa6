"""Gmail: everything once by listing, then what has changed, and a listing again after a gap.

A walk takes the mailbox's historyId, lists all messages, and then asks what has changed since that
id (rule G1). Where it ends is where the next begins. Changes name messages; each is fetched as it
is now, whole: a version stands alone (docs/decisions/0018).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import BaseModel

from headrace.errors import Expired, HeadraceError
from headrace.google import refusals
from headrace.google.choice import Choice, GmailConfig, choice_of, ids_of
from headrace.google.letters import gone
from headrace.google.mailbox import STREAM, Mailbox, units_for
from headrace.google.place import Place
from headrace.http import GOOGLE, Answer, Policy
from headrace.in_step import InStep, Told
from headrace.provider import Attachment, Estimate, Owner, Record, StreamPlan

CONTENT = "application/vnd.gmail.message+json"

_SHARE = 0.95
"""Of the allowance: any sixty seconds may hold a burst, and what was drawn a little earlier."""


class Gmail(InStep[Place]):
    """One mailbox at Gmail, as the stream `mail`."""

    name: ClassVar[str] = "gmail"
    kind: ClassVar[str] = "google_gmail_sync"
    aliases: ClassVar[tuple[str, ...]] = ("gmail_sync", "gmail:fetch")
    issuer: ClassVar[str | None] = "google"
    scopes: ClassVar[tuple[str, ...]] = ("https://www.googleapis.com/auth/gmail.readonly",)
    policy: ClassVar[Policy] = GOOGLE
    Config: ClassVar[type[BaseModel]] = GmailConfig
    config: GmailConfig
    place = Place

    def __init__(self, config: GmailConfig, *, secret: str | None = None) -> None:
        super().__init__(config, secret=secret)
        self.items_per_run = config.items_per_run
        self.units_per_minute = int(config.units_per_minute * _SHARE)
        self.pause = config.pause_ms / 1_000
        self._mailbox = Mailbox(self)
        self._choice: Choice | None = None

    async def streams(self) -> Sequence[StreamPlan]:
        """The mailbox is one stream: an id in a history may be anywhere in it."""
        return [StreamPlan(STREAM, content=CONTENT)]

    async def owner(self) -> Owner:
        """The account's address, and all others that it sends from."""
        account = (await self._mailbox.profile()).email_address.lower()
        others = await self._mailbox.addresses()
        return Owner(account, tuple(dict.fromkeys([account, *others])))

    async def estimate(self) -> Estimate:
        """For a preview."""
        choice = await self._chosen()
        total = await self._mailbox.size(choice, choice.since(self.clock.wall()))
        units = units_for(total)
        return Estimate(total, units, units / self.config.units_per_minute)

    async def listed(self, stream: str, at: Place) -> Told[Place]:  # noqa: ARG002 - one stream
        """The historyId first: whatever happens during the listing comes after it (rule G1)."""
        choice = await self._chosen(at)
        left = None
        if at.is_first:
            profile = await self._mailbox.profile()
            known = at.of == str(choice)
            after = at.after if known else choice.since(self.clock.wall())
            at = Place(since=profile.history_id, listing=0, after=after, of=str(choice))
            left = profile.messages_total if choice.is_everything else None
        said = await self._mailbox.messages(choice, at)
        found = await self._mailbox.letters((one.id for one in said.messages), at.owed)
        records = [
            one.record()
            for one in found.by_id.values()
            if one is not None and choice.wants(one) and at.covers(one)
        ]
        left = None if left is None else max(0, left - len(records))
        following = at.then(said.next_page_token, len(choice.labels), found)
        return Told(records, following, more=True, bad=found.put_aside(at.owed), left=left)

    async def changed(self, stream: str, at: Place) -> Told[Place]:  # noqa: ARG002 - one stream
        """Rule G6: the last page's historyId is where the next walk begins, and no other's."""
        choice = await self._chosen(at)
        said = await self._mailbox.changes(at)
        records = {
            name: gone(name, change.id) for change in said.history for name in change.deleted()
        }
        asked = [name for change in said.history for name in change.touched()]
        asked += () if at.page else at.owed  # once a walk
        found = await self._mailbox.letters((one for one in asked if one not in records), at.owed)
        for name, letter in found.by_id.items():
            if letter is None:  # deleted since: rule G7
                records[name] = gone(name, said.history_id)
            elif at.covers(letter):
                wanted = choice.wants(letter)
                records[name] = letter.record() if wanted else gone(name, letter.history_id)
        more = bool(said.next_page_token)
        since = at.since if more else max(at.since, said.history_id, key=int)
        following = msgspec.structs.replace(
            at, page=said.next_page_token, since=since, owed=at.owing(found, gone=records)
        )
        return Told(list(records.values()), following, more, bad=found.put_aside(at.owed))

    async def _chosen(self, at: Place | None = None) -> Choice:
        """What the config wants. Raises NeedsHuman for a label that the mailbox does not have, and
        Expired where another choice was listed."""
        if self._choice is None:
            wanted = self.config.labels
            labels = await self._mailbox.labels() if wanted else []
            self._choice = choice_of(ids_of(wanted, labels), self.config)
        if at is not None and not at.is_first and at.of != str(self._choice):
            raise Expired("Another choice of mail is wanted than was listed.")
        return self._choice

    async def attachment(self, raw: Record, number: int) -> Attachment | None:
        """What is attached to a message, from Gmail."""
        return await self._mailbox.attachment(raw.source_id, number)

    def explain(self, answer: Answer) -> HeadraceError | None:
        """Google's own reasons for refusing (rule G10)."""
        return refusals.explain(answer, "Gmail", "for reading your mail")

    def refusal(self, path: str, answer: Answer) -> None:  # noqa: ARG002 - all paths alike
        """None for what is gone, and for a page token that is good no more."""
        self._mailbox.refusal(answer)
