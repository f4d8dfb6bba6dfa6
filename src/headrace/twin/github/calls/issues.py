"""Issues and pull requests, and what is said to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from headrace.twin.github.call import Call, Reply
from headrace.twin.github.paging import Place, paged
from headrace.twin.github.problem import Problem, moved, not_found
from headrace.twin.github.render import issues, pulls
from headrace.twin.github.render.repositories import repository
from headrace.twin.github.rows import Comment, Issue, ReviewComment

Said = TypeVar("Said", Comment, ReviewComment)

_STATES = ("open", "closed", "all")


def list_issues(call: Call) -> Reply:
    """Also pull requests, which are issues. `since` is inclusive."""
    state, since = call.choice("state", _STATES), call.instant("since")
    sort = call.choice("sort", ("created", "updated", "comments"))
    descending = call.choice("direction", ("desc", "asc")) == "desc"

    def place(row: Issue) -> tuple[int, int]:
        by = {"created": row.created_s, "updated": row.updated_s, "comments": row.comments}
        return by[sort], row.number

    rows = [
        row
        for row in call.within.issues.values()
        if state in ("all", row.state) and (since is None or row.updated_s >= since)
    ]
    rows.sort(key=place, reverse=descending)
    return paged(
        call,
        rows,
        lambda row: issues.issue(call.site, call.within, row),
        place=place,
        descending=descending,
    )


def get_issue(call: Call) -> Reply:
    """One issue: 410 if it was deleted, 301 if it was transferred."""
    row = _issue(call)
    return Reply(issues.issue(call.site, call.within, row), modified_s=row.updated_s)


def list_comments(call: Call) -> Reply:
    """All comments of the repository."""
    return _comments(call, call.within.comments.values(), sortable=True)


def list_comments_of_issue(call: Call) -> Reply:
    """The comments of one issue or pull request, oldest first."""
    number = _issue(call).number
    rows = [row for row in call.within.comments.values() if row.issue == number]
    return _comments(call, rows, sortable=False)


def _comments(call: Call, comments: Iterable[Comment], *, sortable: bool) -> Reply:
    rows, descending = _sorted(call, comments, sortable)
    return paged(
        call,
        rows,
        lambda row: issues.comment(call.site, call.within, row),
        place=_places(call, sortable),
        descending=descending,
    )


def list_review_comments(call: Call) -> Reply:
    """All remarks beside lines of code."""
    rows, descending = _sorted(call, call.within.review_comments.values(), True)
    return paged(
        call,
        rows,
        lambda row: issues.review_comment(call.site, call.within, row),
        place=_places(call, True),
        descending=descending,
    )


def list_pulls(call: Call) -> Reply:
    """Pull requests. There is no `since` here."""
    state = call.choice("state", _STATES)
    sort = call.choice("sort", ("created", "updated", "popularity", "long-running"))
    default = "desc" if sort == "created" else "asc"
    descending = call.choice("direction", ("desc", "asc"), default) == "desc"
    base = call.request.query.get("base")

    def place(row: Issue) -> tuple[int, int]:
        by = {"updated": row.updated_s, "popularity": row.comments}
        return by.get(sort, row.created_s), row.number

    rows = [
        row
        for row in call.within.issues.values()
        if row.pull and state in ("all", row.state) and base in (None, row.pull.base)
    ]
    rows.sort(key=place, reverse=descending)
    own = repository(call.site, call.within)
    return paged(call, rows, lambda row: pulls.simple(call.site, call.within, row, own))


def get_pull(call: Call) -> Reply:
    """One pull request."""
    row = _pull(call)
    return Reply(pulls.full(call.site, call.within, row), modified_s=row.updated_s)


def list_reviews(call: Call) -> Reply:
    """The verdicts over one pull request, oldest first."""
    number = _pull(call).number
    rows = [row for row in call.within.reviews.values() if row.pull == number]
    return paged(call, rows, lambda row: issues.review(call.site, call.within, row))


def _issue(call: Call) -> Issue:
    number, within = int(call.parts["number"]), call.within
    if number in within.issues:
        return within.issues[number]
    if number in within.deleted:
        raise Problem(410, "This issue was deleted")
    if number in within.elsewhere:
        repository_id, new = within.elsewhere[number]
        _, _, rest = call.path.partition(f"/issues/{number}")
        raise moved(f"{call.site.base}/repositories/{repository_id}/issues/{new}{rest}")
    raise not_found()


def _pull(call: Call) -> Issue:
    row = call.within.issues.get(int(call.parts["number"]))
    if row is None or row.pull is None:
        raise not_found()
    return row


def _places(call: Call, sortable: bool) -> Callable[[Comment | ReviewComment], Place]:
    asked = sortable and "sort" in call.request.query
    sort = call.choice("sort", ("created", "updated", "created_at")) if asked else ""
    if sort == "updated":
        return lambda row: (row.updated_s, row.id)
    return lambda row: (row.created_s if sort else 0, row.id)


def _sorted(call: Call, rows: Iterable[Said], sortable: bool) -> tuple[list[Said], bool]:
    """Since `since` (inclusive), and whether in descending order."""
    since = call.instant("since")
    # `direction` is ignored without a `sort`, in which case the oldest come first.
    asked = sortable and "sort" in call.request.query
    descending = asked and call.choice("direction", ("desc", "asc")) == "desc"
    kept = [row for row in rows if since is None or row.updated_s >= since]
    return sorted(kept, key=_places(call, sortable), reverse=descending), descending
