"""Which mail of an account is wanted, and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from headrace.errors import NeedsHuman
from headrace.google.letters import Label, Letter

LeftOut = Literal["spam", "trash", "drafts"]

_DAY = 86_400
_LABELS: dict[LeftOut, str] = {"spam": "SPAM", "trash": "TRASH", "drafts": "DRAFT"}


class GmailConfig(BaseModel):
    """Which mail of the account is wanted, and how fast."""

    model_config = ConfigDict(extra="forbid")

    leave_out: list[LeftOut] = Field(
        default=["spam", "trash", "drafts"], description="Mail that is not wanted."
    )
    labels: list[str] = Field(
        default=[], description="Only mail with one of these labels, by name or id; none: all."
    )
    days: int | None = Field(
        None, ge=1, description="Only mail of so many days before the first sync, and what follows."
    )
    items_per_run: int | None = Field(
        2_000, ge=1, description="Messages after which a run ends and the next goes on (A1.6)."
    )
    units_per_minute: int = Field(
        15_000, ge=100, description="Quota units that Google lets one user have in a minute."
    )
    pause_ms: int = Field(
        200, ge=0, description="Least time from one chunk of messages to the next (A1.5)."
    )


class Choice(msgspec.Struct, frozen=True):
    """Mail with one of `labels` (ids; none: any mail) and none of what is left out, and nothing
    that is older than so many days when it is first chosen."""

    labels: tuple[str, ...] = ()
    left_out: frozenset[str] = frozenset()
    days: int | None = None

    def __str__(self) -> str:
        """What tells one choice from another, for a cursor: another choice wants its own listing
        (rule G9)."""
        return ";".join((",".join(self.labels), ",".join(sorted(self.left_out)), f"{self.days}"))

    @property
    def with_hidden(self) -> bool:
        """Whether lists must name spam and trash."""
        return not {"SPAM", "TRASH"} <= self.left_out

    @property
    def is_everything(self) -> bool:
        """Whether it is all mail of the account, but for what is left out."""
        return not self.labels and self.days is None

    def since(self, now: float) -> int | None:
        """Where its window begins that is chosen `now` (seconds since 1970); None where it has no
        beginning."""
        return None if self.days is None else int(now) - self.days * _DAY

    def wants(self, letter: Letter) -> bool:
        """Whether a message belongs to it, by the labels it has now."""
        if letter.labels & self.left_out:
            return False
        return not self.labels or not letter.labels.isdisjoint(self.labels)


def ids_of(wanted: Sequence[str], labels: Sequence[Label]) -> list[str]:
    """The ids of labels that are wanted, by name or id. Raises NeedsHuman for one that the mailbox
    does not have."""
    ids = {one.name: one.id for one in labels} | {one.id: one.id for one in labels}
    for label in wanted:
        if label not in ids:
            raise NeedsHuman(
                f"There is no label {label!r} in this mailbox.",
                hint="Correct the connection's labels: names and ids are both understood.",
            )
    return [ids[label] for label in wanted]


def choice_of(labels: Sequence[str], config: GmailConfig) -> Choice:
    """What a config chooses; `labels` are the ids of its labels."""
    left_out = frozenset(_LABELS[one] for one in config.leave_out)
    return Choice(tuple(sorted(set(labels))), left_out, config.days)
