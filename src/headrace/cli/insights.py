"""`headrace insights`: what is worth knowing of what has been brought in."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.markup import escape

from headrace.cli import Stop
from headrace.cli.house import TENANT, USER, database_url, reading
from headrace.cli.mistakes import stopped
from headrace.cli.options import Json, Limit
from headrace.cli.show import Columns, answer_json, answer_rows, complain, out, say
from headrace.engine import insight as engine
from headrace.engine.progress import FINAL
from headrace.errors import BadInput, HeadraceError
from headrace.insight import made_by
from headrace.plugins import insight_kind, insight_kinds
from headrace.settings import load
from headrace.store import insights as store
from headrace.store import jobs
from headrace.store.database import Database, connect

insights = typer.Typer(help="What is worth knowing of it all, and why.", no_args_is_help=True)

_LOOK_SECONDS = 0.1


@insights.command("make")
def make(
    kind: Annotated[str, typer.Argument(help="Such as thread_summary; `all` for every kind.")],
    subject: Annotated[
        str | None,
        typer.Argument(help="What about: contact:UUID, thread:ID, week:2026-W47. Else the newest."),
    ] = None,
    json: Json = False,
) -> None:
    """Make insights now: by rules, or by the language model that HEADRACE_LLM_URL names."""
    settings = load()
    if kind == "all" and subject is not None:
        raise BadInput("A subject is of one kind.", hint="Name the kind instead of all.")
    wishes = [engine.Wish(kind, subject)]
    if kind == "all":
        wishes = [engine.Wish(name) for name in sorted(insight_kinds())]
    with database_url(settings) as url:
        with connect(url) as line, line.transaction():
            row, _ = engine.submit(line, TENANT, USER, wishes)
            if not engine.there(line, TENANT, USER, wishes[0]):
                raise BadInput(
                    f"There is nothing known of {subject}.",
                    hint="Without a subject, the newest are looked at.",
                )
        # Only commands that work need the engine: the others start in half the time without it.
        from headrace.engine.runtime import engine as run

        with run(url, settings) as database:
            ended = _ended(database, str(row["job_id"]))
            with database.people(TENANT, USER) as session:
                made = store.listing(session, job_id=ended["job_id"], limit=200)
    _tell(ended, made, json=json)


def _ended(database: Database, job_id: str) -> dict[str, Any]:
    """The job's row, once it is over or waits for a model that is busy."""
    told = ""
    try:
        while True:
            with database.connection() as connection:
                row = jobs.get(connection, job_id)
            assert row is not None, "it was made a moment ago"
            if row["status"] in FINAL:
                return row
            if row["last_error"] and row["last_error"] != told:
                told = row["last_error"]
                say(f"{escape(told)} Waiting.")
            time.sleep(_LOOK_SECONDS)
    except Stop as stop:
        raise stopped(
            stop, "Stopped; the insights made so far are kept.", "`headrace up` makes the others."
        ) from None


def _tell(ended: dict[str, Any], made: list[dict[str, Any]], *, json: bool) -> None:
    summary = ended["summary"] or {}
    if json:
        answer_json({"job_id": ended["job_id"], "summary": summary, "items": made})
    else:
        for row in made:
            show(row)
        kept = summary.get("known", 0)
        known = f"; {kept:,} had been made before" if kept else ""
        out.print(f"{summary.get('made', 0):,} insights{known}.", soft_wrap=True)
    for note in summary.get("notes", []):
        complain(note)
    if ended["status"] != "SUCCEEDED":
        raise HeadraceError(
            ended["last_error"] or "The job was cancelled.", hint=ended["hint"] or ""
        )


@insights.command("list")
def list_insights(
    kind: Annotated[str | None, typer.Option(help="Only of this kind.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only about this.")] = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """The newest insights."""
    if kind is not None:
        insight_kind(kind)
    with reading() as database, database.people(TENANT, USER) as session:
        rows = store.listing(session, kind=kind, subject=subject, limit=limit)
    columns: Columns = {
        "number": lambda row: str(row["insight_id"]),
        "kind": "kind",
        "priority": "priority",
        "title": "title",
        "made by": "made_by",
        "made": "created_at",
    }
    answer_rows("insights", rows, columns, json=json)


@insights.command("show")
def show_insight(
    number: Annotated[int, typer.Argument(help="The insight's number.")], json: Json = False
) -> None:
    """One insight, with the words that it stands on."""
    with reading() as database, database.people(TENANT, USER) as session:
        row = store.one(session, number)
    if row is None:
        raise BadInput(
            f"There is no insight {number}.", hint="`headrace insights list` shows them."
        )
    if json:
        answer_json(row)
        return
    show(row)
    for one in row["sources"]:
        when = (one["occurred_at"] or "")[:10]
        out.print(f'  [dim]{when:10}[/dim] "{escape(" ".join(one["quote"].split()))}"')
        out.print(f"  [dim]{'':10} {one['stream_id']}/{escape(one['source_id'])}[/dim]")


def show(row: dict[str, Any]) -> None:
    """An insight for people, who made it at the end."""
    number = row["insight_id"]
    out.print(f"[cyan]{number}[/cyan] [bold]{escape(row['title'])}[/bold]  {row['priority']}")
    for line in row["summary"].splitlines():
        out.print(f"  {escape(line)}")
    for action in row["actions"]:
        out.print(f"  - {escape(action)}")
    old = " A source has changed since." if row["outdated"] else ""
    note = f" {row['note']}" if row["note"] else ""
    out.print(f"  [dim]{escape(made_by(row['made_by']) + note + old)}[/dim]")
