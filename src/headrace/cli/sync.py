"""`headrace sync` and `headrace ingest`: a person's own work, watched in the foreground."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape

from headrace.cli import Stop
from headrace.cli.house import TENANT, USER, working
from headrace.cli.mistakes import stopped
from headrace.cli.options import Json
from headrace.cli.show import answer_json, complain, err, out, say
from headrace.cli.watch import watch
from headrace.engine import intake
from headrace.engine.jobs import hasten
from headrace.engine.paths import files
from headrace.engine.progress import Progress
from headrace.engine.wanted import Wanted
from headrace.errors import HeadraceError, Retry
from headrace.settings import load
from headrace.store.connections import ConnectionRow
from headrace.store.database import DISK_FULL, Connection, Database


def sync(
    connection: Annotated[
        str | None, typer.Argument(help="The connection's name. Without it: every one there is.")
    ] = None,
    spec: Annotated[
        Path | None, typer.Option(help="A YAML file that describes a REST API to sync.")
    ] = None,
    after: Annotated[
        list[str] | None,
        typer.Option(help="The id of a job that has to succeed before. Repeatable."),
    ] = None,
    json: Json = False,
) -> None:
    """Bring connections up to date, watching until everything is searchable.

    With --spec the API described there becomes a connection first; with API_BASE_URL set, and
    nothing else named, that one does.
    """
    settings = load()
    made: list[Wanted] = []
    if spec is not None:
        made = [intake.rest_spec(spec)]
    elif connection is None and settings.api_base_url:
        made = [intake.rest_environment(settings)]

    def choose(session: Connection) -> list[ConnectionRow]:
        if not made:
            return intake.named(session, TENANT, USER, connection)
        return [intake.connect(session, TENANT, USER, one, settings) for one in made]

    with working(settings, choose) as (database, rows):
        run(database, rows, json=json, after=after or [])


def ingest(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Mailboxes (mbox, Maildir, .eml, .ics, Takeout zip), documents (pdf, docx, html,"
            " md, ...), a folder of either, the address of a document, or upload://NAME."
        ),
    ],
    address: Annotated[
        list[str] | None,
        typer.Option(help="An address of your own, to tell sent mail from received. Repeatable."),
    ] = None,
    json: Json = False,
) -> None:
    """Bring files in: a mailbox export, a Maildir, single mails, a Takeout archive; or documents,
    which are read, cut into chunks and embedded."""
    wanted = [one for path in paths for one in files(path, address or [])]
    settings = load()

    def choose(session: Connection) -> list[ConnectionRow]:
        return [intake.connect(session, TENANT, USER, one, settings) for one in wanted]

    with working(settings, choose) as (database, rows):
        run(database, rows, json=json)


def run(
    database: Database,
    rows: Sequence[dict[str, Any]],
    *,
    json: bool,
    after: Sequence[str] = (),
) -> None:
    """Submit a job for each connection, watch them to the end, and say what came of it."""
    began = time.monotonic()
    with database.transaction() as session:
        named = {row["name"]: _submit(session, row, after) for row in rows}
    try:
        ended = watch(database, list(named.items()), show=not json)
    except Stop as stop:
        name = shlex.quote(next(iter(named)))
        again = f"headrace sync {name}" if len(named) == 1 else "headrace sync"
        raise stopped(
            stop, "Stopped; everything landed so far is kept.", f"Go on with: {again}"
        ) from None
    if json:
        answer_json(
            [
                {"connection": name, **msgspec.structs.asdict(one)}
                for name, one in zip(named, ended, strict=True)
            ]
        )
    else:
        for name, one in zip(named, ended, strict=True):
            _tell(name, one, time.monotonic() - began)
    failures = [
        _failure(name if len(named) > 1 else "", one)
        for name, one in zip(named, ended, strict=True)
        if one.status != "SUCCEEDED"
    ]
    for failure in failures[:-1]:
        complain(failure.message, failure.hint)
    if failures:
        raise failures[-1]


def _submit(session: Connection, row: dict[str, Any], after: Sequence[str]) -> str:
    """The connection's job. One that waits after a failure goes on at once: somebody is here."""
    job_id = str(intake.submit_sync(session, row, after=after)["job_id"])
    hasten(session, job_id)
    return job_id


def _tell(name: str, ended: Progress, seconds: float) -> None:
    if ended.status != "SUCCEEDED" and not ended.fetched:
        return
    if ended.stages:
        _tell_stages(name, ended, seconds)
        return
    parts = [f"[bold]{ended.inserted:,}[/bold] new", f"{ended.unchanged:,} unchanged"]
    if ended.dead_lettered:
        parts.append(f"[yellow]{ended.dead_lettered:,} dead-lettered[/yellow]")
    out.print(f"{escape(name)}: {', '.join(parts)} of {ended.fetched:,} fetched.", soft_wrap=True)
    if ended.dead_lettered:
        say("  See what could not be used: headrace dead-letters list")
    if ended.capped:
        say("  That is all that one run may fetch here; the next one goes on where it stopped.")
    if ended.apart_pending:
        say("  It is found by its words now; by meaning once `headrace up` has been through it.")
    if ended.status == "SUCCEEDED" and err.is_terminal and ended.inserted:
        say('  Try: headrace search "a few words"')


def _tell_stages(name: str, ended: Progress, seconds: float) -> None:
    """What became of documents."""
    did = {one.name: one for one in ended.stages}
    dead = ended.dead_lettered + sum(one.dead_lettered for one in ended.stages)
    parts = [
        f"[bold]{did['parse'].rows_in:,}[/bold] files" if "parse" in did else "",
        f"{did['chunk'].rows_out:,} chunks" if "chunk" in did else "",
        f"{did['embed'].rows_out:,} embeddings" if "embed" in did else "",
        f"{ended.unchanged:,} unchanged" if ended.unchanged else "",
        f"[yellow]{dead:,} dead-lettered[/yellow]" if dead else "",
    ]
    said = ", ".join(part for part in parts if part)
    out.print(f"{escape(name)}: {said}, in {seconds:.1f} s.", soft_wrap=True)
    if dead:
        say("  See what could not be read: headrace dead-letters list")
    if ended.status == "SUCCEEDED" and err.is_terminal:
        say('  Try: headrace search "a question in your own words"')


def _failure(name: str, ended: Progress) -> HeadraceError:
    """What is said of a job that did not succeed, and the exit code for it."""
    message, hint, code = ended.last_error or "", ended.hint or "", ended.error_code
    if ended.status == "CANCELLED" and ended.stopped_by is None:
        message, hint = "The job was cancelled.", f"Go on with: headrace jobs retry {ended.job_id}"
    elif ended.status == "PENDING" and message != DISK_FULL:
        waits = ended.resume_at if ended.attempts == 0 else None
        at = f" after {waits.astimezone():%H:%M:%S}" if waits else ""
        hint = f"{hint} Nothing is lost: the same command tries again{at}, as `headrace up` does."
    failure = HeadraceError(f"{name}: {message}" if name else message, hint=hint.strip())
    failure.exit_code = code or Retry.exit_code
    return failure
