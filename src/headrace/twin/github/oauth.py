"""Signing in: the web flow with PKCE, the device flow, and tokens that are refreshed.

Errors are answered with 200, as GitHub does.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from headrace.twin.github.clock import Clock
from headrace.twin.github.devices import Devices
from headrace.twin.github.options import Options
from headrace.twin.github.problem import Problem, not_found
from headrace.twin.github.stats import Stats
from headrace.twin.github.tokens import PERMISSIONS, Caller, Tokens
from headrace.twin.message import Answer, Request

_CODE_TTL_S = 600
_REFRESH_TTL_S = 15_897_600
_FORM_TYPE = "application/x-www-form-urlencoded; charset=utf-8"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Denied(Exception):
    """An OAuth error by its name."""


@dataclass(frozen=True, slots=True)
class _Code:
    scope: str
    redirect_uri: str
    challenge: str
    expires_s: int


@dataclass(slots=True)
class _Refresh:
    family: int
    scope: str
    expires_s: int
    spent: bool = False


class OAuth:
    """The authorization server. Whoever is asked to consent has done so at once."""

    def __init__(self, options: Options, clock: Clock, tokens: Tokens, stats: Stats) -> None:
        self.devices = Devices(clock, tokens)
        self._options = options
        self._clock = clock
        self._tokens = tokens
        self._stats = stats
        self._codes: dict[str, _Code] = {}
        self._refreshes: dict[str, _Refresh] = {}
        self._families = 0

    def authorize(self, request: Request) -> Answer:
        """302 to the client with a code. 404 for a client nobody registered."""
        query, options = request.query, self._options
        if query.get("client_id") != options.client_id:
            raise not_found()
        asked = query.get("redirect_uri") or options.redirect_uri
        method = query.get("code_challenge_method", "")
        told = {"state": query["state"]} if "state" in query else {}
        if not asked:
            raise Problem(422, "A redirect_uri is needed.")
        if options.redirect_uri and asked != options.redirect_uri:
            asked, told = options.redirect_uri, {"error": "redirect_uri_mismatch", **told}
        elif "code_challenge" in query and method != "S256":
            told = {"error": "invalid_request", **told}
        else:
            code = self._tokens.invent("code").removeprefix("code_")[:20]
            self._codes[code] = _Code(
                query.get("scope", ""),
                query.get("redirect_uri", ""),
                query.get("code_challenge", ""),
                self._clock.now() + _CODE_TTL_S,
            )
            told = {"code": code, **told}
        mark = "&" if "?" in asked else "?"
        return Answer([], 302, headers={"Location": f"{asked}{mark}{urlencode(told)}"})

    def exchange(self, request: Request) -> Answer:
        """A code, a refresh token or a device's code for a token."""
        asked = _form(request)
        try:
            return _told(request, self._granted(asked))
        except Denied as denied:
            return _told(request, {"error": str(denied), "error_description": "Refused."})

    def device(self, request: Request) -> Answer:
        """The codes with which a device and its user begin."""
        asked = _form(request)
        if asked.get("client_id") != self._options.client_id:
            raise not_found()
        return _told(request, self.devices.begin(asked.get("scope", "")))

    def _granted(self, asked: dict[str, str]) -> dict[str, Any]:
        grant = asked.get("grant_type", "authorization_code")
        if asked.get("client_id") != self._options.client_id:
            raise Denied("incorrect_client_credentials")
        if grant == _DEVICE_GRANT:
            scope = self.devices.poll(asked.get("device_code", ""))
            if scope in self.devices.ERRORS:
                raise Denied(scope)
            return self._issue(scope, self._new_family())
        if asked.get("client_secret") != self._options.client_secret:
            raise Denied("incorrect_client_credentials")
        if grant == "refresh_token":
            return self._refreshed(asked.get("refresh_token", ""))
        if grant != "authorization_code":
            raise Denied("unsupported_grant_type")
        return self._first(asked)

    def _first(self, asked: dict[str, str]) -> dict[str, Any]:
        code = self._codes.pop(asked.get("code", ""), None)  # good for one attempt
        if code is None or code.expires_s <= self._clock.now():
            raise Denied("bad_verification_code")
        if asked.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
            raise Denied("redirect_uri_mismatch")
        if code.challenge and code.challenge != _challenge(asked.get("code_verifier", "")):
            raise Denied("bad_verification_code")
        return self._issue(code.scope, self._new_family())

    def _refreshed(self, token: str) -> dict[str, Any]:
        """A refresh token is good once; using it again ends all that came of the same consent."""
        old = self._refreshes.get(token)
        if old is None or old.expires_s <= self._clock.now():
            raise Denied("bad_refresh_token")
        self._tokens.revoke_family(old.family)
        if old.spent:
            self._stats.families_revoked += 1
            for other in [key for key, one in self._refreshes.items() if one.family == old.family]:
                del self._refreshes[other]
            raise Denied("bad_refresh_token")
        old.spent = True
        return self._issue(old.scope, old.family)

    def _issue(self, scope: str, family: int) -> dict[str, Any]:
        """A token that lives for ever and has scopes, or one that expires and has permissions."""
        ttl_s, login = self._options.user_token_ttl_s, self._options.login
        token = self._tokens.invent("ghu" if ttl_s else "gho")
        now = self._clock.now()
        self._tokens.add(
            Caller(
                token,
                "user" if ttl_s else "oauth",
                login,
                login,
                scopes=() if ttl_s else tuple(scope.replace(",", " ").split()),
                permissions=PERMISSIONS if ttl_s else {},
                expires_s=now + ttl_s if ttl_s else None,
                family=family,
            )
        )
        told = {"access_token": token, "scope": "" if ttl_s else scope, "token_type": "bearer"}
        if not ttl_s:
            return told
        refresh = self._tokens.invent("ghr")
        self._refreshes[refresh] = _Refresh(family, scope, now + _REFRESH_TTL_S)
        expiry = {"expires_in": ttl_s, "refresh_token_expires_in": _REFRESH_TTL_S}
        return {**told, **expiry, "refresh_token": refresh}

    def _new_family(self) -> int:
        self._families += 1
        return self._families


def _form(request: Request) -> dict[str, str]:
    """The parameters: in the query, or in a body of either kind."""
    if request.headers.get("content-type", "").startswith("application/json"):
        return request.query | request.read(dict[str, str])
    return request.query | dict(parse_qsl(request.body.decode("latin-1")))


def _told(request: Request, said: dict[str, Any]) -> Answer:
    if "json" in request.headers.get("accept", ""):
        return Answer([msgspec.json.encode(said)])
    return Answer([urlencode(said).encode()], content_type=_FORM_TYPE)


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
