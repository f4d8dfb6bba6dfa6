"""Who one is, which repositories one has, and what is left of the limits."""

from __future__ import annotations

from collections.abc import Callable

from headrace.twin.github.access import (
    holds,
    require_installation,
    require_person,
    sees,
)
from headrace.twin.github.call import Call, Reply
from headrace.twin.github.clock import stamp
from headrace.twin.github.paging import paged
from headrace.twin.github.problem import not_found
from headrace.twin.github.render.people import account_id, public_user
from headrace.twin.github.render.repositories import full, minimal, repository
from headrace.twin.github.rows import Repository


def get_user(call: Call) -> Reply:
    """The account the token belongs to."""
    require_person(call.caller)
    login = call.caller.login
    public = sum(row.owner == login and not row.private for row in call.world.repositories.values())
    return Reply(public_user(call.site, login, public))


def list_my_repositories(call: Call) -> Reply:
    """One's own and those of one's organization, as far as the token reaches."""
    require_person(call.caller)
    visibility = call.choice("visibility", ("all", "public", "private"))
    rows = _sorted(call, "full_name", lambda row: holds(call.caller, call.world, row))
    rows = [row for row in rows if visibility in ("all", _visibility(row))]
    return paged(call, rows, lambda row: repository(call.site, row))


def list_organization_repositories(call: Call) -> Reply:
    """An organization's, as far as one sees them. 404 for anybody else."""
    name = call.world.organization
    wanted = call.parts.get("organization", name)
    if call.parts.get("id", str(account_id(name))) != str(account_id(name)) or wanted != name:
        raise not_found()
    rows = _sorted(
        call, "created", lambda row: row.owner == name and sees(call.caller, call.world, row)
    )
    call.path = f"/organizations/{account_id(name)}/repos"
    return paged(call, rows, lambda row: minimal(call.site, row))


def list_installation_repositories(call: Call) -> Reply:
    """What the installation whose token this is was given."""
    require_installation(call.caller)
    rows = [row for row in call.world.repositories.values() if holds(call.caller, call.world, row)]
    reply = paged(call, rows, lambda row: repository(call.site, row))
    reply.body = {
        "total_count": len(rows),
        "repository_selection": "all" if call.caller.repositories is None else "selected",
        "repositories": reply.body,
    }
    return reply


def get_repository(call: Call) -> Reply:
    """One repository."""
    return Reply(full(call.site, call.within), modified_s=call.within.updated_s)


def _sorted(call: Call, default: str, shown: Callable[[Repository], bool]) -> list[Repository]:
    sort = call.choice("sort", ("created", "updated", "pushed", "full_name"), default)
    usual = "asc" if sort == "full_name" else "desc"
    descending = call.choice("direction", ("desc", "asc"), usual) == "desc"

    def place(row: Repository) -> tuple[str, int]:
        by = {
            "full_name": row.full_name,
            "created": stamp(row.created_s),
            "updated": stamp(row.updated_s),
            "pushed": stamp(row.pushed_s),
        }
        return by[sort], row.id

    rows = [row for row in call.world.repositories.values() if shown(row)]
    return sorted(rows, key=place, reverse=descending)


def _visibility(row: Repository) -> str:
    return "private" if row.private else "public"
