"""`headrace sync` and `headrace ingest`: a person's own work, watched in the foreground."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from headrace.cli.house import TENANT, USER, working
from headrace.cli.options import Json
from headrace.cli.show import answer_json, complain, err, out, say
from headrace.cli.watch import watch
from headrace.engine import intake
from headrace.engine.progress import Progress
from headrace.errors import BadInput
from headrace.settings import load
from headrace.store.database import Database


def sync(
    connection: Annotated[
        str | None, typer.Argument(help="The connection's name. Without it: every one there is.")
    ] = None,
    spec: Annotated[
        Path | None, typer.Option(help="A YAML file that describes a REST API to sync.")
    ] = None,
    json: Json = False,
) -> None:
    """Bring connections up to date, watching until everything is searchable.

    With --spec the API described there becomes a connection first; with API_BASE_URL set, and
    nothing else named, that one does.
    """
    settings = load()
    made: list[intake.Wanted] = []
    if spec is not None:
        made = [intake.rest_spec(spec)]
    elif connection is None and settings.api_base_url:
        made = [intake.rest_environment(settings)]
    with working() as database:
        with database.transaction() as session:
            rows = [intake.connect(session, TENANT, USER, one, settings) for one in made]
            if not rows:
                rows = intake.named(session, TENANT, USER, connection)
        run(database, rows, json=json)


def ingest(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Mailboxes: mbox, Maildir, .eml, .ics, Takeout zip, or a folder."),
    ],
    address: Annotated[
        list[str] | None,
        typer.Option(help="An address of your own, to tell sent mail from received. Repeatable."),
    ] = None,
    json: Json = False,
) -> None:
    """Bring files in: a mailbox export, a Maildir, single mails, a Takeout archive."""
    wanted = [intake.mailbox(path, address or []) for path in paths]
    settings = load()
    with working() as database:
        with database.transaction() as session:
            rows = [intake.connect(session, TENANT, USER, one, settings) for one in wanted]
        run(database, rows, json=json)


def run(database: Database, rows: Sequence[dict[str, Any]], *, json: bool) -> None:
    """Submit a job for each connection, watch them to the end, and say what came of it."""
    with database.transaction() as session:
        named = [(row["name"], intake.submit_sync(session, row)["job_id"]) for row in rows]
    try:
        ended = watch(database, named, show=not json)
    except KeyboardInterrupt:
        complain(
            "Stopped. Everything landed so far is kept.",
            "Go on with: headrace sync " + " ".join(name for name, _ in named[:1]),
        )
        raise typer.Exit(130) from None
    if json:
        answer_json([msgspec.structs.asdict(one) for one in ended])
    else:
        for (name, _), one in zip(named, ended, strict=True):
            _tell(name, one)
    if any(one.status != "SUCCEEDED" for one in ended):
        failed = next(one for one in ended if one.status != "SUCCEEDED")
        raise BadInput(failed.last_error or "The job did not succeed.", hint=failed.hint or "")


def _tell(name: str, ended: Progress) -> None:
    parts = [f"[bold]{ended.inserted:,}[/bold] new", f"{ended.unchanged:,} unchanged"]
    if ended.dead_lettered:
        parts.append(f"[yellow]{ended.dead_lettered:,} dead-lettered[/yellow]")
    out.print(f"{name}: {', '.join(parts)} of {ended.fetched:,} fetched.")
    if ended.dead_lettered:
        say("  See what could not be used: headrace dead-letters list")
    if ended.status == "SUCCEEDED" and err.is_terminal and ended.inserted:
        say('  Try: headrace search "a few words"')
