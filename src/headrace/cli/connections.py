"""`headrace connections`: the sources there are, their health, and how often they are synced."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

import typer
from rich.markup import escape

from headrace.cli.house import TENANT, USER, reading
from headrace.cli.options import Json
from headrace.cli.show import answer_json, out, table
from headrace.engine import intake
from headrace.errors import BadInput
from headrace.store import connections as store
from headrace.store.database import Connection

connections = typer.Typer(help="The sources there are, and their health.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The connection's name.")]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SPAN = re.compile(r"(\d{1,6})\s*([smhd])")


@connections.command("list")
def list_connections(json: Json = False) -> None:
    """Every connection and how it is."""
    with reading() as database, database.people(TENANT, USER) as session:
        rows = store.listing(session)
    for row in rows:
        row.pop("credential", None)
    if json:
        answer_json(rows)
        return
    table(
        "connections",
        ["name", "provider", "health", "records", "landed", "every", "why", "what to do"],
        [
            [
                r["name"],
                r["provider"],
                r["health"],
                int(r["records"]),
                r["landed_at"],
                _words(r["every_seconds"]),
                r["health_reason"],
                r["health_hint"],
            ]
            for r in rows
        ],
    )


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
    span: Annotated[str, typer.Argument(help="Such as 15m, 2h or 1d; or never.")],
    json: Json = False,
) -> None:
    """Say how often a connection is synced while Headrace runs."""
    seconds = _seconds(span)
    said = f"is synced every {_words(seconds)}" if seconds else "is synced when you say so"
    _change(name, json, said, lambda session, at: store.every(session, at, seconds))


def _change(name: str, json: bool, said: str, change: Callable[[Connection, str], None]) -> None:
    with reading() as database, database.transaction() as session:
        [row] = intake.named(session, TENANT, USER, name)
        change(session, row["connection_id"])
    if json:
        answer_json({"connection_id": row["connection_id"], "name": row["name"]})
    else:
        out.print(f"{escape(row['name'])} {said}.")


def _seconds(span: str) -> int | None:
    """Seconds of "15m"; None of "never". Raises BadInput."""
    if span.strip().lower() == "never":
        return None
    found = _SPAN.fullmatch(span.strip().lower())
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < seconds <= 366 * 86_400:
        raise BadInput(f"{span!r} is no span of time.", hint="Write 15m, 2h, 1d or never.")
    return seconds


def _words(seconds: int | None) -> str:
    """15m of 900."""
    if seconds is None:
        return ""
    unit = next(one for one in ("d", "h", "m", "s") if seconds % _UNITS[one] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"
