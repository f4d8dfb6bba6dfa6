"""Tokens and whose they are. A token that is unknown, expired or revoked is Bad credentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from headrace.twin.github.clock import Clock
from headrace.twin.github.options import TokenSpec
from headrace.twin.github.problem import Problem
from headrace.twin.github.words import draw
from headrace.twin.github.world import World

Kind = Literal["anonymous", "classic", "fine_grained", "oauth", "user", "installation"]

PERMISSIONS = {"metadata": "read", "issues": "read", "pull_requests": "read", "contents": "read"}
"""What the GitHub App was given."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `repositories` None: all that the account has.

    `account` is who limits are counted for, "" without a token. `family` joins the tokens that
    were refreshed from one another.
    """

    token: str = field(default="", repr=False)
    kind: Kind = "anonymous"
    login: str = ""
    account: str = ""
    scopes: tuple[str, ...] = ()
    permissions: dict[str, str] = field(default_factory=dict)
    repositories: frozenset[int] | None = None
    expires_s: int | None = None
    family: int = 0

    @property
    def is_app(self) -> bool:
        """Whether it is an installation of the GitHub App, and nobody."""
        return self.kind == "installation"


class Tokens:
    """The tokens that are good, or were."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._seed = seed
        self._clock = clock
        self._callers: dict[str, Caller] = {}
        self._made = 0

    def invent(self, prefix: str) -> str:
        """A new secret that looks like GitHub's."""
        self._made += 1
        parts = [draw(self._seed, "token", prefix, self._made, part).hex() for part in range(3)]
        return f"{prefix}_{''.join(parts)[:36]}"

    def add(self, caller: Caller) -> None:
        """From now on this is who has that token."""
        self._callers[caller.token] = caller

    def add_personal(self, spec: TokenSpec, login: str, world: World) -> None:
        """A personal access token, of `login` unless it names somebody else."""
        login = spec.login or login
        rows = [world.named(name) for name in spec.repositories]
        self.add(
            Caller(
                spec.token,
                spec.kind,
                login,
                login,
                scopes=spec.scopes if spec.kind == "classic" else (),
                permissions=spec.permissions,
                repositories=frozenset(row.id for row in rows if row) if rows else None,
                expires_s=self._clock.now() + spec.ttl_s if spec.ttl_s else None,
            )
        )

    def revoke(self, token: str) -> None:
        """A token is not good any longer."""
        self._callers.pop(token, None)

    def revoke_family(self, family: int) -> None:
        """None of the tokens that came of one consent is good any longer."""
        kept = {token: one for token, one in self._callers.items() if one.family != family}
        self._callers = kept

    def caller(self, authorization: str) -> Caller:
        """Who sends this header; without one, nobody. Raises Problem (401)."""
        if not authorization:
            return Caller()
        scheme, _, token = authorization.partition(" ")
        caller = self._callers.get(token.strip())
        if scheme.lower() not in ("bearer", "token") or caller is None:
            raise Problem(401, "Bad credentials")
        if caller.expires_s is not None and caller.expires_s <= self._clock.now():
            raise Problem(401, "Bad credentials")
        return caller
