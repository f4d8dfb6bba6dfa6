"""What is read whole each time: releases, which are few, and notifications."""

from __future__ import annotations

from headrace.github.lists import Lists, Tag, last_change
from headrace.github.records import page_of
from headrace.github.times import Cursor, Walk, begin, end, part
from headrace.provider import JSON, Census, Page

NOTIFICATIONS = "notifications"


async def releases(lists: Lists, home: str, cursor: JSON) -> Page:
    """All releases; for free while nothing has changed and they fit on one page."""
    at = Cursor.read(cursor)
    path = f"{home}/releases"
    page = await lists.page(path, tag=at.tag)
    if page is None:
        return page_of((), at, more=False)
    is_all = page.next is None
    rows = page.rows if is_all else await lists.whole(path)
    at.tag = page.tag if is_all else Tag()
    return page_of(rows, at, more=False, census=Census(first=True, last=True))


async def notifications(lists: Lists, cursor: JSON, walk: Walk) -> Page:
    """Those that changed, read and unread; every `sweep_days` all of them, since one that was read
    or marked as done has no newer date. Not asked for sooner than GitHub wants to be."""
    at = Cursor.read(cursor)
    if walk.now < at.asked + at.poll:
        wait = f"GitHub wants to be asked again in {at.asked + at.poll - walk.now:.0f} s"
        return page_of((), at, more=False, notes={"poll": wait})
    poll, at = at.poll, begin(at, walk)
    params = {"all": "true", "per_page": "50"}
    if at.since:
        params["since"] = at.since
    page = await lists.page(NOTIFICATIONS, params, tag=None if at.sweep else at.tag)
    if page is None:
        return page_of((), _asked(end(at, at.tag), walk, poll), more=False)
    is_all = page.next is None
    rows = page.rows if is_all else await lists.whole(NOTIFICATIONS, params)
    at.newest = max(at.newest, last_change(rows))
    kept = _asked(end(at, page.tag if is_all else Tag()), walk, page.poll)
    return page_of(rows, kept, more=False, census=part(at.sweep, first=True, last=True))


def _asked(at: Cursor, walk: Walk, poll: float) -> Cursor:
    at.asked, at.poll = walk.now, poll
    return at
