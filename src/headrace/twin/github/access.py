"""What a caller may see and do. What one may not see does not exist: 404."""

from __future__ import annotations

from headrace.twin.github.problem import Problem, forbidden
from headrace.twin.github.rows import Repository
from headrace.twin.github.tokens import Caller
from headrace.twin.github.world import World


def sees(caller: Caller, world: World, row: Repository | None) -> bool:
    """Whether the repository exists, for this caller."""
    return row is not None and (not row.private or holds(caller, world, row))


def holds(caller: Caller, world: World, row: Repository) -> bool:
    """Whether the token was made for this repository, private as it may be."""
    if caller.repositories is not None and row.id not in caller.repositories:
        return False
    if caller.is_app:
        return row.owner == world.organization
    if caller.kind in ("classic", "oauth") and row.private and "repo" not in caller.scopes:
        return False
    return owns(caller.login, world, row)


def owns(login: str, world: World, row: Repository) -> bool:
    """Whether it is the account's own, or its organization's."""
    is_member = login in world.people and row.owner == world.organization
    return bool(login) and (row.owner == login or is_member)


def require(caller: Caller, permission: str, row: Repository) -> None:
    """Raises Problem (403) if a private repository's token lacks the permission for this."""
    limited = caller.kind in ("fine_grained", "user", "installation")
    if row.private and limited and permission not in caller.permissions:
        raise _inaccessible(caller)


def require_person(caller: Caller) -> None:
    """Raises Problem unless a person asks: 401 without a token, 403 for an installation."""
    if caller.kind == "anonymous":
        raise Problem(401, "Requires authentication")
    if caller.is_app:
        raise _inaccessible(caller)


def require_notifications(caller: Caller) -> None:
    """Notifications are for classic and OAuth tokens with a scope for them; else Problem."""
    require_person(caller)
    if caller.kind not in ("classic", "oauth"):
        raise _inaccessible(caller)
    if not {"notifications", "repo"} & set(caller.scopes):
        raise forbidden("Missing the 'notifications' scope.")


def require_installation(caller: Caller) -> None:
    """Raises Problem unless an installation of the App asks."""
    if caller.kind == "anonymous":
        raise Problem(401, "Requires authentication")
    if not caller.is_app:
        raise forbidden("You must authenticate with an installation access token.")


def _inaccessible(caller: Caller) -> Problem:
    by = "personal access token" if caller.kind == "fine_grained" else "integration"
    return forbidden(f"Resource not accessible by {by}")
