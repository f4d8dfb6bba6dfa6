"""`headrace connections`: the sources there are, their health, and how often they are synced."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer
from rich.markup import escape

from headrace.cadence.spec import Spec, parse
from headrace.cli.house import TENANT, USER, reading
from headrace.cli.options import Json
from headrace.cli.show import Columns, answer_json, answer_rows, out
from headrace.engine import intake
from headrace.store import connections as store
from headrace.store import schedules
from headrace.store.database import Connection

connections = typer.Typer(help="The sources there are, and their health.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The connection's name.")]


@connections.command("list")
def list_connections(json: Json = False) -> None:
    """Every connection and how it is."""
    with reading() as database, database.people(TENANT, USER) as session:
        rows = store.listing(session)
    for row in rows:
        row.pop("credential", None)
    columns: Columns = {
        "name": "name",
        "provider": "provider",
        "health": "health",
        "records": lambda row: int(row["records"]),
        "landed": "landed_at",
        "synced": "schedule",
        "why": "health_reason",
        "what to do": "health_hint",
    }
    answer_rows("connections", rows, columns, json=json)


@connections.command("pause")
def pause(name: Name, json: Json = False) -> None:
    """Sync a connection no more, until it is resumed."""
    _change(name, json, "is paused", lambda session, at: store.pause(session, at))


@connections.command("resume")
def resume(name: Name, json: Json = False) -> None:
    """Sync a paused connection again; also one that waits for its approval."""
    _change(name, json, "is synced again", lambda session, at: store.resume(session, at))


@connections.command("every")
def every(
    name: Name,
    when: Annotated[
        str, typer.Argument(help='Such as 15m, 2h, learned or "0 7 * * mon" (UTC); or never.')
    ],
    json: Json = False,
) -> None:
    """Say how often a connection is synced while Headrace runs."""
    if when.strip().lower() == "never":
        said, change = "is synced when you say so", schedules.disown
    else:
        spec = parse(when)
        said, change = f"is synced {spec.words()}", partial(_own, spec=spec)
    _change(name, json, said, change)


def _own(session: Connection, connection_id: str, *, spec: Spec) -> None:
    schedules.own(session, connection_id, spec, at_once=False)


def _change(name: str, json: bool, said: str, change: Callable[[Connection, str], None]) -> None:
    with reading() as database, database.transaction() as session:
        [row] = intake.named(session, TENANT, USER, name)
        change(session, row["connection_id"])
    if json:
        answer_json({"connection_id": row["connection_id"], "name": row["name"]})
    else:
        out.print(f"{escape(row['name'])} {said}.")
