"""Everything the GitHub twin can be told at start; each option is a command line flag as well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from headrace.errors import BadInput
from headrace.twin.flags import checked, parsed
from headrace.twin.github.rules import CallRule
from headrace.twin.github.seeding import MOST_ISSUES

_DESCRIPTION = (
    "A stand-in for GitHub's REST API on 127.0.0.1: strict, seeded, changed while it is read."
)


class TokenSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A personal access token: `scopes` are a classic one's, the rest is a fine-grained one's.

    `repositories` are full names, none: all of its owner's. `ttl_s` 0: it does not expire.
    """

    token: str
    kind: Literal["classic", "fine_grained"] = "classic"
    login: str = ""
    scopes: tuple[str, ...] = ("repo", "notifications", "read:org")
    permissions: dict[str, str] = {}
    repositories: tuple[str, ...] = ()
    ttl_s: int = 0

    def __repr__(self) -> str:
        return f"TokenSpec({self.kind} of {self.login})"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one twin behaves. Limits of 0 are no limits."""

    port: Annotated[
        int, Meta(ge=0, le=65_535, description="port on 127.0.0.1; 0 takes any free one")
    ] = 0
    seed: Annotated[int, Meta(ge=0, description="which content: the same seed, the same")] = 1
    login: Annotated[str, Meta(description="the account that tokens are for")] = "ada"
    organization: Annotated[str, Meta(description="the organization it is a member of")] = "octo"
    repositories: Annotated[
        int, Meta(ge=0, le=1_000, description="how many; the second of every three is private")
    ] = 3
    issues: Annotated[
        int, Meta(ge=0, le=MOST_ISSUES, description="issues and pull requests per repository")
    ] = 50
    commits: Annotated[
        int, Meta(ge=0, le=1_000, description="commits per repository; 0: it is empty")
    ] = 30
    tokens: Annotated[
        tuple[TokenSpec, ...],
        Meta(description="personal access tokens: a JSON list; none: ghp_twin with every scope"),
    ] = ()
    client_id: Annotated[str, Meta(description="the OAuth client")] = "twin-client"
    client_secret: Annotated[str, Meta(description="its secret")] = "twin-secret"  # noqa: S105
    redirect_uri: Annotated[str, Meta(description="its callback; empty: any")] = ""
    user_token_ttl_s: Annotated[
        int, Meta(ge=0, description="life of a user's token; 0: for ever, without a refresh token")
    ] = 28_800
    app_id: Annotated[int, Meta(ge=1, description="the GitHub App")] = 7
    app_public_key: Annotated[
        str, Meta(description="its RSA key as PEM, or the file that holds it; empty: no App")
    ] = ""
    rate_limit: Annotated[int, Meta(ge=0, description="requests per account and hour")] = 5_000
    anonymous_limit: Annotated[int, Meta(ge=0, description="requests per hour without one")] = 60
    concurrent: Annotated[int, Meta(ge=0, description="requests per account at once")] = 0
    points_per_minute: Annotated[
        int, Meta(ge=0, description="per account; a GET costs 1, anything else 5")
    ] = 0
    limit_status: Annotated[
        Literal[403, 429], Meta(description="what both limits are refused with")
    ] = 403
    retry_after: Annotated[
        Literal["always", "never", "alternating"],
        Meta(description="whether the secondary limit says how long to wait"),
    ] = "always"
    page_limit: Annotated[
        int, Meta(ge=0, description="the last page of a large set that its number is good for")
    ] = 0
    poll_interval_s: Annotated[int, Meta(ge=1, description="what X-Poll-Interval says")] = 60
    events_delay_s: Annotated[int, Meta(ge=0, description="events are seen this much later")] = 0
    latency_ms: Annotated[int, Meta(ge=0, description="every answer comes this much later")] = 0
    frozen_s: Annotated[
        int,
        Meta(description="Unix seconds at which the clock stands, 2026 or later; 0: it runs"),
    ] = 0
    faults: Annotated[
        tuple[CallRule, ...],
        Meta(description="fault rules: a JSON list, or a file that holds one"),
    ] = ()
    until_stdin_closes: Annotated[
        bool, Meta(description="end with the process at the other end of standard input")
    ] = False

    def __repr__(self) -> str:
        return f"Options(seed={self.seed}, repositories={self.repositories}, issues={self.issues})"


def options_from(values: dict[str, Any]) -> Options:
    """Checked options, numbers also from text. Raises BadInput that names what is wrong."""
    return checked(Options, values)


def parse(arguments: Sequence[str] | None) -> Options:
    """Options from the command line (None: this process's own). Raises BadInput, or exits."""
    options = parsed(Options, arguments, program="headrace.twin.github", about=_DESCRIPTION)
    key = options.app_public_key
    if not key or key.startswith("-----"):
        return options
    try:
        return msgspec.structs.replace(options, app_public_key=Path(key).read_text("ascii"))
    except (OSError, UnicodeDecodeError):
        raise BadInput(
            f"The App's public key cannot be read from {key}.", hint="It is a file in PEM format."
        ) from None
