"""What branches lead to: from each branch's head to the commits that are known (rule H10).

Dates say nothing here, for whoever commits may write any. A branch that moved is compared with
where it stood: what it has beside that is new, however old it claims to be. A branch that was
rewritten, or deleted, may have left commits behind that nothing leads to any more: then all of them
are listed anew at the next sweep, and those are gone.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from headrace.github.lists import Gone, Listed, Lists, Raws, Tag
from headrace.github.records import facts_of, page_of
from headrace.github.times import Walk, due, part, window
from headrace.in_step import Place
from headrace.provider import JSON, Page


class Stretch(msgspec.Struct, omit_defaults=True):
    """Commits to list: what `head` has beside `base`, or all of it. `moved`: the same branch stood
    at `base` before."""

    head: str
    base: str = ""
    moved: bool = False


class Cursor(Place, forbid_unknown_fields=True):
    """`heads` is where each branch stood when everything before was listed; `todo` is what a walk
    under way has left, `link` its next page, `aim` where the branches stood at its beginning."""

    heads: dict[str, str] = {}
    aim: dict[str, str] = {}
    todo: list[Stretch] = []
    link: str = ""
    began: float = 0.0
    sweep: bool = False
    swept: float = 0.0
    stale: bool = False
    floor: str = ""
    tag: Tag = Tag()


class _Compared(msgspec.Struct):
    status: str
    rows: Raws = msgspec.field(name="commits")


class _Branch(msgspec.Struct):
    class Tip(msgspec.Struct):
        sha: str

    name: str
    commit: Tip


class _Repository(msgspec.Struct):
    default_branch: str = ""
    rows: Raws = []


async def commits(lists: Lists, home: str, cursor: JSON, walk: Walk) -> Page:
    """The next page of commits; `home` is the repository's path."""
    at = Cursor.read(cursor)
    first = not at.began
    if first and not await _begin(lists, home, at, walk):
        return page_of((), at, more=False)
    rows: Raws = []
    if at.todo:
        rows = await _list(lists, home, at)
    more = bool(at.todo)
    census = part(at.sweep, first=first, last=not more)
    if not more:
        _end(at)
    shown = [row for row in rows if facts_of(row).committed >= at.floor]
    return page_of(shown, at, more=more, census=census)


async def _begin(lists: Lists, home: str, at: Cursor, walk: Walk) -> bool:
    """See where the branches stand, and plan what to list. False where nothing has moved."""
    is_due = not at.swept or (at.stale and due(at.swept, walk))
    page = await lists.page(f"{home}/branches", tag=None if is_due else at.tag)
    if page is None:
        return False
    at.tag = page.tag if page.next is None else Tag()
    rows = page.rows if page.next is None else await lists.whole(f"{home}/branches")
    branches = [msgspec.json.decode(row, type=_Branch) for row in rows]
    at.aim = {one.name: one.commit.sha for one in branches}
    at.sweep, at.began = is_due, walk.now
    at.floor = at.floor or window(walk, first=not at.swept)
    known = {} if is_due else at.heads
    at.stale = not is_due and (at.stale or bool(known.keys() - at.aim.keys()))
    if at.aim != known:
        default = (await lists.fresh(home, shape=_Repository)).found.default_branch
        at.todo = list(_stretches(known, at.aim, default))
    return True


def _stretches(known: dict[str, str], aim: dict[str, str], default: str) -> Iterator[Stretch]:
    """The default branch first: a new branch is what it has beside that."""
    names = sorted(aim, key=lambda name: (name != default, name))
    trunk = aim[names[0]] if names else ""
    seen = set()
    for name in names:
        head, before = aim[name], known.get(name)
        base = before or (trunk if name != names[0] else "")
        if head != base and (head, base) not in seen:
            seen.add((head, base))
            yield Stretch(head, base, moved=before is not None)


async def _list(lists: Lists, home: str, at: Cursor) -> Raws:
    """The next page of the first stretch, which is over with its last page."""
    stretch = at.todo[0]
    try:
        page = await (_beside if stretch.base else _all)(lists, home, at, stretch)
    except Gone:
        if not stretch.base:
            raise
        # Its old place is gone, or has nothing in common with the new one.
        at.todo[0] = Stretch(stretch.head)
        at.stale, at.link = not at.sweep, ""
        return []
    at.link = page.next or ""
    if page.next is None:
        at.todo = at.todo[1:]
    return page.rows


async def _all(lists: Lists, home: str, at: Cursor, stretch: Stretch) -> Listed:
    if at.link:
        return await lists.fresh(at.link)
    since = {"since": at.floor} if at.floor else {}
    return await lists.fresh(f"{home}/commits", {"sha": stretch.head, **since})


async def _beside(lists: Lists, home: str, at: Cursor, stretch: Stretch) -> Listed:
    path = at.link or f"{home}/compare/{stretch.base}...{stretch.head}"
    page = await lists.fresh(path, shape=_Compared)
    if stretch.moved and page.found.status not in ("ahead", "identical"):
        at.stale = not at.sweep
    return page


def _end(at: Cursor) -> None:
    at.heads, at.aim = at.aim, {}
    at.swept = at.began if at.sweep else at.swept
    at.began, at.sweep = 0.0, False
