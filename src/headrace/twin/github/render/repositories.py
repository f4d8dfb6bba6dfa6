"""Repositories: minimal as organizations list them, plain, and full."""

from __future__ import annotations

from headrace.twin.github.clock import stamp
from headrace.twin.github.render.people import WEB, Json, Site, node_id, user
from headrace.twin.github.rows import Repository

_ADDRESSES = {
    "archive": "{archive_format}{/ref}",
    "assignees": "assignees{/user}",
    "blobs": "git/blobs{/sha}",
    "branches": "branches{/branch}",
    "collaborators": "collaborators{/collaborator}",
    "comments": "comments{/number}",
    "commits": "commits{/sha}",
    "compare": "compare/{base}...{head}",
    "contents": "contents/{+path}",
    "contributors": "contributors",
    "deployments": "deployments",
    "downloads": "downloads",
    "events": "events",
    "forks": "forks",
    "git_commits": "git/commits{/sha}",
    "git_refs": "git/refs{/sha}",
    "git_tags": "git/tags{/sha}",
    "hooks": "hooks",
    "issue_comment": "issues/comments{/number}",
    "issue_events": "issues/events{/number}",
    "issues": "issues{/number}",
    "keys": "keys{/key_id}",
    "labels": "labels{/name}",
    "languages": "languages",
    "merges": "merges",
    "milestones": "milestones{/number}",
    "notifications": "notifications{?since,all,participating}",
    "pulls": "pulls{/number}",
    "releases": "releases{/id}",
    "stargazers": "stargazers",
    "statuses": "statuses/{sha}",
    "subscribers": "subscribers",
    "subscription": "subscription",
    "tags": "tags",
    "teams": "teams",
    "trees": "git/trees{/sha}",
}


def address(site: Site, row: Repository) -> str:
    """Where its API is."""
    return f"{site.base}/repos/{row.full_name}"


def page(row: Repository) -> str:
    """Where people look at it."""
    return f"{WEB}/{row.full_name}"


def minimal(site: Site, row: Repository) -> Json:
    """`minimal-repository`."""
    api = address(site, row)
    return {
        "id": row.id,
        "node_id": node_id("R", row.id),
        "name": row.name,
        "full_name": row.full_name,
        "private": row.private,
        "owner": user(site, row.owner),
        "html_url": page(row),
        "description": row.description,
        "fork": False,
        "url": api,
        **{f"{name}_url": f"{api}/{path}" for name, path in _ADDRESSES.items()},
    }


def repository(site: Site, row: Repository) -> Json:
    """`repository`, as lists of one's own and pull requests have it."""
    open_issues = row.open_issues
    return {
        **minimal(site, row),
        "created_at": stamp(row.created_s),
        "updated_at": stamp(row.updated_s),
        "pushed_at": stamp(row.pushed_s),
        "git_url": f"git:{page(row).removeprefix('https:')}.git",
        "ssh_url": f"git@github.com:{row.full_name}.git",
        "clone_url": f"{page(row)}.git",
        "svn_url": page(row),
        "homepage": None,
        "mirror_url": None,
        "language": "Python",
        "license": None,
        "size": len(row.commits),
        "stargazers_count": 0,
        "watchers_count": 0,
        "forks_count": 0,
        "open_issues_count": open_issues,
        "watchers": 0,
        "forks": 0,
        "open_issues": open_issues,
        "has_issues": True,
        "has_projects": False,
        "has_downloads": False,
        "has_wiki": False,
        "has_pages": False,
        "has_discussions": False,
        "archived": False,
        "disabled": False,
        "visibility": "private" if row.private else "public",
        "default_branch": row.default_branch,
        "topics": [],
    }


def full(site: Site, row: Repository) -> Json:
    """`full-repository`, as one alone is answered."""
    return {**repository(site, row), "subscribers_count": 0, "network_count": 0}
