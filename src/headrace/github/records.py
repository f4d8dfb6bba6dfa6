"""Rows as records, and the table of what there is to walk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from headrace.http import Nonsense
from headrace.in_step import Place
from headrace.provider import BadRecord, Census, Page, Record

CONTENT = "application/vnd.github+json"
"""One content for all kinds: what a payload is, its stream's name says."""


class Kind(msgspec.Struct, frozen=True):
    """What a repository has one list of, and the parameters of that list."""

    path: str
    params: dict[str, str] = {}


_BY_CHANGE = {"sort": "updated", "direction": "asc"}

RECENT = {
    # Pull requests are issues too, and are among them: with their text, labels, state and merge.
    "issues": Kind("/issues", {"state": "all", **_BY_CHANGE}),
    "comments": Kind("/issues/comments", _BY_CHANGE),
    "review_comments": Kind("/pulls/comments", _BY_CHANGE),
    # There is no list of them: they are asked for by pull request, as these change.
    "reviews": Kind("/issues", {"state": "all", **_BY_CHANGE}),
}
"""What is walked by `since`."""


class _Who(msgspec.Struct):
    date: str | None = None


class _Commit(msgspec.Struct):
    author: _Who | None = None
    committer: _Who | None = None


class Facts(msgspec.Struct):
    """What a sync reads of a row, whatever the row is."""

    node_id: str | None = None
    id: int | str | None = None
    sha: str | None = None
    name: str | None = None
    updated_at: str | None = None
    created_at: str | None = None
    submitted_at: str | None = None
    number: int | None = None
    pull_request: Any = None
    commit: _Commit | None = None

    @property
    def ident(self) -> str | None:
        """What it is known by: a commit by its sha, anything else by its global id, which stays
        when a repository is renamed or moves (rule H8); notifications have only a number."""
        found = self.sha or self.node_id or self.id or self.name
        return None if found is None else str(found)

    @property
    def written(self) -> str | None:
        """When it was written, as GitHub says it."""
        if self.commit is not None and self.commit.author is not None:
            return self.commit.author.date
        return self.created_at or self.submitted_at or self.updated_at

    @property
    def committed(self) -> str:
        """A commit's date, which its committer may have made up; "" for anything else."""
        return (self.commit and self.commit.committer and self.commit.committer.date) or ""


_FACTS = msgspec.json.Decoder(Facts)
_DOWNLOADS = re.compile(rb'"download_count":\s*\d+')


def facts_of(row: bytes | msgspec.Raw) -> Facts:
    """The row's facts; none of a row that makes no sense."""
    try:
        return _FACTS.decode(row)
    except (msgspec.DecodeError, RecursionError):
        return Facts()


def record_of(row: bytes | msgspec.Raw) -> Record | BadRecord:
    """The row as a record. Its mark is the time of its last change: one second may hold several,
    and then the content decides (rule H2)."""
    raw = bytes(row)
    try:
        facts = _FACTS.decode(raw)
        if not facts.ident:
            return BadRecord(raw, "GitHub's row has no id.", _HINT)
        at = None if facts.written is None else datetime.fromisoformat(facts.written)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        known = re.search(rb'"node_id":\s*"([\w=-]+)"', raw)
        ident = known[1].decode() if known else None
        return BadRecord(
            raw, f"GitHub's row has another form than it should: {error}.", _HINT, ident
        )
    return Record(
        facts.ident,
        raw,
        at if at is None or at.tzinfo else at.replace(tzinfo=UTC),
        (facts.committed or None) if facts.sha else facts.updated_at,
        # A commit never changes, and neither does a release by being downloaded.
        fingerprint=facts.sha.encode() if facts.sha else _without_counts(raw),
    )


def page_of(
    rows: Iterable[bytes | msgspec.Raw],
    cursor: Place,
    *,
    more: bool,
    census: Census | None = None,
    notes: dict[str, str] | None = None,
) -> Page:
    """A page of these rows. Raises Nonsense where a list that says what is gone names what cannot
    be told: that could be anything which is still there."""
    made: Sequence[Record | BadRecord] = [record_of(row) for row in rows]
    for one in made:
        if census is not None and one.source_id is None:
            raise Nonsense(f"GitHub sent a list with a row that has no id: {one.reason}")
    return Page(
        records=[one for one in made if isinstance(one, Record)],
        bad=[one for one in made if isinstance(one, BadRecord)],
        cursor=cursor.cursor(),
        more=more,
        census=census,
        notes=notes or {},
    )


def _without_counts(raw: bytes) -> bytes | None:
    return _DOWNLOADS.sub(b"", raw) if b'"download_count"' in raw else None


_HINT = "It stays here until it is dropped or GitHub sends it anew; report it if it stays so."
