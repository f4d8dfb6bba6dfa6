"""GET /o/oauth2/v2/auth: the page where people consent, who here do so at once."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from headrace.twin.google.accounts import Account, Accounts
from headrace.twin.google.clock import Clock
from headrace.twin.google.grants import Grants
from headrace.twin.google.options import Options
from headrace.twin.google.problem import OAuthProblem
from headrace.twin.google.scopes import granted, unknown
from headrace.twin.message import Answer, Request

_CODE_TTL_S = 600
_SHORTEST_CHALLENGE, _LONGEST_CHALLENGE = 43, 128
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_PROMPTS = {"none", "consent", "select_account"}
_KNOWN = {
    "client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge",
    "code_challenge_method", "access_type", "prompt", "login_hint", "include_granted_scopes",
    "hl", "nonce",
}  # fmt: skip


@dataclass(frozen=True)
class Code:
    """What an authorization code can be exchanged for, once."""

    account: Account
    scopes: frozenset[str]
    redirect_uri: str
    challenge: str
    offline: bool
    expires_at: float


class Consent:
    """Hands out codes, and takes each back once."""

    def __init__(self, options: Options, clock: Clock, accounts: Accounts, grants: Grants) -> None:
        self._options = options
        self._clock = clock
        self._accounts = accounts
        self._grants = grants
        self._codes: dict[str, Code] = {}

    def ask(self, request: Request) -> Answer:
        """A redirect with a code, or with `error=access_denied`. Raises OAuthProblem."""
        query = request.query
        self._check(query)
        account = self._accounts.get(query.get("login_hint", ""))
        if account is None:
            raise OAuthProblem("invalid_request", "The login_hint is nobody here.")
        answer = self._denied(account, query) or {"code": self._code(account, query)}
        if "state" in query:
            answer["state"] = query["state"]
        if "code" in answer:
            answer["scope"] = " ".join(sorted(self._codes[answer["code"]].scopes))
        mark = "&" if "?" in query["redirect_uri"] else "?"
        location = query["redirect_uri"] + mark + urlencode(answer)
        return Answer([], 302, headers={"Location": location})

    def take(self, text: str) -> Code | None:
        """What a code is for; None if it is unknown, spent or too old."""
        code = self._codes.pop(text, None)
        return code if code and code.expires_at > self._clock.now() else None

    def _check(self, query: dict[str, str]) -> None:
        if strange := sorted(set(query) - _KNOWN):
            raise OAuthProblem("invalid_request", f"Unknown parameter: {strange[0]}")
        if query.get("client_id") != self._options.client_id:
            raise OAuthProblem("invalid_client", "The OAuth client was not found.", 401)
        if not self._may_redirect(query.get("redirect_uri", "")):
            raise OAuthProblem("redirect_uri_mismatch", "The redirect_uri is not registered.")
        if query.get("response_type") != "code":
            raise OAuthProblem("unsupported_response_type", "response_type must be code.")
        if not query.get("scope", "").split():
            raise OAuthProblem("invalid_request", "Missing required parameter: scope")
        if strange := unknown(query["scope"]):
            raise OAuthProblem("invalid_scope", f"Some requested scopes were invalid: {strange}")
        if query.get("access_type", "online") not in ("online", "offline"):
            raise OAuthProblem("invalid_request", "access_type must be online or offline.")
        if not set(query.get("prompt", "").split()) <= _PROMPTS:
            raise OAuthProblem("invalid_request", "The prompt is none that there is.")
        _check_challenge(query)

    def _may_redirect(self, uri: str) -> bool:
        if self._options.redirect_uri:
            return uri in self._options.redirect_uri
        url = urlsplit(uri)
        return url.scheme in ("http", "https") and url.hostname in _LOOPBACK and not url.fragment

    def _denied(self, account: Account, query: dict[str, str]) -> dict[str, str]:
        if account.denies:
            return {"error": "access_denied"}
        if query.get("prompt") == "none" and not account.has_consented:
            return {"error": "consent_required"}
        return {}

    def _code(self, account: Account, query: dict[str, str]) -> str:
        text = self._grants.secret("4/0")
        # Google gives a refresh token at the first consent only, unless it is asked for again.
        first = not account.has_consented or "consent" in query.get("prompt", "").split()
        self._codes[text] = Code(
            account=account,
            scopes=granted(query["scope"], account.ticked),
            redirect_uri=query["redirect_uri"],
            challenge=query.get("code_challenge", ""),
            offline=first and query.get("access_type") == "offline",
            expires_at=self._clock.now() + _CODE_TTL_S,
        )
        account.has_consented = True
        return text


def _check_challenge(query: dict[str, str]) -> None:
    """PKCE (RFC 7636): with a challenge S256 is needed, `plain` protects nobody."""
    challenge = query.get("code_challenge")
    method = query.get("code_challenge_method")
    if challenge is None and method is None:
        return
    if method != "S256" or challenge is None:
        raise OAuthProblem("invalid_request", "code_challenge_method must be S256.")
    if not _SHORTEST_CHALLENGE <= len(challenge) <= _LONGEST_CHALLENGE:
        raise OAuthProblem("invalid_request", "The code_challenge has a wrong length.")
