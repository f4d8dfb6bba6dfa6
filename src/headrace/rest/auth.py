"""How the key travels: one header or one query parameter, made from the spec and the secret."""

from __future__ import annotations

import base64
import os

import msgspec

from headrace.errors import NeedsHuman
from headrace.logs.secrets import hide
from headrace.rest.spec import Auth


class Credentials(msgspec.Struct):
    """What the client adds to every request, and the key itself so that messages can hide it."""

    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    secrets: tuple[str, ...] = ()


def credentials(auth: Auth | None, secret: str | None, *, trusted: bool) -> Credentials:
    """Raises NeedsHuman when there is no key, or one that cannot be sent.

    `env` is honoured for an operator's spec alone: an API caller could name any variable of the
    service and have it sent to a server of theirs.
    """
    if auth is None:
        return Credentials()
    key = secret or (auth.key.get_secret_value() if auth.key else None)
    if key is None and auth.env is not None:
        if not trusted:
            raise NeedsHuman(
                f"The spec names the environment variable {auth.env}, which only an operator may.",
                hint="Give the key itself when making the connection: it is sealed.",
                reauth=True,
            )
        key = os.environ.get(auth.env)
    key = (key or "").strip()
    if not key:
        where = f"The variable {auth.env} is not set" if auth.env else "The connection has no key"
        hint = "Set it where the job runs." if auth.env else "Give it in the spec: auth.key or env."
        raise NeedsHuman(f"{where}, but the spec needs one.", hint=hint, reauth=True)
    if not (key.isascii() and key.isprintable()):
        raise NeedsHuman(
            "The key holds characters that cannot be sent.", hint="Copy it again.", reauth=True
        )
    hide(key)
    if auth.query is not None:
        return Credentials(query={auth.query: key}, secrets=(key,))
    if auth.header is not None:
        name, value = auth.header, key
    elif auth.basic is not None:
        pair = base64.b64encode(f"{auth.basic}:{key}".encode()).decode()
        name, value = "Authorization", f"Basic {pair}"
    else:
        name, value = "Authorization", f"Bearer {key}"
    hide(value.partition(" ")[2])
    return Credentials(headers={name: value}, secrets=(key, value))
