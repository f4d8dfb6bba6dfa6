"""Commits, branches, comparisons and releases."""

from __future__ import annotations

from headrace.twin.github import history
from headrace.twin.github.call import Call, Reply
from headrace.twin.github.paging import paged
from headrace.twin.github.problem import Problem, not_found
from headrace.twin.github.render import code
from headrace.twin.github.rows import Commit

_COMPARED = 250


def list_commits(call: Call) -> Reply:
    """From `sha`, a branch or a commit, backwards. `since` and `until` are of the committer's date.

    So what was pushed late with an old date is not in `since`: rule H10.
    """
    if not call.within.branches:
        raise Problem(409, "Git Repository is empty.")
    start = call.request.query.get("sha") or call.within.default_branch
    since, until = call.instant("since"), call.instant("until")
    rows = [
        row
        for row in history.log(call.within, _commit(call, start).sha)
        if (since is None or row.committer_s >= since)
        and (until is None or row.committer_s <= until)
    ]
    return paged(call, rows, lambda row: code.commit(call.site, call.within, row))


def get_commit(call: Call) -> Reply:
    """One commit by its sha or a branch, also if no branch leads to it any longer."""
    row = _commit(call, call.parts["name"])
    return Reply(code.commit_with_files(call.site, call.within, row), modified_s=row.committer_s)


def compare(call: Call) -> Reply:
    """What `head` has beside `base`, oldest first. 404 if they have nothing in common."""
    base, head = _commit(call, call.parts["base"]), _commit(call, call.parts["head"])
    found = history.compare(call.within, base.sha, head.sha)
    if found is None:
        raise Problem(404, "No common ancestor between the two.")
    reply = paged(
        call,
        found.ahead,
        lambda row: code.commit(call.site, call.within, row),
        default=_COMPARED,
        largest=_COMPARED,
    )
    reply.body = code.comparison(call.site, call.within, (base, head), found, reply.body)
    return reply


def list_branches(call: Call) -> Reply:
    """Branches by name."""
    names = sorted(call.within.branches)
    return paged(call, names, lambda name: code.branch(call.site, call.within, name))


def get_ref(call: Call) -> Reply:
    """Where a branch stands."""
    if call.parts["name"] not in call.within.branches:
        raise not_found()
    return Reply(code.ref(call.site, call.within, call.parts["name"]))


def list_releases(call: Call) -> Reply:
    """Releases, latest first. There is no `since` here."""
    rows = sorted(call.within.releases.values(), key=lambda row: -row.id)
    return paged(call, rows, lambda row: code.release(call.site, call.within, row))


def _commit(call: Call, name: str) -> Commit:
    commit = history.resolve(call.within, name)
    if commit is None:
        raise not_found()
    return commit
