"""`headrace timeline`: what happened when, in sentences."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from headrace.cli.house import TENANT, USER, reading
from headrace.cli.options import Json, Limit, Since, local
from headrace.cli.show import answer_json, out, show_name, tame
from headrace.out.people import known
from headrace.out.timeline import timeline as read
from headrace.out.why import named


def timeline(
    contact: Annotated[
        str | None, typer.Option(help="Only with this person: a name, an address, or an id.")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="Only of this kind, such as meeting; repeatable.")
    ] = None,
    since: Since = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """What happened, newest first, in a sentence each."""
    with reading() as database, database.people(TENANT, USER) as session:
        rows = read(
            session,
            identities=None if contact is None else known(session, contact),
            kinds=kind or None,
            since=local(since),
            limit=limit,
        )
    if json:
        answer_json(rows)
    elif not rows:
        out.print("Nothing has happened yet." if contact is None else "Nothing was found.")
    else:
        for row in rows:
            when = row["occurred_at"]
            shown = when.astimezone().strftime("%Y-%m-%d %H:%M") if when else ""
            out.print(f"[cyan]{shown:16}[/cyan] {escape(tame(row['sentence']))}", soft_wrap=True)
            show_name(named("timeline_events", row["stream_id"], row["source_id"]))
