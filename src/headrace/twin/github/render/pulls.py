"""Pull requests as /pulls has them: in a list, and one alone."""

from __future__ import annotations

from headrace.twin.github.clock import stamp, stamp_or_none
from headrace.twin.github.history import compare
from headrace.twin.github.render.issues import association, labels, web_address
from headrace.twin.github.render.people import Json, Site, node_id, user
from headrace.twin.github.render.repositories import address, repository
from headrace.twin.github.rows import Issue, Pull, Repository


def simple(site: Site, within: Repository, row: Issue, own: Json | None = None) -> Json:
    """`pull-request-simple`. `own`: the repository's shape, for a caller who has many to make."""
    assert row.pull is not None
    own = own or repository(site, within)
    api = f"{address(site, within)}/pulls/{row.number}"
    html = web_address(within, row.number, pull=True)
    issue = f"{address(site, within)}/issues/{row.number}"
    links = {
        "self": api,
        "html": html,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{api}/comments",
        "review_comment": f"{address(site, within)}/pulls/comments{{/number}}",
        "commits": f"{api}/commits",
        "statuses": f"{address(site, within)}/statuses/{row.pull.head_sha}",
    }
    return {
        "url": api,
        "id": row.id,
        "node_id": node_id("PR", row.id),
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "issue_url": issue,
        **{f"{name}_url": links[name] for name in ("commits", "review_comments", "statuses")},
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "number": row.number,
        "state": row.state,
        "locked": False,
        "title": row.title,
        "user": user(site, row.user),
        "body": row.body,
        "labels": labels(site, within, row),
        "milestone": None,
        "active_lock_reason": None,
        "created_at": stamp(row.created_s),
        "updated_at": stamp(row.updated_s),
        "closed_at": stamp_or_none(row.closed_s),
        "merged_at": stamp_or_none(row.pull.merged_s),
        "merge_commit_sha": row.pull.merge_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": _end(site, within, row.pull.head, row.pull.head_sha, own),
        "base": _end(site, within, row.pull.base, row.pull.base_sha, own),
        "_links": {name: {"href": link} for name, link in links.items()},
        "author_association": association(within, row.user),
        "auto_merge": None,
        "draft": False,
    }


def full(site: Site, within: Repository, row: Issue) -> Json:
    """`pull-request`."""
    assert row.pull is not None
    merged = row.pull.merged_s is not None
    commits = _commits(within, row.pull)
    return {
        **simple(site, within, row),
        "merged": merged,
        "mergeable": None if merged else True,
        "rebaseable": None if merged else True,
        "mergeable_state": "unknown" if merged else "clean",
        "merged_by": user(site, within.owner) if merged else None,
        "comments": row.comments,
        "review_comments": row.review_comments,
        "maintainer_can_modify": False,
        "commits": commits,
        "additions": commits,
        "deletions": 0,
        "changed_files": min(commits, 1),
    }


def minimal(site: Site, within: Repository, row: Issue) -> Json:
    """`pull-request-minimal`, as events have it."""
    assert row.pull is not None
    own = {"id": within.id, "url": address(site, within), "name": within.name}
    return {
        "id": row.id,
        "number": row.number,
        "url": f"{address(site, within)}/pulls/{row.number}",
        "head": {"ref": row.pull.head, "sha": row.pull.head_sha, "repo": own},
        "base": {"ref": row.pull.base, "sha": row.pull.base_sha, "repo": own},
    }


def _commits(within: Repository, pull: Pull) -> int:
    comparison = compare(within, pull.base_sha, pull.head_sha)
    return len(comparison.ahead) if comparison else 0


def _end(site: Site, within: Repository, ref: str, sha: str, own: Json) -> Json:
    return {
        "label": f"{within.owner}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": user(site, within.owner),
        "repo": own,
    }
