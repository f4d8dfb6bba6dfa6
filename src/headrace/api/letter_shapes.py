"""What `/api/dead-letters` takes and answers."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from headrace.api.problems import Strict
from headrace.api.shapes import Cursor, Limit, Time
from headrace.errors import BadInput
from headrace.store.dead_letters import Chosen

State = Literal["open", "retried", "dropped", "all"]
Name = Annotated[str | None, Field(max_length=4096)]


class Many(Strict):
    """Which letters are meant; what is left out is not narrowed."""

    level: Literal["record", "batch", "job"] | None = None
    stage: Name = Field(None, description="`landing`, `job`, or the stage that refused it.")
    stream: Name = None
    provider: Name = None
    connection: Name = Field(None, description="Its id or name.")
    source_id: Name = None
    reason: Name = Field(None, description="A part of the reason; * stands for anything.")
    since: Time | None = Field(None, description="Met or tried then or later.")

    def chosen(self, state: str) -> Chosen:
        """The same for the store."""
        named = self.model_dump(include=set(Many.model_fields))
        return Chosen(state=None if state == "all" else state, **named)


class Listing(Many):
    """Which dead letters, and how many at once."""

    state: State = "open"
    limit: Limit = 50
    cursor: Cursor = None


class Counting(Many):
    """Which dead letters are counted, and how many reasons are told."""

    state: State = "open"
    limit: Limit = 50


class Exporting(Many):
    """Which dead letters are exported."""

    state: State = "open"


class ManyToRetry(Many):
    """Which of the open letters; `after` is that of the answer before."""

    after: int = Field(0, ge=0)
    background: bool | None = Field(
        None, description="Whether a job does it. Unset: where there are more than a thousand."
    )


class Bytes(Strict):
    """Bytes, as a text or in base64."""

    text: str | None = None
    base64: str | None = None

    def read(self) -> bytes:
        """The bytes. Raises BadInput where there are none, or two."""
        if (self.text is None) == (self.base64 is None):
            raise BadInput("It has to be said what the bytes are.", hint="Send text or base64.")
        try:
            if self.text is not None:
                return self.text.encode()
            return base64.b64decode(self.base64 or "", validate=True)
        except (binascii.Error, ValueError):
            raise BadInput("These bytes cannot be read.", hint="Send text or base64.") from None


class Letter(BaseModel):
    """One record, batch, exchange or job that could not be processed."""

    dead_letter_id: int
    level: Literal["record", "batch", "job"]
    stage: str
    connection_id: str | None
    connection: str | None
    provider: str | None
    stream: str | None
    source_id: str | None
    version: int | None
    batch_id: int | None
    job_id: str | None
    reason: str
    reason_group: str = Field(description="The reason without the numbers and ids in it.")
    hint: str
    attempts: int
    state: Literal["open", "retried", "dropped"]
    created_at: Time
    last_at: Time = Field(description="When it was last met or tried.")
    resolved_at: Time | None
    raw_bytes: int
    is_mended: bool = Field(description="Whether a person has put other bytes in their place.")


class Entry(BaseModel):
    """Something that happened to a dead letter, by whose doing and by which code."""

    at: Time
    what: str
    reason: str | None = None
    by: str | None = None
    code: str | None = None


class LetterDetail(Letter):
    """One dead letter with its bytes, and what has happened to it, oldest first."""

    raw: str = Field(description="What was received, in base64.")
    mended: str | None = Field(description="What a person put in its place, in base64.")
    history: list[Entry]

    @classmethod
    def of(cls, row: dict[str, Any]) -> LetterDetail:
        """From its row, with the bytes as JSON can hold them."""
        mended = row["mended"]
        return cls.model_validate(
            {
                **row,
                "raw": base64.b64encode(row["raw"] or b"").decode(),
                "mended": None if mended is None else base64.b64encode(mended).decode(),
            }
        )


class Count(BaseModel):
    """How many letters have one reason; `example` is the newest of them."""

    reason: str
    level: str
    stage: str
    letters: int
    oldest: Time
    newest: Time
    example: int


class Counts(BaseModel):
    """Letters in all, and by reason."""

    total: int
    items: list[Count]


class Retried(BaseModel):
    """What became of a retry: the letter as it is now, and a sentence."""

    state: Literal["retried", "open"]
    message: str
    dead_letter: Letter


class Round(BaseModel):
    """What became of a round of retries. With `after`, ask again with it: time was up. With
    `job_id`, a job goes through them."""

    retried: int
    still_open: int
    after: int | None
    job_id: str | None = None


class Dropped(BaseModel):
    """How many letters were let go; whether more are left."""

    dropped: int
    more: bool = False
