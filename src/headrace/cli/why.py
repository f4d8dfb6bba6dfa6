"""`headrace why`: what a row was made of, drawn as a tree."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape
from rich.tree import Tree

from headrace.cli.house import TENANT, USER, reading
from headrace.cli.options import Json
from headrace.cli.show import answer_json, out, tame
from headrace.errors import BadInput
from headrace.out.why import Record, Why, split
from headrace.out.why import why as find

_FEW = 5


def why(
    row: Annotated[
        list[str],
        typer.Argument(
            help="KIND:STREAM:ID, such as interaction:1:abc, raw:1:abc or contact:ID; or KIND and"
            " the rest apart."
        ),
    ],
    json: Json = False,
) -> None:
    """Show what a row was made of: the record, its versions, the page and job that brought them,
    and the stages. Of a raw event, what was made of it."""
    kind, name = split(":".join(row))
    with reading() as database, database.people(TENANT, USER) as session:
        found = find(session, kind, name)
    if found is None:
        raise BadInput(
            f"There is no {kind} {name}.", hint="`headrace search` prints the names of rows."
        )
    if json:
        answer_json(msgspec.structs.asdict(found))
    else:
        out.print(_drawn(found))


def _drawn(found: Why) -> Tree:
    row = found.row
    name = row.get("told") or row.get("name") or row.get("value") or row.get("source_id") or ""
    root = Tree(f"[bold]{found.kind}[/bold] {_safe(name)}")
    if found.stages:
        root.add(f"made by {' -> '.join(found.stages)}")
    if found.kind in ("contact", "identity"):
        _add_person(root, found)
    for table, rows in found.made.items():
        branch = root.add(f"{table}: {len(rows):,}")
        for one in rows[:_FEW]:
            branch.add(_line(one))
    for record in found.records:
        _add_record(root, record)
    return root


def _add_person(root: Tree, found: Why) -> None:
    identities = root.add("identities")
    for one in found.identities:
        identities.add(f"{one['kind']} {_safe(one['value'])} [dim]{one['identity_id']}[/dim]")
    if found.links:
        links = root.add("links")
        for one in found.links[:_FEW]:
            said = f"{one['decision']} by {one['decided_by']}: {one['rule']} ({one['score']:.2f})"
            links.add(f"{_safe(said)} [dim]{_safe(one['evidence'])}[/dim]")
    count = found.row.get("interactions", 0)
    branch = root.add(f"{count:,} interactions, the newest of them")
    for one in found.interactions[:_FEW]:
        name = f"interaction:{one['stream_id']}:{one['source_id']}"
        branch.add(
            f"{_when(one['occurred_at'])} {_safe(one['subject'] or '')} [dim]{_safe(name)}[/dim]"
        )


def _add_record(root: Tree, record: Record) -> None:
    source = record.source
    where = f"{source['connection']} ({source['provider']}), stream {source['stream']}"
    branch = root.add(f"raw:{record.stream_id}:{_safe(record.source_id)} [dim]{_safe(where)}[/dim]")
    kinds = {job["job_id"]: job["kind"] for job in record.jobs}
    for one in record.versions[:_FEW]:
        what = "deleted by its source" if one["gone"] else f"{one['bytes']:,} bytes"
        version = branch.add(f"version {one['version']}: {what}")
        kind = kinds.get(one["job_id"], "job")
        version.add(
            f"batch {one['batch_id']}, {_when(one['committed_at'])}, by {kind} {one['job_id']}"
        )
        before, after = _safe(one["cursor_before"]), _safe(one["cursor_after"])
        version.add(f"cursor {before} -> {after} [dim]walk {one['walk']}[/dim]", highlight=False)
        for run in record.stage_runs:
            if run["batch_id"] == one["batch_id"]:
                failed = f" [red]{_safe(run['error'])}[/red]" if run["error"] else ""
                said = f"{run['stage']} {run['version']}, {_when(run['finished_at'])}"
                version.add(f"{said}: {run['rows_out']:,} of {run['rows_in']:,} rows{failed}")
    for gone in record.removed:
        branch.add(f"[dim]{gone}[/dim]")
    for letter in record.dead_letters[:_FEW]:
        said = f"dead letter {letter['dead_letter_id']} ({letter['state']}) of {letter['stage']}"
        branch.add(f"[yellow]{said}: {_safe(letter['reason'])}[/yellow]")


def _line(row: dict[str, Any]) -> str:
    told = row.get("told") or row.get("value") or row.get("content_hash") or ""
    role = f"{row['role']} " if "role" in row else ""
    count = f" {row['chunks']:,} chunks, {row['embedded']:,} embedded" if "chunks" in row else ""
    person = f" [dim]contact:{row['contact_id']}[/dim]" if row.get("contact_id") else ""
    return f"{role}{_safe(told)}{count}{person}"


def _when(at: datetime | None) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M") if at else ""


def _safe(value: Any) -> str:
    """Words from outside, in one line and not too many."""
    text = " ".join(str(value).split())
    return escape(tame(text if len(text) <= 120 else f"{text[:120]}..."))
