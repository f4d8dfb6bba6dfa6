"""Accounts, and where everything has its address."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from headrace.twin.github.clock import START_S, stamp

WEB = "https://github.com"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Site:
    """The API's base URL as its client knows it, and which account is an organization."""

    base: str
    organization: str


def node_id(prefix: str, *numbers: int | str) -> str:
    """A global id: opaque, and the same for the same thing whatever happens to its repository."""
    text = ":".join(map(str, numbers)).encode()
    return f"{prefix}_{urlsafe_b64encode(text).decode().rstrip('=')}"


def account_id(login: str) -> int:
    """The number of an account, which follows from its login."""
    return int.from_bytes(blake2b(login.lower().encode(), digest_size=3).digest()) + 1


def user(site: Site, login: str) -> Json:
    """The `simple-user` of a login."""
    number = account_id(login)
    api = f"{site.base}/users/{login}"
    return {
        "login": login,
        "id": number,
        "node_id": node_id("U", number),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{WEB}/{login}",
        "followers_url": f"{api}/followers",
        "following_url": f"{api}/following{{/other_user}}",
        "gists_url": f"{api}/gists{{/gist_id}}",
        "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{api}/subscriptions",
        "organizations_url": f"{api}/orgs",
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events{{/privacy}}",
        "received_events_url": f"{api}/received_events",
        "type": "Organization" if login == site.organization else "User",
        "user_view_type": "public",
        "site_admin": False,
    }


def actor(site: Site, login: str) -> Json:
    """Who did something, as events name them."""
    one = user(site, login)
    names = ("id", "login", "gravatar_id", "url", "avatar_url")
    return {"display_login": login, **{name: one[name] for name in names}}


def public_user(site: Site, login: str, repositories: int) -> Json:
    """The account a token belongs to, as it sees itself without the `user` scope."""
    return {
        **user(site, login),
        "name": login.title(),
        "company": None,
        "blog": "",
        "location": None,
        "email": None,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "notification_email": None,
        "public_repos": repositories,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": stamp(START_S),
        "updated_at": stamp(START_S),
    }
