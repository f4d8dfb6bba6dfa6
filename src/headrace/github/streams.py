"""The streams of an account, `<number of the repository>/<kind>` or `notifications`, and a page of
each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from headrace.github.commits import commits
from headrace.github.config import KINDS
from headrace.github.lists import Gone, Lists
from headrace.github.recent import recent
from headrace.github.records import RECENT
from headrace.github.repositories import Repository
from headrace.github.times import Walk
from headrace.github.whole import NOTIFICATIONS, notifications, releases
from headrace.provider import JSON, Page


def streams_of(repositories: Iterable[Repository], kinds: Collection[str]) -> Iterator[str]:
    """Of each repository those kinds that are wanted, and the account's own notifications."""
    for repository in repositories:
        for kind in KINDS:
            if kind in kinds and kind != NOTIFICATIONS:
                yield f"{repository.id}/{kind}"
    if NOTIFICATIONS in kinds:
        yield NOTIFICATIONS


async def page_of_stream(lists: Lists, stream: str, cursor: JSON, walk: Walk) -> Page:
    """The next page. A stream that is not there for this account any more is at its end: what was
    landed of it stays, and the others go on."""
    try:
        return await _page(lists, stream, cursor, walk)
    except Gone as gone:
        return Page((), cursor, more=False, notes={"gone": gone.message})


async def _page(lists: Lists, stream: str, cursor: JSON, walk: Walk) -> Page:
    if stream == NOTIFICATIONS:
        return await notifications(lists, cursor, walk)
    number, _, kind = stream.partition("/")
    home = f"repositories/{number}"
    if kind == "commits":
        return await commits(lists, home, cursor, walk)
    if kind == "releases":
        return await releases(lists, home, cursor)
    return await recent(lists, home, kind, RECENT[kind], cursor, walk)
