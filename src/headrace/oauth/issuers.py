"""Who gives tokens, and where."""

from __future__ import annotations

from typing import Final

import msgspec

from headrace.errors import BadInput
from headrace.settings import Settings


class Issuer(msgspec.Struct, frozen=True):
    """An OAuth 2 server, as the operator has set it up. `asks` are parameters of its own that an
    authorization needs; `title` is what people call it."""

    name: str
    title: str
    auth_url: str
    token_url: str
    device_url: str
    client_id: str
    client_secret: str | None
    asks: dict[str, str] = {}
    trusted: bool = False
    """Whether the operator has pointed it elsewhere: then it may be at a private address."""


TITLES: Final = {"google": "Google", "github": "GitHub"}
"""As they call themselves."""

# Without `consent` Google gives no refresh token to an account that has consented before.
_GOOGLE = {"access_type": "offline", "prompt": "consent", "include_granted_scopes": "false"}


def issuer(name: str, settings: Settings) -> Issuer:
    """The issuer of that name. Raises BadInput where the operator has no client there."""
    if name == "google":
        made = Issuer(
            name,
            TITLES[name],
            settings.google_auth_url,
            settings.google_token_url,
            settings.google_device_url,
            settings.google_client_id or "",
            _opened(settings, "google_client_secret"),
            _GOOGLE,
            trusted="google_token_url" in settings.model_fields_set,
        )
    elif name == "github":
        made = Issuer(
            name,
            TITLES[name],
            settings.github_auth_url,
            settings.github_token_url,
            settings.github_device_url,
            settings.github_client_id or "",
            _opened(settings, "github_client_secret"),
            trusted="github_token_url" in settings.model_fields_set,
        )
    else:
        raise BadInput(f"There is no issuer {name!r}.", hint="There are: google, github.")
    if not made.client_id:
        raise BadInput(
            f"Headrace has no OAuth client at {made.title}.",
            hint=f"Make one there and set {name.upper()}_CLIENT_ID and {name.upper()}"
            "_CLIENT_SECRET: see docs/how-to/connect-accounts.md.",
        )
    return made


def _opened(settings: Settings, name: str) -> str | None:
    secret = getattr(settings, name)
    return secret.get_secret_value() if secret else None
