"""Gmail: everything once by listing, then what has changed, and a listing again after a gap.

A walk takes the mailbox's historyId, lists all messages, and then asks what has changed since that
id (rule G1). Where it ends is where the next begins. Changes name messages; each is fetched as it
is now, whole: a version stands alone (docs/decisions/0018).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import msgspec
from pydantic import BaseModel

from headrace.account import Account
from headrace.errors import Expired, HeadraceError, NeedsHuman
from headrace.google import refusals
from headrace.google.choice import Choice, GmailConfig, choice_of
from headrace.google.letters import (
    Aliases,
    Changes,
    Labels,
    Letter,
    Listed,
    Profile,
    T,
    gone,
    read_letter,
)
from headrace.google.place import Place
from headrace.http import Answer, Policy
from headrace.http.policy import GOOGLE
from headrace.provider import JSON, BadRecord, Census, Estimate, Owner, Page, StreamPlan

CONTENT = "application/vnd.gmail.message+json"
CHUNK = 50
"""Messages fetched between two pauses (A1.4)."""

_ME = "gmail/v1/users/me"
# What Google bills (rule G11). Only the allowance is configuration: these are the API's own.
_PROFILE, _LABELS, _SEND_AS, _HISTORY, _LIST, _GET = 1, 1, 1, 2, 5, 5

_SHARE = 0.95
"""Of the allowance: any sixty seconds may hold a burst, and what was drawn a little earlier."""

_DAY = 86_400


class Gmail(Account):
    """One mailbox at Gmail, as the stream `mail`."""

    name: ClassVar[str] = "gmail"
    kind: ClassVar[str] = "google_gmail_sync"
    aliases: ClassVar[tuple[str, ...]] = ("gmail_sync", "gmail:fetch")
    issuer: ClassVar[str | None] = "google"
    scopes: ClassVar[tuple[str, ...]] = ("https://www.googleapis.com/auth/gmail.readonly",)
    policy: ClassVar[Policy] = GOOGLE
    Config: ClassVar[type[BaseModel]] = GmailConfig
    config: GmailConfig

    def __init__(self, config: GmailConfig, *, secret: str | None = None) -> None:
        super().__init__(config, secret=secret)
        self.items_per_run = config.items_per_run
        self.units_per_minute = int(config.units_per_minute * _SHARE)
        self._choice: Choice | None = None

    def explain(self, answer: Answer) -> HeadraceError | None:
        """Google's own reasons for refusing (rule G10)."""
        return refusals.explain(answer, "Gmail", "for reading your mail")

    def refusal(self, path: str, answer: Answer) -> Any:  # noqa: ARG002 - all paths alike
        """None for what is gone, and for a page token that is good no more."""
        error = self.api().error(answer)
        if refusals.is_gone(answer) or (answer.status == 400 and isinstance(error, NeedsHuman)):
            return None
        raise error

    async def streams(self) -> Sequence[StreamPlan]:
        """The mailbox is one stream: an id in a history may be anywhere in it."""
        return [StreamPlan("mail", content=CONTENT)]

    async def owner(self) -> Owner:
        """The account's address, and all others that it sends from."""
        account = (await self._profile()).email_address.lower()
        said = await self._one("settings/sendAs", Aliases, _SEND_AS)
        aliases = [
            one.send_as_email.lower()
            for one in said.send_as
            if one.verification_status == "accepted"
        ]
        return Owner(account, tuple(dict.fromkeys([account, *aliases])))

    async def estimate(self) -> Estimate:
        """For a preview. What Gmail says of a part of a mailbox is a guess; of a whole one it is
        right."""
        choice = await self._chosen()
        total = (await self._profile()).messages_total
        if choice.labels or choice.days is not None:
            since = self._since(choice)
            guesses = [
                (await self._list(choice, Place(listing=at, after=since))).result_size_estimate
                for at in range(max(1, len(choice.labels)))
            ]
            total = min(total, sum(guesses))
        units = total * _GET + (1 + total // CHUNK) * _LIST + _PROFILE + _HISTORY
        return Estimate(total, units, units / self.config.units_per_minute)

    async def fetch(self, stream: str, slice_: str, cursor: JSON) -> Page:  # noqa: ARG002 - one
        """A page of the listing, or of the changes. Raises Expired for a history too old."""
        place = msgspec.convert(cursor or {}, Place)
        choice = await self._chosen()
        if not place.history:
            return await self._begin(choice, place)
        if place.of != str(choice):
            raise Expired("Another choice of mail is wanted than was listed.")
        if place.listing is not None:
            return await self._listed(choice, place)
        return await self._changed(choice, place)

    # --- the listing ------------------------------------------------------------------------------

    async def _begin(self, choice: Choice, place: Place) -> Page:
        """Rule G1: the historyId first; whatever happens during the listing comes after it."""
        profile = await self._profile()
        after = self._since(choice) if place.of != str(choice) else place.after
        begun = Place(profile.history_id, listing=0, after=after, of=str(choice))
        page = await self._listed(choice, begun, first=True)
        if not choice.labels and after is None:
            page.left = max(0, profile.messages_total - len(page.records))
        return page

    async def _listed(self, choice: Choice, place: Place, *, first: bool = False) -> Page:
        await self.pace(self.config.pause_ms / 1_000)
        said = await self._list(choice, place)
        letters, bad = await self._letters(one.id for one in said.messages)
        records = [
            one.record()
            for one in letters.values()
            if one is not None and choice.wants(one) and place.covers(one)
        ]
        place = msgspec.structs.replace(place, page=said.next_page_token)
        last = False
        if not place.page:
            assert place.listing is not None, "it is being listed"
            last = place.listing + 1 >= len(choice.labels)
            place.listing = None if last else place.listing + 1
        census = Census(first=first, last=last)
        return Page(records, place.cursor(), more=True, bad=bad, census=census)

    async def _list(self, choice: Choice, place: Place) -> Listed:
        params = {"maxResults": str(CHUNK)}
        if choice.with_hidden:
            params["includeSpamTrash"] = "true"
        if choice.labels:
            params["labelIds"] = choice.labels[place.listing or 0]
        if place.after is not None:
            params["q"] = f"after:{place.after - 1}"  # a second early: `covers` is exact
        return await self._page("messages", place, Listed, _LIST, params)

    # --- the changes ------------------------------------------------------------------------------

    async def _changed(self, choice: Choice, place: Place) -> Page:
        """Rule G6: the last page's historyId is where the next walk begins, and no other's."""
        await self.pace(self.config.pause_ms / 1_000)
        params = {"startHistoryId": place.history, "maxResults": str(CHUNK)}
        said = await self._page("history", place, Changes, _HISTORY, params)
        records = {
            name: gone(name, change.id) for change in said.history for name in change.deleted()
        }
        touched = {name: None for change in said.history for name in change.touched()}
        letters, bad = await self._letters(name for name in touched if name not in records)
        for name, letter in letters.items():
            if letter is None:  # deleted since: rule G7
                records[name] = gone(name, said.history_id)
            elif place.covers(letter):
                wanted = choice.wants(letter)
                records[name] = letter.record() if wanted else gone(name, letter.history_id)
        place = msgspec.structs.replace(place, page=said.next_page_token)
        if not place.page:
            place.history = max(place.history, said.history_id, key=int)
        more = bool(place.page)
        return Page(list(records.values()), place.cursor(), more, bad=bad)

    # --- what is asked ----------------------------------------------------------------------------

    async def _page(
        self, path: str, place: Place, shape: type[T], units: int, params: dict[str, str]
    ) -> T:
        """Raises Expired for a history that is too old (rule G3), and for a page token that is."""
        if place.page:
            params["pageToken"] = place.page
        allow = {400, 404} if place.page else {404}
        said, answer = await self.answer(
            f"{_ME}/{path}", units=units, allow=allow, params=params, shape=shape
        )
        if said is not None:
            return said  # type: ignore[no-any-return]
        again = place.anew()
        if answer.status == 400 and place.listing is None:
            again = msgspec.structs.replace(place, page="")  # its historyId may still be good
        raise Expired("Gmail no longer knows where this walk was.", cursor=again.cursor())

    async def _letters(
        self, names: Iterable[str]
    ) -> tuple[dict[str, Letter | None], list[BadRecord]]:
        """The messages of these ids as they are now, None for one that is gone."""
        asked = list(dict.fromkeys(names))
        if asked:
            await self.spend(_GET * len(asked))
        answers = await self.each(asked, self._letter)
        bad = [one for one in answers if isinstance(one, BadRecord)]
        found = zip(asked, answers, strict=True)
        return {name: one for name, one in found if not isinstance(one, BadRecord)}, bad

    async def _letter(self, name: str) -> Letter | BadRecord | None:
        def parse(answer: Answer) -> Letter | BadRecord | None:
            if answer.status >= 300:
                return self.refusal(name, answer)  # type: ignore[no-any-return]
            return read_letter(name, answer)

        path = f"{_ME}/messages/{name}"
        return await self.api().ask(
            "GET", path, params={"format": "full"}, allow={404}, parse=parse
        )

    async def _one(self, path: str, shape: type[T], units: int) -> T:
        said, _ = await self.answer(f"{_ME}/{path}", units=units, shape=shape)
        return said  # type: ignore[no-any-return]

    async def _profile(self) -> Profile:
        return await self._one("profile", Profile, _PROFILE)

    async def _chosen(self) -> Choice:
        """What the config wants. Raises NeedsHuman for a label that the mailbox does not have."""
        if self._choice is None:
            config = self.config
            ids = await self._label_ids() if config.labels else {}
            for label in config.labels:
                if label not in ids:
                    raise NeedsHuman(
                        f"There is no label {label!r} in this mailbox.",
                        hint="Correct the connection's labels: names and ids are both understood.",
                    )
            labels = [ids[label] for label in config.labels]
            self._choice = choice_of(labels, config)
        return self._choice

    async def _label_ids(self) -> dict[str, str]:
        said = await self._one("labels", Labels, _LABELS)
        names = {one.name: one.id for one in said.labels}
        return names | {one.id: one.id for one in said.labels}

    def _since(self, choice: Choice) -> int | None:
        return None if choice.days is None else int(self.clock.wall()) - choice.days * _DAY
