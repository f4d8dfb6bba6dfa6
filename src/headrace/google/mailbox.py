"""What is asked of a mailbox at Gmail, and what Google bills for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from headrace.account import Account
from headrace.errors import NeedsHuman, Retry
from headrace.google import refusals
from headrace.google.choice import Choice
from headrace.google.letters import (
    Aliases,
    Changes,
    Content,
    Label,
    Labels,
    Letter,
    Listed,
    Profile,
    T,
    read_letter,
)
from headrace.google.patience import InTrouble, Letters, Patience
from headrace.google.place import Place
from headrace.http import Answer
from headrace.mail.gmail import attached
from headrace.mail.transfer import from_base64
from headrace.provider import Attachment, BadRecord

STREAM = "mail"
CHUNK = 50
"""Messages fetched between two pauses (A1.4)."""

# What Google bills (rule G11). Only the allowance is configuration: these are the API's own.
_PROFILE, _LABELS, _SEND_AS, _HISTORY, _LIST, _GET, _ATTACHMENT = 1, 1, 1, 2, 5, 5, 5

_ME = "gmail/v1/users/me"
_SINGLE = {404, *range(500, 600)}
_NONE: Mapping[str, str] = {}


class Mailbox:
    """The mailbox of one account, which pays for what is asked. All raise like `Provider.fetch`."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._names: dict[str, str] = {}

    async def profile(self) -> Profile:
        """The account's address, its size, and where its history is."""
        return await self._one("profile", Profile, _PROFILE)

    async def addresses(self) -> list[str]:
        """All addresses that it sends from, and that are known to be its owner's."""
        said = await self._one("settings/sendAs", Aliases, _SEND_AS)
        sure = [one for one in said.send_as if one.verification_status == "accepted"]
        return [one.send_as_email.lower() for one in sure]

    async def labels(self) -> list[Label]:
        """Its labels."""
        return (await self._one("labels", Labels, _LABELS)).labels

    async def size(self, choice: Choice, after: int | None) -> int:
        """About how many messages are wanted. Of a part of a mailbox Gmail guesses; of a whole one
        it is right."""
        total = (await self.profile()).messages_total
        if not choice.labels and after is None:
            return total
        guesses = [
            (await self.messages(choice, Place(listing=at, after=after))).result_size_estimate
            for at in range(max(1, len(choice.labels)))
        ]
        return min(total, sum(guesses))

    async def messages(self, choice: Choice, place: Place) -> Listed:
        """A page of the listing."""
        params = {"maxResults": str(CHUNK)}
        if choice.with_hidden:
            params["includeSpamTrash"] = "true"
        if choice.labels:
            params["labelIds"] = choice.labels[place.listing or 0]
        if place.after is not None:
            params["q"] = f"after:{place.after - 1}"  # a second early: `covers` is exact
        return await self._page("messages", place, Listed, _LIST, params)

    async def changes(self, place: Place) -> Changes:
        """A page of what has changed."""
        params = {"startHistoryId": place.since, "maxResults": str(CHUNK)}
        return await self._page("history", place, Changes, _HISTORY, params)

    async def letters(self, names: Iterable[str], owed: Sequence[str] = ()) -> Letters:
        """The messages of these ids as they are now; `owed` are those put aside before."""
        asked = list(dict.fromkeys(names))
        answers = await self._account.each(asked, Patience(self, owed).letter, units=_GET)
        found = Letters()
        for name, one in zip(asked, answers, strict=True):
            if isinstance(one, BadRecord):
                found.bad.append(one)
            elif isinstance(one, InTrouble):
                found.owed[name] = one
            else:
                found.by_id[name] = one
        await self._name_labels([one for one in found.by_id.values() if one is not None])
        return found

    async def gives_others(self, name: str) -> bool:
        """Whether another message, that is here already, can be fetched."""
        known = [one for one, _ in await self._account.known(STREAM, "", 2) if one != name]
        if not known:
            return False
        await self._account.spend(_GET)
        return isinstance(await self.letter(known[0]), Letter)

    async def attachment(self, name: str, number: int) -> Attachment | None:
        """What is attached to a message, which is fetched anew for it: what an attachment is asked
        for by is another id in each answer (rule G13)."""
        found = await self.letters([name])
        letter = found.by_id.get(name)
        held = attached(letter.body, number) if letter is not None else None
        if held is None:
            return None
        if not held.id:
            return held.attachment
        said = await self._one(f"messages/{name}/attachments/{held.id}", Content, _ATTACHMENT)
        return msgspec.structs.replace(held.attachment, content=from_base64(said.data.encode()))

    async def _name_labels(self, letters: Sequence[Letter]) -> None:
        """Name their owner's own labels. The list of them is asked for once, and again for a label
        that is not on it."""
        unknown = {label for one in letters for label in one.own_labels} - self._names.keys()
        if unknown:
            self._names = dict.fromkeys(unknown, "")  # one that was deleted is not asked for again
            self._names |= {one.id: one.name for one in await self.labels()}
        for one in letters:
            named = {label: self._names[label] for label in sorted(one.own_labels)}
            one.names = {label: name for label, name in named.items() if name}

    def refusal(self, answer: Answer) -> None:
        """Raises, but for what is gone, and for a page token that is good no more."""
        error = self._account.api().error(answer)
        if refusals.is_gone(answer) or (answer.status == 400 and isinstance(error, NeedsHuman)):
            return
        raise error

    async def _page(
        self, path: str, place: Place, shape: type[T], units: int, params: dict[str, str]
    ) -> T:
        """Raises Expired for a history that is too old (rule G3), and for a page token that is."""
        if place.page:
            params["pageToken"] = place.page
        allow = {400, 404} if place.page else {404}
        said, answer = await self._ask(path, shape, units, allow=allow, params=params)
        if said is not None:
            return said  # type: ignore[no-any-return]
        again = place.anew()
        if answer.status == 400 and place.listing is None:
            again = msgspec.structs.replace(place, page="")  # its historyId may still be good
        raise again.begin_here("Gmail no longer knows where this walk was.")

    async def letter(self, name: str) -> Letter | BadRecord | None:
        """One message, which is paid for already; None where it is gone. Raises InTrouble for a
        5xx, after all attempts."""

        def parse(answer: Answer) -> Letter | BadRecord | None:
            if answer.status < 300:
                return read_letter(name, answer)
            if answer.status >= 500:
                error = self._account.api().error(answer)
                after = error.after if isinstance(error, Retry) else None
                raise InTrouble(error.message, after=after, hint=error.hint)
            self.refusal(answer)
            return None

        path = f"{_ME}/messages/{name}"
        return await self._account.api().ask(
            "GET", path, params={"format": "full"}, allow=_SINGLE, parse=parse
        )

    async def _one(self, path: str, shape: type[T], units: int) -> T:
        return (await self._ask(path, shape, units))[0]  # type: ignore[no-any-return]

    async def _ask(
        self,
        path: str,
        shape: type[T],
        units: int,
        *,
        allow: Iterable[int] = (),
        params: Mapping[str, str] = _NONE,
    ) -> tuple[Any, Answer]:
        return await self._account.answer(
            f"{_ME}/{path}", units=units, allow={*allow}, params=params, shape=shape
        )


def units_for(messages: int) -> int:
    """What Google bills for the first sync of so many."""
    return messages * _GET + (1 + messages // CHUNK) * _LIST + _PROFILE + _HISTORY
