"""emulate's GitHub: what is in it at first, and what has to be answered for it.

Of a repository by its number it has the repository and nothing inside: there it is asked by name
instead, as the number says at that moment. Nothing else is answered for it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from tests.stand_ins.emulate import Emulate, bearer

from headrace.settings import Settings
from headrace.twin.message import Request

ADA = "ada"
ANYBODY = "no-token-of-anybody"
"""Whoever comes with a token that it never gave is its first account: that is for the tests."""

BACK = "http://127.0.0.1:1/back"
_CLIENT = {"client_id": "headrace-client", "client_secret": "emulate-secret"}
_INSIDE = re.compile(r"/repositories/(\d+)/(.+)")


def settings(url: str) -> Settings:
    """Settings under which GitHub is emulate."""
    return Settings(
        _env_file=None,
        github_base_url=url,
        github_auth_url=f"{url}/login/oauth/authorize",
        github_token_url=f"{url}/login/oauth/access_token",
        github_client_id=_CLIENT["client_id"],
        github_client_secret=_CLIENT["client_secret"],
    )


def seed() -> dict[str, Any]:
    """An account with one repository, in which there is nothing but a commit."""
    return {
        "users": [{"login": ADA, "name": "Ada", "email": "ada@example.com"}],
        "repos": [{"owner": ADA, "name": "engine", "auto_init": True}],
        "oauth_apps": [{**_CLIENT, "name": "Headrace", "redirect_uris": [BACK]}],
    }


async def fill(emulate: Emulate, request: Request) -> Request | None:
    """What emulate is asked instead."""
    inside = _INSIDE.fullmatch(request.path)
    if inside is None:
        return None
    number, rest = inside.groups()
    named = await emulate.ask("GET", f"/repositories/{number}", token=bearer(request))
    return replace(request, path=f"/repos/{named['full_name']}/{rest}")
