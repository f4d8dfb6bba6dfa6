"""Everything the DataSync twin can be told at start; each option is a command line flag as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from headrace.twin.command_line import flags_of, options_of, parse_options
from headrace.twin.faults import Rule

_DESCRIPTION = (
    "A stand-in for the DataSync events API on 127.0.0.1: seeded, fast, faulty on demand."
)


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one twin behaves. `total` 0 is an empty source."""

    port: Annotated[
        int, Meta(ge=0, le=65_535, description="port on 127.0.0.1; 0 takes any free one")
    ] = 0
    seed: Annotated[int, Meta(ge=0, description="which events: the same seed, the same bytes")] = 1
    total: Annotated[int, Meta(ge=0, le=3_000_000, description="how many events there are")] = (
        3_000_000
    )
    paths: Annotated[
        Literal["observed", "documented", "both"],
        Meta(description="serve /events (observed), /api/v1/events (documented) or both"),
    ] = "observed"
    envelope: Annotated[
        Literal["observed", "documented"],
        Meta(description="nested pagination and meta (observed) or flat (documented)"),
    ] = "observed"
    api_key: Annotated[
        str, Meta(description="X-API-Key that requests for events need; empty: none")
    ] = ""
    rate_limit: Annotated[
        str,
        Meta(
            pattern=r"^([1-9]\d*/\d*\.?\d+)?$",
            description="requests/seconds, such as 10/60 (the original's); empty: no limit",
        ),
    ] = ""
    cursor_ttl_s: Annotated[
        float, Meta(ge=0, description="seconds after which a cursor expires; 0: never")
    ] = 120
    latency_ms: Annotated[int, Meta(ge=0, description="every page comes this much later")] = 0
    edits: Annotated[
        float, Meta(ge=0, le=1, description="share of events that differ at revisions above 0")
    ] = 0
    revision: Annotated[int, Meta(ge=0, description="revision of the edited events")] = 0
    faults: Annotated[
        tuple[Rule, ...], Meta(description="fault rules: a JSON list, or a file that holds one")
    ] = ()
    until_stdin_closes: Annotated[
        bool, Meta(description="end with the process at the other end of standard input")
    ] = False


def options_from(values: dict[str, Any]) -> Options:
    """Checked options, numbers also from text. Raises BadInput that names what is wrong."""
    return options_of(Options, values)


def parse(arguments: Sequence[str] | None) -> Options:
    """Options from the command line (None: this process's own). Raises BadInput, or exits."""
    return parse_options(Options, "headrace.twin.datasync", _DESCRIPTION, arguments)


def flags(options: Options) -> list[str]:
    """The command line that `parse` turns into these options."""
    return flags_of(options)
