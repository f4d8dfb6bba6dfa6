"""`headrace replay`: the tables made again of what was landed, watched in the foreground."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.markup import escape

from headrace.cli import Stop
from headrace.cli.house import TENANT, USER, working
from headrace.cli.mistakes import stopped
from headrace.cli.options import Json
from headrace.cli.show import answer_json, err, out, say, table
from headrace.engine.progress import FINAL
from headrace.engine.replay import MOST_BATCHES, MOST_DAYS, Wanted, submit
from headrace.errors import BadInput, HeadraceError
from headrace.settings import load
from headrace.store import jobs
from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection, Database

_LOOK_SECONDS = 0.2
_SAY_SECONDS = 5.0


def replay(
    provider: Annotated[
        str | None, typer.Option(help="Only of these providers, such as gmail,google_calendar.")
    ] = None,
    connection: Annotated[str | None, typer.Option(help="Only of this connection.")] = None,
    days: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST_DAYS, help="Only batches with records of these days. Else: all."
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything, as without --days.")] = False,
    batch_size: Annotated[
        int,
        typer.Option(min=1, max=MOST_BATCHES, help="Batches between two notes of how far it is."),
    ] = 20,
    stage: Annotated[
        str | None, typer.Option(help="Only this stage, and what hangs on it.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would change: nothing is written.")
    ] = False,
    json: Json = False,
) -> None:
    """Make everything below the raw events again of them, without asking any source.

    It is a job: stopped, it goes on with `headrace jobs retry`, or with the next `headrace up`.
    """
    if all_ and days is not None:
        raise BadInput("--all and --days contradict each other.", hint="Leave one of them out.")
    named = [name.strip() for name in (provider or "").split(",") if name.strip()]
    wanted = Wanted(
        provider=named,
        connection=connection,
        days=days,
        batch_size=batch_size,
        stage=stage,
        dry_run=dry_run,
    )
    made: list[str] = []

    def ask(session: Connection) -> list[ConnectionRow]:
        made.append(str(submit(session, TENANT, USER, wanted, of_user=USER)["job_id"]))
        return []

    with working(load(), ask) as (database, _):
        try:
            row = _watch(database, made[0], show=not json)
        except Stop as stop:
            raise stopped(
                stop, "Stopped; nothing is lost.", "The same command goes on where it was."
            ) from None
    if json:
        answer_json(row)
    elif row["summary"]:
        _tell(row["summary"])
    if row["status"] != "SUCCEEDED":
        message = row["last_error"] or "The replay was cancelled."
        hint = row["hint"] or f"Go on with: headrace jobs retry {made[0]}"
        raise HeadraceError(message, hint=hint)


def _watch(database: Database, job_id: str, *, show: bool) -> dict[str, Any]:
    """Wait for the end, saying from time to time how far it is."""
    said = time.monotonic()
    while True:
        with database.connection() as session:
            row = jobs.get(session, job_id)
        assert row is not None, "jobs are never deleted"
        if row["status"] in FINAL:
            return row
        if show and row["summary"] and time.monotonic() - said >= _SAY_SECONDS:
            said = time.monotonic()
            say(f"replay: {row['summary']['batches']:,} of {row['summary']['of']:,} batches")
        time.sleep(_LOOK_SECONDS)


def _tell(found: dict[str, Any]) -> None:
    counts = f"{found['records']:,} records in {found['batches']:,} batches"
    if found["findings"] is not None:
        out.print(f"A replay of {counts} would change this:", soft_wrap=True)
        _tell_findings(found["findings"])
        return
    out.print(f"Replayed {counts}.", soft_wrap=True)
    if found.get("handed"):
        say(f"  {found['handed']:,} batches are on the queue for it, after everything else.")
    if found["queued"]:
        say(f"  On {found['queued']:,} batches a stage failed; `headrace up` tries them again.")


def _tell_findings(found: dict[str, Any]) -> None:
    table(
        "differences",
        ["table", "added", "changed", "removed", "the same"],
        [
            [name, one["added"], one["changed"], one["removed"], one["same"]]
            for name, one in found["tables"].items()
        ],
    )
    for one in found["sample"]:
        key = ", ".join(str(value) for value in one["key"].values())
        out.print(f"[bold]{one['table']}[/bold] {escape(key)} [dim]{one['change']}[/dim]")
        for name, (then, now) in one["fields"].items():
            out.print(f"    {name}: {escape(_said(then))} -> {escape(_said(now))}", soft_wrap=True)
    for name in found["left_out"]:
        err.print(f"Not rehearsed, for it cannot be undone: {name}.")
    for failure in found["failed"]:
        err.print(f"[red]{escape(failure)}[/red]")


def _said(value: str | None) -> str:
    return "nothing" if value is None else " ".join(value.split())
