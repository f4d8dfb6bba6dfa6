"""Tokens of a GitHub App's installation: each is good for an hour (rule H12)."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from headrace.errors import NeedsHuman, Retry
from headrace.http import Answer, Client, next_link

EARLY = 60.0
"""Seconds before its end from which a token is not used any more (rule O5)."""

# GitHub takes web tokens of ten minutes at most, and clocks differ.
_SIGNED_FOR = 300
_SKEW = 60


class _Token(msgspec.Struct):
    token: str
    expires_at: datetime


class _Account(msgspec.Struct):
    login: str


class _Installation(msgspec.Struct):
    id: int
    account: _Account


class Installation:
    """One installation of an App. `key` is the App's private key, in PEM."""

    def __init__(self, client: Client, app_id: int, installation_id: int, key: str) -> None:
        self._client = client
        self._app_id = app_id
        self._id = installation_id
        self._one = asyncio.Lock()
        self._token = ""
        self._until = 0.0
        try:
            self._key = RSAKey.import_key(key)
        except (JoseError, ValueError):
            raise NeedsHuman(
                "The GitHub App's private key is not an RSA key in PEM format.",
                hint="Give the connection the whole .pem file that GitHub made.",
                reauth=True,
            ) from None

    async def token(self, refused: str | None = None) -> str:
        """The installation's token; another one than `refused`. Raises like a request."""
        async with self._one:
            now = self._client.clock.wall()
            if not self._token or self._token == refused or now >= self._until - EARLY:
                path = f"app/installations/{self._id}/access_tokens"
                made = await self._signed("POST", path, _Token)
                self._token, self._until = made[0].token, made[0].expires_at.timestamp()
            return self._token

    async def account(self) -> str:
        """The login of whose account it is installed in. Raises NeedsHuman where it is in none."""
        link: str | None = "app/installations?per_page=100"
        while link is not None:
            found, answer = await self._signed("GET", link, list[_Installation])
            for one in found:
                if one.id == self._id:
                    return str(one.account.login)
            link = next_link(answer.links)
        raise NeedsHuman(
            f"The GitHub App {self._app_id} has no installation {self._id}.",
            hint="Install it anew, and connect with that installation's number.",
            reauth=True,
        )

    async def _signed(self, method: str, path: str, shape: Any) -> tuple[Any, Answer]:
        """Ask as the App itself, which signs in with a web token that it makes."""
        now = int(self._client.clock.wall())
        claims = {"iat": now - _SKEW, "exp": now + _SIGNED_FOR, "iss": str(self._app_id)}
        signed = jwt.encode({"alg": "RS256"}, claims, self._key)

        def parse(answer: Answer) -> tuple[Any, Answer]:
            try:
                return msgspec.json.decode(answer.body, type=shape), answer
            except msgspec.DecodeError:
                raise Retry(f"{answer.host} sent no token.") from None

        headers = {"Authorization": f"Bearer {signed}"}
        return await self._client.ask(method, path, headers=headers, parse=parse)

    async def aclose(self) -> None:
        """Close the connections that tokens were asked for on."""
        await self._client.aclose()
