"""Commits, branches, comparisons and releases."""

from __future__ import annotations

from headrace.twin.github.clock import stamp
from headrace.twin.github.history import Comparison
from headrace.twin.github.render.people import Json, Site, node_id, user
from headrace.twin.github.render.repositories import address, page
from headrace.twin.github.rows import Commit, Release, Repository


def commit(site: Site, within: Repository, row: Commit) -> Json:
    """`commit`, as lists have it."""
    api = f"{address(site, within)}/commits/{row.sha}"
    return {
        "sha": row.sha,
        "node_id": node_id("C", within.id, row.sha),
        "commit": {
            "author": _person(row.author, row.author_s),
            "committer": _person(row.committer, row.committer_s),
            "message": row.message,
            "tree": {
                "sha": row.sha[::-1],
                "url": f"{address(site, within)}/git/trees/{row.sha[::-1]}",
            },
            "url": f"{address(site, within)}/git/commits/{row.sha}",
            "comment_count": 0,
        },
        "url": api,
        "html_url": f"{page(within)}/commit/{row.sha}",
        "comments_url": f"{api}/comments",
        "author": user(site, row.author),
        "committer": user(site, row.committer),
        "parents": [
            {
                "sha": parent,
                "url": f"{address(site, within)}/commits/{parent}",
                "html_url": f"{page(within)}/commit/{parent}",
            }
            for parent in row.parents
        ],
    }


def commit_with_files(site: Site, within: Repository, row: Commit) -> Json:
    """`commit` as one alone is answered: with what it changed."""
    file = {
        "sha": row.sha[::-1],
        "filename": "README.md",
        "status": "modified",
        "additions": 1,
        "deletions": 0,
        "changes": 1,
        "blob_url": f"{page(within)}/blob/{row.sha}/README.md",
        "raw_url": f"{page(within)}/raw/{row.sha}/README.md",
        "contents_url": f"{address(site, within)}/contents/README.md?ref={row.sha}",
    }
    stats = {"total": 1, "additions": 1, "deletions": 0}
    return {**commit(site, within, row), "stats": stats, "files": [file]}


def branch(site: Site, within: Repository, name: str) -> Json:
    """`short-branch`."""
    sha = within.branches[name]
    tip = {"sha": sha, "url": f"{address(site, within)}/commits/{sha}"}
    return {"name": name, "commit": tip, "protected": False}


def ref(site: Site, within: Repository, name: str) -> Json:
    """`git-ref` of a branch."""
    sha = within.branches[name]
    return {
        "ref": f"refs/heads/{name}",
        "node_id": node_id("REF", within.id, name),
        "url": f"{address(site, within)}/git/refs/heads/{name}",
        "object": {
            "type": "commit",
            "sha": sha,
            "url": f"{address(site, within)}/git/commits/{sha}",
        },
    }


def comparison(
    site: Site,
    within: Repository,
    ends: tuple[Commit, Commit],
    row: Comparison,
    commits: list[Json],
) -> Json:
    """`commit-comparison` of base and head; `commits` is the part of them on this page."""
    name = f"{ends[0].sha}...{ends[1].sha}"
    html = f"{page(within)}/compare/{name}"
    return {
        "url": f"{address(site, within)}/compare/{name}",
        "html_url": html,
        "permalink_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "base_commit": commit(site, within, ends[0]),
        "merge_base_commit": commit(site, within, row.merge_base),
        "status": row.status,
        "ahead_by": len(row.ahead),
        "behind_by": row.behind,
        "total_commits": len(row.ahead),
        "commits": commits,
        "files": [],
    }


def release(site: Site, within: Repository, row: Release) -> Json:
    """`release`."""
    api = f"{address(site, within)}/releases/{row.id}"
    return {
        "url": api,
        "html_url": f"{page(within)}/releases/tag/{row.tag}",
        "assets_url": f"{api}/assets",
        "upload_url": f"{api}/assets{{?name,label}}",
        "tarball_url": f"{address(site, within)}/tarball/{row.tag}",
        "zipball_url": f"{address(site, within)}/zipball/{row.tag}",
        "id": row.id,
        "node_id": node_id("RE", row.id),
        "tag_name": row.tag,
        "target_commitish": within.default_branch,
        "name": row.name,
        "body": row.body,
        "draft": False,
        "prerelease": row.prerelease,
        "immutable": False,
        "created_at": stamp(row.created_s),
        "published_at": stamp(row.created_s),
        "updated_at": stamp(row.updated_s),
        "author": user(site, row.user),
        "assets": [],
    }


def _person(login: str, instant_s: int) -> Json:
    return {
        "name": login.title(),
        "email": f"{login}@users.noreply.github.com",
        "date": stamp(instant_s),
    }
