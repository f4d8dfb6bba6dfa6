"""What can be asked for by `since`: issues and pull requests, and what is said to them.

Oldest change first, and each page begins at the last second of the one before instead of having a
number: an edit between two pages moves a row to the end and all others up, and a numbered page
would pass over one of them (rule H1).
"""

from __future__ import annotations

from headrace.github.lists import Gone, Listed, Lists, Raws, Tag, last_change
from headrace.github.records import Kind, facts_of, page_of
from headrace.github.times import Cursor, Walk, begin, end, part
from headrace.provider import JSON, Page

PULLS = 30
"""Pull requests of one page that are asked for their reviews: what a page may cost in requests."""


async def recent(lists: Lists, home: str, name: str, kind: Kind, cursor: JSON, walk: Walk) -> Page:
    """The next page of a repository's list; `home` is the repository's path."""
    at = Cursor.read(cursor)
    first = not at.began
    if first:
        at = begin(at, walk)
    path = f"{home}{kind.path}"
    tag = at.tag if first and not at.sweep else None
    listed = await _after(lists, path, at.since, dict(kind.params), tag)
    if listed is None:
        return page_of((), end(at, at.tag), more=False)
    seen = _some(listed.rows, at.since) if name == "reviews" else listed.rows
    more = listed.next is not None or len(seen) < len(listed.rows)
    rows = await _reviews(lists, home, seen) if name == "reviews" else seen
    census = part(at.sweep, first=first, last=not more)
    at.newest = max(at.newest, last_change(seen))
    at.since = max(at.since, last_change(seen))
    # A tag is of one page alone: nothing that comes after it is vouched for.
    kept = at if more else end(at, listed.tag if first else Tag())
    return page_of(rows, kept, more=more, census=census)


async def _after(
    lists: Lists, path: str, since: str, params: dict[str, str], tag: Tag | None
) -> Listed | None:
    """The page from that second on, the second included. Where it does not reach the next second,
    everything of that one (rule H2)."""
    if since:
        params["since"] = since

    def reaches_on(rows: Raws) -> bool:
        return last_change(rows) > since

    page = await lists.page(path, params, tag=tag)
    if page is None or page.next is None or reaches_on(page.rows):
        return page
    ends = False

    def enough(rows: Raws) -> bool:
        nonlocal ends
        ends = not reaches_on(rows)
        return not ends

    page.rows = await lists.whole(path, params, until=enough)
    page.next = None if ends else page.next
    page.tag = Tag()
    return page


def _some(issues: Raws, since: str) -> Raws:
    """The oldest changes, until so many pull requests are among them and the next second is
    reached: else the walk would not get on."""
    ordered = sorted(issues, key=lambda issue: facts_of(issue).updated_at or "")
    pulls = 0
    for place, issue in enumerate(ordered, 1):
        facts = facts_of(issue)
        pulls += facts.pull_request is not None
        if pulls >= PULLS and (facts.updated_at or "") > since:
            return ordered[:place]
    return ordered


async def _reviews(lists: Lists, home: str, issues: Raws) -> Raws:
    """The reviews of the pull requests among these issues."""
    found: Raws = []
    for issue in issues:
        facts = facts_of(issue)
        if facts.pull_request is None:
            continue
        try:
            found += await lists.whole(f"{home}/pulls/{facts.number}/reviews")
        except Gone as gone:
            # Deleted since it was listed. What is closed to the account is not known to be gone.
            if gone.status not in (404, 410):
                raise
    return found
