"""Whose account it is, and the repositories that it can read."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from headrace import telemetry
from headrace.errors import NeedsHuman
from headrace.github.lists import NONE, Asking, Gone, Lists, Raws
from headrace.provider import Owner

_HIDDEN = "users.noreply.github.com"


class Repository(msgspec.Struct):
    """A repository by its number, which stays when it is renamed or moves (rule H8)."""

    id: int
    full_name: str


class _Repositories(msgspec.Struct):
    rows: Raws = msgspec.field(name="repositories")


class _User(msgspec.Struct):
    id: int
    login: str
    email: str | None = None


async def user(ask: Asking) -> Owner:
    """The user who has consented. Addresses are those that GitHub shows of them."""
    found = (await ask("user", _User, NONE, NONE))[0]
    login = found.login.lower()
    shown = [found.email.lower()] if found.email else []
    return Owner(found.login, (*shown, f"{login}@{_HIDDEN}", f"{found.id}+{login}@{_HIDDEN}"))


async def named(ask: Asking, names: Iterable[str]) -> list[Repository]:
    """Those of these names that can be read. Raises NeedsHuman where none can."""
    found: dict[int, Repository] = {}
    gone: Gone | None = None
    for name in names:
        try:
            one = (await ask(f"repos/{name}", Repository, NONE, NONE))[0]
            found[one.id] = one
        except Gone as error:
            telemetry.note("github", name, {"gone": error.message})
            gone = error
    if gone is not None and not found:
        raise NeedsHuman(
            "None of the repositories can be read.", hint=f"GitHub says: {gone.message}"
        )
    return list(found.values())


async def owned(lists: Lists, *, installed: bool) -> list[Repository]:
    """All of the account, or of an App's installation."""
    if installed:
        rows = await lists.whole("installation/repositories", shape=_Repositories)
    else:
        rows = await lists.whole("user/repos")
    return [msgspec.json.decode(row, type=Repository) for row in rows]
