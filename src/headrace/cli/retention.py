"""`headrace retention`: remove what nothing needs any more, now; or only say what would go."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from headrace.cli.house import reading
from headrace.cli.options import Json
from headrace.cli.show import answer_json, out, table
from headrace.engine.retention import Removed, sweep_out
from headrace.settings import load


def retention(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would go: nothing is removed.")
    ] = False,
    json: Json = False,
) -> None:
    """Remove what nothing needs any more, as the settings HEADRACE_KEEP_... say. Workers do it by
    themselves; this does all of it now."""
    settings = load()
    with reading() as database:
        found = sweep_out(database, settings, dry=dry_run)
    if json:
        answer_json({"dry_run": dry_run, "subjects": [_plain(one) for one in found]})
        return
    table(
        "would be removed" if dry_run else "removed",
        ["what", "table", "policy", "rows", "bytes"],
        [
            [one.policy.subject, one.policy.table, one.policy.said, one.rows, f"{one.bytes:,}"]
            for one in found
        ],
    )
    if not dry_run:
        out.print("PostgreSQL uses the room again; it gives none back to the disk by itself.")


def _plain(one: Removed) -> dict[str, object]:
    said = {**msgspec.structs.asdict(one.policy), "policy": one.policy.said}
    return {**said, "rows": one.rows, "bytes": one.bytes}
