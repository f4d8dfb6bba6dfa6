"""Google's OAuth endpoints: consent, tokens, devices, revocation, and who somebody is."""

from __future__ import annotations

import base64
from hashlib import sha256
from hmac import compare_digest

from headrace.twin.google.accounts import Account, Accounts
from headrace.twin.google.clock import Clock
from headrace.twin.google.consent import Code, Consent
from headrace.twin.google.device import Devices
from headrace.twin.google.form import check_client, needed, read_form
from headrace.twin.google.grants import Access, Grant, Grants
from headrace.twin.google.options import Options
from headrace.twin.google.problem import OAuthProblem
from headrace.twin.google.scopes import EMAIL, PROFILE, granted
from headrace.twin.message import Answer, Request, answer_json

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_NOT_STORED = {"Cache-Control": "no-cache, no-store, max-age=0, must-revalidate"}


class OAuth:
    """The endpoints. All raise OAuthProblem for what Google refuses."""

    def __init__(self, options: Options, clock: Clock, accounts: Accounts, grants: Grants) -> None:
        self._options = options
        self._accounts = accounts
        self._grants = grants
        self._consent = Consent(options, clock, accounts, grants)
        self.devices = Devices(options, clock, grants)

    def ask(self, request: Request) -> Answer:
        """GET /o/oauth2/v2/auth"""
        return self._consent.ask(request)

    def token(self, request: Request) -> Answer:
        """POST /token"""
        form = read_form(request)
        check_client(request, form, self._options)
        kind = needed(form, "grant_type")
        if kind == "authorization_code":
            body = self._exchange(form)
        elif kind == "refresh_token":
            body = self._refresh(form)
        elif kind == DEVICE_GRANT:
            account, scopes = self.devices.take(needed(form, "device_code"))
            body = self.issue(account, scopes, offline=True)
        else:
            raise OAuthProblem("unsupported_grant_type", f"Invalid grant_type: {kind}")
        answer = answer_json(body)
        answer.headers.update(_NOT_STORED)
        return answer

    def device_code(self, request: Request) -> Answer:
        """POST /device/code"""
        return answer_json(self.devices.start(read_form(request)))

    def revoke(self, request: Request) -> Answer:
        """POST /revoke, the token in the query or in a form."""
        token = request.query.get("token") or needed(read_form(request), "token")
        if not self._grants.give_back(token):
            raise OAuthProblem("invalid_token", "Token expired or revoked")
        return answer_json({})

    def userinfo(self, access: Access, account: Account) -> Answer:
        """GET /oauth2/v3/userinfo: more than `sub` only with a scope for it."""
        body: dict[str, object] = {"sub": account.sub}
        if access.scopes & granted(EMAIL, None):
            body |= {"email": account.email, "email_verified": True}
        if access.scopes & granted(PROFILE, None):
            body["name"] = account.email.partition("@")[0].title()
        return answer_json(body)

    def issue(
        self, account: Account, scopes: frozenset[str], *, offline: bool
    ) -> dict[str, object]:
        """Tokens of a new consent, as the token endpoint gives them."""
        grant = self._grants.issue(account.email, scopes, offline=offline)
        return self._body(grant, scopes, refresh=grant.refresh)

    def _exchange(self, form: dict[str, str]) -> dict[str, object]:
        code = self._consent.take(needed(form, "code"))
        if code is None:
            raise OAuthProblem("invalid_grant", "Malformed auth code.")
        if form.get("redirect_uri") != code.redirect_uri:
            raise OAuthProblem("redirect_uri_mismatch", "Bad Request")
        _check_verifier(form, code)
        return self.issue(code.account, code.scopes, offline=code.offline)

    def _refresh(self, form: dict[str, str]) -> dict[str, object]:
        token = needed(form, "refresh_token")
        wanted = granted(form.get("scope", ""), None)
        grant = self._grants.refreshed(token, wanted)
        rotated = grant.refresh if grant.refresh != token else ""
        return self._body(grant, wanted or grant.scopes, refresh=rotated)

    def _body(self, grant: Grant, scopes: frozenset[str], refresh: str) -> dict[str, object]:
        body: dict[str, object] = {
            "access_token": self._grants.access(grant, scopes),
            "expires_in": self._options.expires_in,
            "scope": " ".join(sorted(scopes)),
            "token_type": "Bearer",
        }
        if refresh:
            body["refresh_token"] = refresh
        return body


def _check_verifier(form: dict[str, str], code: Code) -> None:
    verifier = form.get("code_verifier", "")
    if not code.challenge:
        if verifier:
            raise OAuthProblem("invalid_grant", "code_verifier or verifier is not needed.")
        return
    if not verifier:
        raise OAuthProblem("invalid_grant", "Missing code verifier.")
    digest = sha256(verifier.encode()).digest()
    made = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not compare_digest(made.encode(), code.challenge.encode()):
        raise OAuthProblem("invalid_grant", "Invalid code verifier.")
