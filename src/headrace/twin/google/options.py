"""Everything the Google twin can be told at start; each option is a command line flag as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from headrace.errors import BadInput
from headrace.twin.faults import Rule
from headrace.twin.flags import checked, parsed

_ABOUT = "A stand-in for Google's OAuth, Gmail and Calendar on 127.0.0.1: seeded, strict, faulty."
LARGEST_HISTORY_ID = 2**64 - 1


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one twin behaves. Quotas are Google's own unless given."""

    port: Annotated[
        int, Meta(ge=0, le=65_535, description="port on 127.0.0.1; 0 takes any free one")
    ] = 0
    seed: Annotated[int, Meta(ge=0, description="what the accounts hold at start")] = 1
    account: Annotated[
        tuple[str, ...],
        Meta(min_length=1, description="an address, or how many made-up ones; may be repeated"),
    ] = ("ada@example.com",)
    messages: Annotated[
        int, Meta(ge=0, le=1_000_000, description="messages in each mailbox at start")
    ] = 200
    events: Annotated[
        int, Meta(ge=0, le=100_000, description="events in each primary calendar at start")
    ] = 60
    history_start: Annotated[
        int,
        Meta(ge=1, description="the mailboxes' historyId at start, such as 9223372036854775813"),
    ] = 1_000_000_000
    client_id: Annotated[str, Meta(description="the one client that is registered")] = (
        "headrace.apps.googleusercontent.com"
    )
    client_secret: Annotated[str, Meta(description="its secret; empty: it has none")] = (
        "GOCSPX-twin"  # noqa: S105 - a stand-in's
    )
    redirect_uri: Annotated[
        tuple[str, ...],
        Meta(description="a registered redirect; may be repeated; none: any on this machine"),
    ] = ()
    expires_in: Annotated[int, Meta(ge=1, description="seconds an access token is good for")] = (
        3_600
    )
    refresh_ttl_s: Annotated[
        int, Meta(ge=0, description="seconds until consent lapses (604800: Testing); 0: never")
    ] = 0
    idle_ttl_s: Annotated[
        int, Meta(ge=1, description="seconds after which an unused refresh token dies")
    ] = 15_552_000
    live_tokens: Annotated[
        int, Meta(ge=1, description="refresh tokens an account may have; the oldest die")
    ] = 100
    rotate: Annotated[
        bool, Meta(description="refresh tokens are good once; reuse revokes the whole family")
    ] = False
    device_any_scope: Annotated[
        bool, Meta(description="the device flow grants Gmail and Calendar, as Google's does not")
    ] = False
    user_units: Annotated[int, Meta(ge=1, description="Gmail units per user and minute")] = 15_000
    project_units: Annotated[int, Meta(ge=1, description="Gmail units per project and minute")] = (
        1_200_000
    )
    user_requests: Annotated[
        int, Meta(ge=1, description="Calendar requests per user and minute")
    ] = 600
    project_requests: Annotated[
        int, Meta(ge=1, description="Calendar requests per project and minute")
    ] = 10_000
    over_budget: Annotated[
        Literal["both", "429", "403"],
        Meta(description="status of a refusal for the budget; both: by turns, 429 first"),
    ] = "both"
    overdrafts: Annotated[
        int, Meta(ge=1, description="refusals within a minute that lead to a ban")
    ] = 50
    ban_s: Annotated[int, Meta(ge=1, description="seconds a ban lasts")] = 600
    sync_ttl_s: Annotated[
        int, Meta(ge=1, description="seconds after which a Calendar syncToken is answered 410")
    ] = 2_419_200
    sparse: Annotated[
        bool, Meta(description="history and events pages may be empty or short, with more to come")
    ] = False
    latency_ms: Annotated[int, Meta(ge=0, description="every answer comes this much later")] = 0
    faults: Annotated[
        tuple[Rule, ...], Meta(description="fault rules: a JSON list, or a file that holds one")
    ] = ()
    until_stdin_closes: Annotated[
        bool, Meta(description="end with the process at the other end of standard input")
    ] = False

    @property
    def addresses(self) -> list[str]:
        """The accounts' addresses: those given, and `user1@example.com` onwards for a number."""
        found: list[str] = []
        for one in self.account:
            count = int(one) if one.isdecimal() else 0
            found += [f"user{number}@example.com" for number in range(1, count + 1)] or [one]
        return list(dict.fromkeys(found))


def options_from(values: dict[str, Any]) -> Options:
    """Checked options, numbers also from text. Raises BadInput that names what is wrong."""
    return _sensible(checked(Options, values))


def parse(arguments: Sequence[str] | None) -> Options:
    """Options from the command line (None: this process's own). Raises BadInput, or exits."""
    return _sensible(parsed(Options, arguments, program="headrace.twin.google", about=_ABOUT))


def _sensible(options: Options) -> Options:
    if wrong := [one for one in options.addresses if "@" not in one]:
        raise BadInput(f"{wrong[0]} is not the address of an account.", hint="Such as ada@x.test.")
    if not options.messages < options.history_start <= LARGEST_HISTORY_ID:
        raise BadInput(
            "history_start must be larger than the number of messages and below 2^64.",
            hint="Every message has a historyId before it.",
        )
    return options
