"""Mailboxes and calendars that lie on disk: mbox, Maildir, .eml, .ics, Google Takeout archives."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from headrace.errors import BadInput, Skip
from headrace.mail.message import attachment_of
from headrace.mailbox.detect import find
from headrace.mailbox.record import reread
from headrace.mailbox.walk import Source, Walk
from headrace.mailbox.walks import open_walk
from headrace.provider import JSON, Attachment, BadRecord, Page, Provider, Record, StreamPlan


class MailboxConfig(BaseModel):
    """Where the mail lies, and whose it is."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(
        min_length=1,
        description="An mbox, Maildir, .eml, .ics or Takeout .zip, or a folder of several.",
    )
    addresses: list[str] = Field(
        default=[],
        description="The account's own mail addresses: tell what was sent from what was received.",
    )

    @field_validator("path")
    @classmethod
    def _without_nul(cls, value: str) -> str:
        if "\0" in value:
            raise ValueError("a path cannot contain a NUL character")
        return value

    @field_validator("addresses")
    @classmethod
    def _lower_case(cls, value: list[str]) -> list[str]:
        if wrong := [one for one in value if "@" not in one]:
            raise ValueError(f"{wrong[0]!r} is not a mail address")
        return [one.strip().lower() for one in value]


class Mailbox(Provider):
    """One stream per mbox file, Maildir folder, folder of .eml files and calendar file.

    Cursors say where in a file to go on and how to know that it is still that file: an unchanged
    one costs a stat, one that has grown is read from its old end, a replaced one from its start.
    """

    name: ClassVar[str] = "mailbox"
    kind: ClassVar[str] = "mailbox_import"
    aliases: ClassVar[tuple[str, ...]] = ("mbox_import",)
    local: ClassVar[bool] = True
    Config: ClassVar[type[BaseModel]] = MailboxConfig

    config: MailboxConfig

    def __init__(self, config: MailboxConfig, *, secret: str | None = None) -> None:
        super().__init__(config, secret=secret)
        self._sources: dict[str, Source] | None = None
        self._walks: dict[str, tuple[Walk, threading.Lock]] = {}

    async def streams(self) -> Sequence[StreamPlan]:
        """The mailboxes and calendars there are now. Raises BadInput if there is none."""
        found = await asyncio.to_thread(_find, self.config.path)
        self._sources = {source.name: source for source in found}
        return [StreamPlan(name=source.name, content=source.content) for source in found]

    async def fetch(self, stream: str, slice_: str, cursor: JSON) -> Page:  # noqa: ARG002
        """Up to 500 messages or 4 MiB. Raises BadInput (gone, unreadable, not mail) and Retry."""
        if stream not in self._walks:
            self._walks[stream] = open_walk(await self._source(stream)), threading.Lock()
        return await asyncio.to_thread(_page, *self._walks[stream], cursor)

    def reread(self, stream: str, raw: bytes) -> Record:
        """Read a dead letter again, which helps where the code has learned since. Raises Skip."""
        item = reread(raw, stream)
        if isinstance(item, BadRecord):
            raise Skip(item.reason, hint=item.hint)
        return item

    async def attachment(self, raw: Record, number: int) -> Attachment | None:
        """What is attached to a message, out of its own bytes."""
        return await asyncio.to_thread(attachment_of, raw.payload, number)

    async def _source(self, stream: str) -> Source:
        if self._sources is None:
            await self.streams()
        source = (self._sources or {}).get(stream)
        if source is None:
            raise BadInput(
                f"There is no mailbox {stream} in {self.config.path} any more.",
                hint="It was moved or deleted; what has landed from it stays.",
            )
        return source

    async def aclose(self) -> None:
        """Close the archives that were kept open between pages."""
        walks, self._walks = list(self._walks.values()), {}
        await asyncio.to_thread(_close, walks)


def _page(walk: Walk, busy: threading.Lock, cursor: JSON) -> Page:
    # A thread cannot be cancelled: after a cancelled fetch, the next one waits until it is done.
    with busy:
        return walk.page(cursor)


def _close(walks: list[tuple[Walk, threading.Lock]]) -> None:
    for walk, busy in walks:
        with busy:
            walk.close()


def _find(path: str) -> list[Source]:
    try:
        return find(Path(path).expanduser())
    except RuntimeError as error:  # ~ of a user that does not exist
        raise BadInput(f"There is no {path}.", hint="Write the path in full.") from error
