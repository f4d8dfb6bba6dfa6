"""`headrace search`: the answers."""

from __future__ import annotations

import re
from typing import Annotated

import typer
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from headrace.cli.house import TENANT, USER, reading
from headrace.cli.options import Json, Limit, Since, local
from headrace.cli.show import answer_json, complain, out, show_name, tame
from headrace.out.search import Hit
from headrace.out.search import search as find
from headrace.out.why import named
from headrace.settings import load

_ROOM = 5
"""Passages looked at for each document shown."""

_FOUND = re.compile(r"\*\*(.+?)\*\*")


def search(
    query: Annotated[str, typer.Argument(help='Words; "a phrase"; -without.')],
    person: Annotated[
        str | None, typer.Option(help="Only with this person: a name, an address, or an id.")
    ] = None,
    since: Since = None,
    limit: Limit = 10,
    json: Json = False,
) -> None:
    """Search everything that has been brought in."""
    with reading() as database, database.people(TENANT, USER) as session:
        room = limit if json else _ROOM * limit
        hits = find(
            session,
            query,
            limit=room,
            person=person,
            since=local(since),
            settings=load(),
            tell=complain,
        )
    if json:
        answer_json(hits)
    elif not hits:
        out.print(f"Nothing found for {query!r}.")
    else:
        for hit in _best_of_each(hits)[:limit]:
            show_hit(hit)


def _best_of_each(hits: list[Hit]) -> list[Hit]:
    """A person wants the document, not each of its passages: the best one stands for it."""
    best: dict[tuple[int, str], Hit] = {}
    for hit in hits:
        best.setdefault((hit.stream_id, hit.source_id), hit)
    return list(best.values())


def show_hit(hit: Hit) -> None:
    """One answer: when and what, then where the words stand in it, then the row's name."""
    when = hit.occurred_at.astimezone().strftime("%Y-%m-%d %H:%M") if hit.occurred_at else ""
    out.print(f"[cyan]{when:16}[/cyan] [bold]{escape(hit.title)}[/bold]{_where(hit)}")
    if hit.snippet:
        marked = Text()
        for place, part in enumerate(_FOUND.split(tame(" ".join(hit.snippet.split())))):
            marked.append(part, style="bold" if place % 2 else "")
        out.print(Padding(marked, (0, 0, 0, 17)))
    show_name(named(hit.kind, hit.stream_id, hit.source_id))


def _where(hit: Hit) -> str:
    """The file that a passage is in, and its page."""
    if hit.citation is None or hit.kind != "documents":
        return ""
    page = f", page {hit.citation.page}" if hit.citation.page else ""
    return f" [dim]{escape(tame(hit.source_id))}{page}[/dim]"
