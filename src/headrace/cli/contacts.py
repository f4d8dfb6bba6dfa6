"""`headrace contacts`: who is who, merged and parted."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer
from rich.markup import escape

from headrace.cli.house import TENANT, USER, database_url, reading
from headrace.cli.options import Json, Limit
from headrace.cli.show import Columns, answer_json, answer_rows, out, table
from headrace.cli.watch import watch
from headrace.errors import BadInput
from headrace.settings import load
from headrace.store import contacts as store
from headrace.store.database import Connection

contacts = typer.Typer(help="The people in messages and meetings.", no_args_is_help=True)

ContactId = Annotated[UUID, typer.Argument(help="The contact's id, or that of an identity.")]
_LISTED = "`headrace contacts list` shows them."

LinkId = Annotated[int, typer.Argument(help="The suggestion's number.")]


@contacts.command("list")
def list_contacts(
    query: Annotated[
        str | None, typer.Argument(help="Part of a name, an address, a number or a login.")
    ] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """People, those last seen first."""
    with reading() as database, database.people(TENANT, USER) as session:
        rows = store.listing(session, query, limit=limit)
    columns: Columns = {
        "contact": "contact_id",
        "name": "name",
        "email": "email",
        "phone": "phone",
        "known as": "identities",
        "last seen": "last_seen_at",
    }
    answer_rows("contacts", rows, columns, json=json)


@contacts.command("show")
def show(contact_id: ContactId, json: Json = False) -> None:
    """One person: all ways to reach them, and why they are one."""
    with reading() as database, database.people(TENANT, USER) as session:
        row = _one(session, contact_id)
    if json:
        answer_json(row)
        return
    name = escape(row["name"] or row["email"] or "")
    out.print(f"[bold]{name}[/bold] [dim]contact:{row['contact_id']}[/dim]", soft_wrap=True)
    columns = ["identity_id", "kind", "value", "name", "interactions", "last_seen_at"]
    heads = ["identity", "kind", "value", "name", "messages", "last seen"]
    table("identities", heads, [[each[column] for column in columns] for each in row["of"]])
    if row["links"]:
        out.print()
        values = {each["identity_id"]: each["value"] for each in row["of"]}
        heads = ["one", "other", "decision", "rule", "score", "who says so"]
        table("links", heads, [_link(each, values) for each in row["links"]])


@contacts.command("merge")
def merge(
    ids: Annotated[list[UUID], typer.Argument(help="Two or more contacts.")], json: Json = False
) -> None:
    """Make contacts one: they are the same person. A split takes it back."""
    with reading() as database, database.people(TENANT, USER) as session:
        made = store.merge(session, ids, USER)
        if made is None:
            raise BadInput("One of these contacts is not there.", hint=_LISTED)
        _tell(session, made, "is one contact now", json)


@contacts.command("split")
def split(
    contact_id: ContactId,
    identities: Annotated[list[UUID], typer.Argument(help="Identities that are somebody else.")],
    json: Json = False,
) -> None:
    """Part identities from a contact: they are another person. A merge takes it back."""
    with reading() as database, database.people(TENANT, USER) as session:
        made = store.split(session, contact_id, identities, USER)
        if made is None:
            raise _no_such(contact_id)
        _tell(session, made[1], "is a contact of its own now", json)


@contacts.command("suggestions")
def suggestions(limit: Limit = 20, json: Json = False) -> None:
    """Contacts that may be one person, the likeliest first."""
    with reading() as database, database.people(TENANT, USER) as session:
        rows = store.suggestions(session, limit=limit)
    columns: Columns = {
        "suggestion": "link_id",
        "one": lambda row: _who(row["evidence"])[0],
        "other": lambda row: _who(row["evidence"])[1],
        "rule": "rule",
        "score": lambda row: f"{row['score']:.2f}",
    }
    answer_rows("suggestions", rows, columns, json=json)


@contacts.command("accept")
def accept(link_id: LinkId, json: Json = False) -> None:
    """Accept a suggestion: they are one person."""
    _answer(link_id, json, same=True)


@contacts.command("dismiss")
def dismiss(link_id: LinkId, json: Json = False) -> None:
    """Dismiss a suggestion: they are two people, whatever is found later."""
    _answer(link_id, json, same=False)


@contacts.command("extract")
def extract(json: Json = False) -> None:
    """Extract the contacts of all messages whose are not yet."""
    # Only this command needs the engine.
    from headrace.engine import extract as engine_extract
    from headrace.engine.runtime import engine

    settings = load()
    with database_url(settings) as url, engine(url, settings) as database:
        with database.transaction() as session:
            job = engine_extract.submit(session, TENANT, USER)
        [ended] = watch(database, [("contacts", job["job_id"])], show=not json)
    if json:
        answer_json({"job_id": job["job_id"], "status": ended.status})
    else:
        out.print(f"Extracting contacts: {ended.status}.")


def _answer(link_id: int, json: bool, *, same: bool) -> None:
    with reading() as database, database.people(TENANT, USER) as session:
        found = store.answer(session, link_id, same=same, by=USER)
        if found is None:
            raise BadInput(
                f"There is no open suggestion {link_id}.",
                hint="`headrace contacts suggestions` shows them.",
            )
        _tell(session, found, "is one contact now" if same else "stays as it was", json)


def _tell(session: Connection, contact_id: UUID, said: str, json: bool) -> None:
    row = _one(session, contact_id)
    if json:
        answer_json(row)
    else:
        name = row["name"] or row["email"] or "It"
        out.print(f"{escape(name)} ({row['contact_id']}) {said}.")


def _one(session: Connection, contact_id: UUID) -> dict[str, Any]:
    row = store.one(session, contact_id)
    if row is None:
        raise _no_such(contact_id)
    return row


def _no_such(contact_id: UUID) -> BadInput:
    return BadInput(f"There is no contact {contact_id}.", hint=_LISTED)


def _who(evidence: dict[str, Any]) -> list[str]:
    """Both sides of a suggestion as a person would write them."""
    pairs = zip(evidence["names"], evidence["values"], strict=True)
    return [f"{name} <{value}>" if name else value for name, value in pairs]


def _link(link: dict[str, Any], values: dict[UUID, str]) -> list[Any]:
    first, second = values[link["first_id"]], values[link["second_id"]]
    by = link["decided_by"].removeprefix("person:")
    return [first, second, link["decision"], link["rule"], f"{link['score']:.2f}", by]
