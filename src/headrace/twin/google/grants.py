"""Who has allowed what: consents, with the access and refresh tokens that came of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

from headrace.twin.google.clock import Clock
from headrace.twin.google.options import Options
from headrace.twin.google.problem import OAuthProblem

REVOKED = "Token has been expired or revoked."


@dataclass(eq=False)
class Grant:
    """One consent and the family of tokens made from it. `dead` is why it is over, "" while not."""

    email: str
    scopes: frozenset[str]
    granted_at: float
    used_at: float
    refresh: str = field(default="", repr=False)
    dead: str = ""


@dataclass(frozen=True)
class Access:
    """What one access token is good for, and until when (Unix seconds)."""

    grant: Grant
    scopes: frozenset[str]
    expires_at: float


class Grants:
    """Every token there has ever been, and what it leads to."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._access: dict[str, Access] = {}
        self._refresh: dict[str, Grant] = {}
        self._all: list[Grant] = []
        self._secrets = 0
        self.refreshes = 0
        self.families_revoked = 0

    def secret(self, prefix: str) -> str:
        """A text nobody can guess, and yet the same one in every run with the same seed."""
        self._secrets += 1
        seed = b"headrace google secrets %d" % self._options.seed
        digest = blake2b(b"%d" % self._secrets, key=seed[:64], digest_size=24)
        return prefix + digest.hexdigest()

    def issue(self, email: str, scopes: frozenset[str], *, offline: bool) -> Grant:
        """A new consent. Beyond the number of live ones an account may have, the oldest dies."""
        now = self._clock.now()
        grant = Grant(email, scopes, now, now)
        if offline:
            self._renew(grant)
            live = [one for one in self._all if one.email == email and not one.dead]
            for oldest in live[: max(0, len(live) + 1 - self._options.live_tokens)]:
                oldest.dead = REVOKED
            self._all.append(grant)
        return grant

    def access(self, grant: Grant, scopes: frozenset[str]) -> str:
        """A new access token."""
        token = self.secret("ya29.")
        self._access[token] = Access(grant, scopes, self._clock.now() + self._options.expires_in)
        return token

    def find(self, token: str) -> Access | None:
        """What an access token is good for; None if for nothing, or no longer."""
        access = self._access.get(token)
        if access is None or access.grant.dead or access.expires_at <= self._clock.now():
            return None
        return access

    def refreshed(self, token: str, wanted: frozenset[str]) -> Grant:
        """The consent a refresh token stands for, its refresh token exchanged if they rotate.

        Raises OAuthProblem (invalid_grant, or invalid_scope if more is wanted than was granted). A
        spent token ends the whole family: whoever else has the later one may be the thief.
        """
        grant = self._refresh.get(token)
        if grant is None:
            raise OAuthProblem("invalid_grant", "Bad Request")
        now = self._clock.now()
        consent_s, idle_s = self._options.refresh_ttl_s, self._options.idle_ttl_s
        lapsed = consent_s and grant.granted_at + consent_s <= now
        if not grant.dead and (lapsed or grant.used_at + idle_s <= now):
            grant.dead = REVOKED
        if not grant.dead and token != grant.refresh:
            grant.dead = REVOKED
            self.families_revoked += 1
        if grant.dead:
            raise OAuthProblem("invalid_grant", grant.dead)
        if not wanted <= grant.scopes:
            raise OAuthProblem("invalid_scope", "Some requested scopes were not granted.")
        grant.used_at = now
        self.refreshes += 1
        if self._options.rotate:
            self._renew(grant)
        return grant

    def revoke(self, email: str, cause: str = REVOKED) -> int:
        """End every consent of an account; returns how many lived."""
        known = {id(grant): grant for grant in self._refresh.values()}
        known |= {id(access.grant): access.grant for access in self._access.values()}
        living = [one for one in known.values() if one.email == email and not one.dead]
        for grant in living:
            grant.dead = cause
        return len(living)

    def give_back(self, token: str) -> bool:
        """End the consent that an access or refresh token came of. False: there is none."""
        access = self._access.get(token)
        grant = access.grant if access else self._refresh.get(token)
        if grant is None or grant.dead:
            return False
        grant.dead = REVOKED
        return True

    def _renew(self, grant: Grant) -> None:
        grant.refresh = self.secret("1//")
        self._refresh[grant.refresh] = grant
