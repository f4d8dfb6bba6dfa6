"""Which address is which call. `name` is what statistics, fault rules and changes know it by."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from headrace.twin.github import apps
from headrace.twin.github.call import Call, Reply
from headrace.twin.github.calls import accounts, activity, code, issues, misc

Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """One call. `permission` is what a limited token needs for it in a private repository."""

    name: str
    pattern: re.Pattern[str]
    handler: Handler
    permission: str = "metadata"
    method: str = "GET"
    free: bool = False
    signed: bool = False
    resource: str = "core"


def _route(
    name: str, pattern: str, handler: Handler, permission: str = "metadata", **more: object
) -> Route:
    """`{number}` stands for digits, `{name*}` for anything, `{name}` for anything but slashes."""
    text = re.sub(r"\{(number|id|installation)\}", r"(?P<\1>\\d+)", pattern)
    text = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.+)", text)
    text = re.sub(r"\{([a-z]+)\}", r"(?P<\1>[^/]+)", text)
    return Route(name, re.compile(text), handler, permission, **more)  # type: ignore[arg-type]


OF_REPOSITORY = (
    _route("repos.get", "", accounts.get_repository),
    _route("issues.list", "/issues", issues.list_issues, "issues"),
    _route("comments.list", "/issues/comments", issues.list_comments, "issues"),
    _route("issues.get", "/issues/{number}", issues.get_issue, "issues"),
    _route("issues.comments", "/issues/{number}/comments", issues.list_comments_of_issue, "issues"),
    _route("pulls.list", "/pulls", issues.list_pulls, "pull_requests"),
    _route("review_comments.list", "/pulls/comments", issues.list_review_comments, "pull_requests"),
    _route("pulls.get", "/pulls/{number}", issues.get_pull, "pull_requests"),
    _route("reviews.list", "/pulls/{number}/reviews", issues.list_reviews, "pull_requests"),
    _route("commits.list", "/commits", code.list_commits, "contents"),
    _route("commits.get", "/commits/{name*}", code.get_commit, "contents"),
    _route(
        "commits.compare", r"/compare/(?P<base>.+?)\.\.\.(?P<head>.+)", code.compare, "contents"
    ),
    _route("branches.list", "/branches", code.list_branches, "contents"),
    _route("refs.get", "/git/ref/heads/{name*}", code.get_ref, "contents"),
    _route("releases.list", "/releases", code.list_releases, "contents"),
    _route("events.list", "/events", activity.list_events),
)
"""What is below /repos/{owner}/{name} and below /repositories/{number}."""

OF_EVERYTHING = (
    _route("users.get", "/user", accounts.get_user),
    _route("repos.list", "/user/repos", accounts.list_my_repositories),
    _route("orgs.repos", "/orgs/{organization}/repos", accounts.list_organization_repositories),
    _route("orgs.repos", "/organizations/{id}/repos", accounts.list_organization_repositories),
    _route("notifications.list", "/notifications", activity.list_notifications),
    _route("rate_limit.get", "/rate_limit", misc.get_rate_limit, free=True),
    _route("graphql", "/graphql", misc.answer_graphql, method="POST", resource="graphql"),
    _route("apps.installations", "/app/installations", apps.list_installations, signed=True),
    _route(
        "apps.token",
        "/app/installations/{installation}/access_tokens",
        apps.create_token,
        method="POST",
        signed=True,
    ),
    _route(
        "installation.repositories",
        "/installation/repositories",
        accounts.list_installation_repositories,
    ),
)
"""What stands by itself. `signed` calls are made with the App's web token, not with a token."""

_REPOSITORY = re.compile(r"/(?:repos/(?P<name>[^/]+/[^/]+)|repositories/(?P<id>\d+))(?P<rest>/.*)?")


@dataclass(frozen=True, slots=True)
class Found:
    """The route of a request, its parts, and which repository it names in which way, if any."""

    route: Route
    parts: dict[str, str]
    full_name: str = ""
    repository_id: int | None = None
    rest: str = ""

    @property
    def of_repository(self) -> bool:
        """Whether the path names a repository."""
        return bool(self.full_name) or self.repository_id is not None


def find(method: str, path: str) -> Found | None:
    """What a request asks for, or None if that is nothing we serve."""
    if whole := _REPOSITORY.fullmatch(path):
        rest = whole["rest"] or ""
        number = int(whole["id"]) if whole["id"] else None
        for route in OF_REPOSITORY:
            if route.method == method and (found := route.pattern.fullmatch(rest)):
                return Found(route, found.groupdict(), whole["name"] or "", number, rest)
        return None
    for route in OF_EVERYTHING:
        if route.method == method and (found := route.pattern.fullmatch(path)):
            return Found(route, found.groupdict())
    return None
