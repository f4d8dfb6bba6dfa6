"""The GitHub App: it signs in with a web token, and gets tokens for its one installation."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.twin.github.call import Call, Reply
from headrace.twin.github.clock import START_S, stamp
from headrace.twin.github.jwt import check_jwt, read_key
from headrace.twin.github.paging import paged
from headrace.twin.github.problem import Problem, not_found
from headrace.twin.github.render.people import account_id, user
from headrace.twin.github.render.repositories import repository
from headrace.twin.github.tokens import PERMISSIONS, Caller

INSTALLATION = 1
_TOKEN_TTL_S = 3_600


class _Wanted(msgspec.Struct):
    repositories: tuple[str, ...] = ()
    repository_ids: tuple[int, ...] = ()
    permissions: dict[str, str] | None = None


def list_installations(call: Call) -> Reply:
    """Where the App is installed: in the organization, with all its repositories."""
    _require_app(call)
    return paged(call, [INSTALLATION], lambda _: _installation(call))


def create_token(call: Call) -> Reply:
    """A token for an hour, for all of the installation or a part of it."""
    _require_app(call)
    if int(call.parts["installation"]) != INSTALLATION:
        raise not_found()
    wanted = call.request.read(_Wanted) if call.request.body else _Wanted()
    chosen = _chosen(call, wanted)
    permissions = PERMISSIONS if wanted.permissions is None else wanted.permissions
    if not permissions.items() <= PERMISSIONS.items():
        raise Problem(422, "The permissions requested are not granted to this installation.")
    expires_s = call.world.clock.now() + _TOKEN_TTL_S
    token = call.tokens.invent("ghs")
    call.tokens.add(
        Caller(
            token,
            "installation",
            "",
            f"installation {INSTALLATION}",
            permissions=permissions,
            repositories=frozenset(chosen) if chosen else None,
            expires_s=expires_s,
        )
    )
    body: dict[str, Any] = {
        "token": token,
        "expires_at": stamp(expires_s),
        "permissions": permissions,
        "repository_selection": "selected" if chosen else "all",
    }
    if chosen:
        rows = [call.world.repositories[number] for number in chosen]
        body["repositories"] = [repository(call.site, row) for row in rows]
    return Reply(body, 201)


def _require_app(call: Call) -> None:
    """Raises Problem (401) unless the App itself asks."""
    if not call.options.app_public_key:
        raise not_found()
    key = read_key(call.options.app_public_key)
    authorization = call.request.headers.get("authorization", "")
    check_jwt(authorization, key, call.options.app_id, call.world.clock.now())


def _chosen(call: Call, wanted: _Wanted) -> list[int]:
    """The numbers of the repositories wanted. Raises Problem (422) for others than its own."""
    own = [row for row in call.world.repositories.values() if row.owner == call.world.organization]
    chosen = [
        row.id for row in own if row.name in wanted.repositories or row.id in wanted.repository_ids
    ]
    if len(chosen) != len(wanted.repositories) + len(wanted.repository_ids):
        raise Problem(422, "There is at least one repository that is not of this installation.")
    return chosen


def _installation(call: Call) -> dict[str, Any]:
    name = call.world.organization
    return {
        "id": INSTALLATION,
        "account": user(call.site, name),
        "repository_selection": "all",
        "access_tokens_url": f"{call.site.base}/app/installations/{INSTALLATION}/access_tokens",
        "repositories_url": f"{call.site.base}/installation/repositories",
        "html_url": f"https://github.com/organizations/{name}/settings/installations/1",
        "app_id": call.options.app_id,
        "app_slug": "twin-app",
        "target_id": account_id(name),
        "target_type": "Organization",
        "permissions": PERMISSIONS,
        "events": [],
        "created_at": stamp(START_S),
        "updated_at": stamp(START_S),
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": None,
    }
