"""What is asked of an issuer: tokens for a code, for a refresh token, for a device."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.errors import BadInput, NeedsHuman, Retry
from headrace.http import Answer, Client, Policy
from headrace.http.answers import in_words
from headrace.oauth.issuers import Issuer

TIMEOUT = 10.0
"""Seconds of one exchange; whoever waits for a refresh waits no longer than two of them (O1)."""

# An exchange whose answer was lost is made once more, with the same token (rule O6).
_AGAIN = 1
_REFUSED = frozenset({400, 401, 403})


class InvalidGrant(NeedsHuman):
    """The issuer no longer knows the grant: its owner has to consent again (rule O3)."""


class Pending(Retry):
    """The owner has not decided yet; `after` says when to ask again."""


class Tokens(msgspec.Struct):
    """What an issuer gave. `refresh` None: the one before stays good (rule O4); `seconds` None: it
    does not say how long the access token lasts."""

    access: str
    refresh: str | None = None
    seconds: float | None = None
    scopes: list[str] | None = None

    def __repr__(self) -> str:
        return "Tokens(...)"


class Device(msgspec.Struct):
    """A code for a person to type at `url` on any device, within `seconds`."""

    code: str
    user_code: str
    url: str
    seconds: float
    interval: float


def for_code(issuer: Issuer, code: str, verifier: str, redirect_uri: str) -> Tokens:
    """Tokens for the code that a consent came back with. Blocks. Raises InvalidGrant and Retry."""
    fields = {"code": code, "code_verifier": verifier, "redirect_uri": redirect_uri}
    return _tokens(issuer, {"grant_type": "authorization_code", **fields})


def for_refresh(issuer: Issuer, refresh_token: str) -> Tokens:
    """New tokens for a refresh token. Blocks. Raises InvalidGrant, NeedsHuman and Retry."""
    return _tokens(issuer, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def for_device(issuer: Issuer, device: Device) -> Tokens:
    """Tokens once the person has consented. Raises Pending until then, and InvalidGrant."""
    fields = {"device_code": device.code}
    return _tokens(issuer, {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", **fields})


def device(issuer: Issuer, scopes: list[str]) -> Device:
    """Begin a consent on another device. Blocks. Raises BadInput where the issuer refuses that."""
    fields = {"client_id": issuer.client_id, "scope": " ".join(scopes)}
    said = asyncio.run(_ask(issuer, issuer.device_url, fields))
    if "error" in said:
        raise BadInput(
            f"{issuer.title} does not let this client ask on another device: {said['words']}.",
            hint="Connect in a browser, or make a client for limited-input devices there.",
        )
    url = said.get("verification_url") or said.get("verification_uri")
    if not ("device_code" in said and "user_code" in said and url):
        raise Retry(f"{issuer.title} did not answer with a code to type.")
    return Device(
        code=str(said["device_code"]),
        user_code=str(said["user_code"]),
        url=str(url),
        seconds=_seconds(said.get("expires_in")) or 900,
        interval=_seconds(said.get("interval")) or 5,
    )


def _tokens(issuer: Issuer, fields: dict[str, str]) -> Tokens:
    known = {"client_id": issuer.client_id}
    if issuer.client_secret:
        known["client_secret"] = issuer.client_secret
    said = asyncio.run(_ask(issuer, issuer.token_url, {**known, **fields}))
    if "error" in said:
        raise _refusal(issuer, said)
    access = said.get("access_token")
    if not isinstance(access, str) or not access:
        raise Retry(f"{issuer.title} answered without an access token.")
    refresh = said.get("refresh_token")
    scope = said.get("scope")
    return Tokens(
        access,
        refresh if isinstance(refresh, str) and refresh else None,
        _seconds(said.get("expires_in")),
        scope.replace(",", " ").split() if isinstance(scope, str) and scope else None,
    )


def _refusal(issuer: Issuer, said: Mapping[str, Any]) -> Exception:
    error = str(said["error"])
    if error in {"authorization_pending", "slow_down"}:
        return Pending("Nobody has consented yet.", after=_seconds(said.get("interval")) or 5)
    if error in {"invalid_grant", "bad_verification_code", "bad_refresh_token", "expired_token"}:
        return InvalidGrant(
            f"{issuer.title} no longer accepts this account's consent: {said['words']}.",
            hint="Connect the account again. Consents end when they are withdrawn, when the"
            " password is changed, after months without use, or a week while the OAuth client is"
            " in testing.",
            reauth=True,
        )
    if error == "access_denied":
        return InvalidGrant(
            f"{issuer.title} says that access was not allowed.",
            hint="Connect again, and allow it.",
            reauth=True,
        )
    return NeedsHuman(
        f"{issuer.title} refuses Headrace's OAuth client: {said['words']}.",
        hint=f"Check {issuer.name.upper()}_CLIENT_ID, its secret and its redirect addresses.",
    )


def _seconds(said: object) -> float | None:
    """Rule O4: missing, 0 and words mean that nothing is known."""
    try:
        seconds = float(str(said))
    except ValueError:
        return None
    return seconds if 0 < seconds < 1e9 else None


async def _ask(issuer: Issuer, url: str, fields: dict[str, str]) -> dict[str, Any]:
    """What the issuer says to a form, refusals included: why, in `words` that hold no secret."""
    secret = [value for name, value in fields.items() if name not in {"grant_type", "scope"}]
    policy = Policy(retries=_AGAIN, timeout=TIMEOUT, private_hosts=issuer.trusted)
    client = Client(url, secrets=secret, policy=policy)

    def parse(answer: Answer) -> dict[str, Any]:
        try:
            said = msgspec.json.decode(answer.body)
        except msgspec.DecodeError:
            said = None
        if isinstance(said, dict) and "error" in said:
            # It may quote what it was sent (rule O9).
            words = in_words(said.get("error_description") or said["error"], client.secrets)
            return {**said, "words": words}
        if isinstance(said, dict) and answer.status < 300:
            return said
        if answer.status in _REFUSED:
            raise client.error(answer)
        raise Retry(f"{issuer.title} did not answer with tokens.")

    try:
        return await client.ask("POST", url, form=fields, allow=_REFUSED, parse=parse)
    finally:
        await client.aclose()
