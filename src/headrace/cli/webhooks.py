"""`headrace webhooks`: who is told of what happens, and what came of it."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import typer
from rich.markup import escape

from headrace.cli.house import TENANT, USER, reading
from headrace.cli.options import Json, Limit
from headrace.cli.show import Columns, answer_json, answer_rows, out
from headrace.errors import BadInput
from headrace.settings import load
from headrace.store import deliveries as log
from headrace.store import webhooks as store
from headrace.store.database import Connection
from headrace.store.webhooks import WebhookRow
from headrace.vault import Vault

webhooks = typer.Typer(help="Who is told of what happens.", no_args_is_help=True)

Named = Annotated[str, typer.Argument(help="Its id or name.")]
_A_MOMENT = 2.0
"""Seconds in which a worker writes down what was answered."""
_LISTED = "`headrace webhooks list` shows them."


@webhooks.command("list")
def list_webhooks(json: Json = False) -> None:
    """Every endpoint, and how it is."""
    with reading() as database, database.people(TENANT, None) as session:
        rows = [store.shown(row) for row in store.listing(session)]
    columns: Columns = {
        "id": "webhook_id",
        "name": "name",
        "url": "url",
        "events": lambda row: ", ".join(row["events"]),
        "state": _state,
        "waiting": "pending",
        "given up": "failed",
    }
    answer_rows("webhooks", rows, columns, json=json)


@webhooks.command("add")
def add(
    url: Annotated[str, typer.Argument(help="Where to: https://example.com/hooks.")],
    event: Annotated[
        list[str] | None, typer.Option(help="Of what; several times for several. None: of all.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    json: Json = False,
) -> None:
    """Have an endpoint told of events. Its secret is shown this once."""
    settings = load()
    vault = Vault.from_settings(settings)
    with reading() as database, database.people(TENANT, None) as session:
        row, secret = store.add(
            session,
            vault,
            settings,
            tenant=TENANT,
            user=USER,
            key_user=None,
            url=url,
            events=event or (),
            name=name,
            trusted=True,
        )
    _tell_secret(row, secret, json=json)


@webhooks.command("rotate")
def rotate(named: Named, json: Json = False) -> None:
    """A new secret. The one before it signs as well for a day."""
    vault = Vault.from_settings(load())
    with reading() as database, database.people(TENANT, None) as session:
        row = _one(session, named)
        secret = store.rotate(session, vault, row)
    _tell_secret(row, secret, json=json)


@webhooks.command("remove")
def remove(named: Named, json: Json = False) -> None:
    """Tell it nothing any more, and forget what it was told."""
    with reading() as database, database.people(TENANT, None) as session:
        row = _one(session, named)
        store.remove(session, row["webhook_id"])
    _tell(row, "is told nothing any more", json=json)


@webhooks.command("pause")
def pause(named: Named, json: Json = False) -> None:
    """Tell it nothing of what happens until it is resumed."""
    _tell(_changed(named, paused=True), "is paused", json=json)


@webhooks.command("resume")
def resume(named: Named, json: Json = False) -> None:
    """Tell it of what happens from now on, and what waits."""
    _tell(_changed(named, paused=False), "goes on", json=json)


@webhooks.command("test")
def send_test(named: Named, json: Json = False) -> None:
    """Send it `webhook.test` from here, and show what it answers."""
    from headrace.engine.sender import send_now  # the engine's library is slow to come

    settings = load()
    vault = Vault.from_settings(settings)
    with reading() as database:
        with database.people(TENANT, None) as session:
            number = log.test(session, _one(session, named))
        send_now(database, settings, vault, number)
        # A worker may have been quicker, and have it in hand.
        ends = time.monotonic() + settings.headrace_webhook_timeout + _A_MOMENT
        while True:
            with database.people(TENANT, None) as session:
                row = log.one(session, number)
            assert row is not None, "it has just been made"
            if row["history"] or time.monotonic() > ends:
                break
            time.sleep(0.2)
    if json:
        answer_json(log.shown(row))
    elif row["state"] == "delivered":
        out.print(f"It answered {row['status']} after {row['took_ms']} ms.")
    else:
        out.print(f"It was not taken: {escape(_answer(row))}")
        out.print("It is tried again while `headrace up` or a worker runs.")
    if row["state"] != "delivered":
        raise typer.Exit(1)


@webhooks.command("deliveries")
def deliveries(
    named: Annotated[str | None, typer.Argument(help="Of one endpoint: its id or name.")] = None,
    state: Annotated[
        Literal["pending", "delivered", "failed"] | None, typer.Option(help="Only these.")
    ] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """What was told, the newest first, and what came of it."""
    with reading() as database, database.people(TENANT, None) as session:
        id_ = None if named is None else _one(session, named)["webhook_id"]
        rows = log.listing(session, webhook_id=id_, state=state, limit=limit)
    rows = [log.shown(row) for row in rows]
    columns: Columns = {
        "number": lambda row: str(row["delivery_id"]),
        "to": lambda row: row["webhook"] or row["url"],
        "event": "event",
        "of": "subject",
        "state": "state",
        "tried": "attempts",
        "last": "tried_at",
        "answer": _answer,
        "next": "next_at",
    }
    answer_rows("deliveries", rows, columns, json=json)


@webhooks.command("redeliver")
def redeliver(
    number: Annotated[int | None, typer.Argument(help="Of a delivery.")] = None,
    failed: Annotated[
        str | None, typer.Option(help="All that was given up of this endpoint: id or name.")
    ] = None,
    json: Json = False,
) -> None:
    """Send a message again, under the same id: `headrace up`, or a worker, does it."""
    if (number is None) == (failed is None):
        raise BadInput("Name a delivery's number, or --failed and an endpoint.")
    with reading() as database, database.people(TENANT, None) as session:
        if failed is not None:
            sent = log.redeliver(session, _one(session, failed)["webhook_id"])
        else:
            row = log.one(session, number or 0)
            if row is None:
                raise BadInput(
                    f"There is no delivery {number}.",
                    hint="`headrace webhooks deliveries` shows them.",
                )
            sent = log.redeliver(session, row["webhook_id"], number)
    if json:
        answer_json({"redelivered": sent})
    else:
        out.print("1 message is sent again." if sent == 1 else f"{sent:,} messages are sent again.")


def _changed(named: str, *, paused: bool) -> WebhookRow:
    with reading() as database, database.people(TENANT, None) as session:
        row = _one(session, named)
        store.change(
            session, row["webhook_id"], name=row["name"], events=row["events"], paused=paused
        )
        return {**row, "paused": paused}


def _one(session: Connection, named: str) -> WebhookRow:
    rows = store.listing(session)
    for field in ("webhook_id", "name"):
        found = [row for row in rows if row[field] == named]
        if len(found) > 1:
            ids = ", ".join(row["webhook_id"] for row in found)
            raise BadInput(
                f"More than one webhook is called {named!r}.", hint=f"Name it by its id: {ids}."
            )
        if found:
            return found[0]
    raise BadInput(f"There is no webhook {named!r}.", hint=_LISTED)


def _state(row: dict[str, Any]) -> str:
    if row["paused"]:
        return f"paused: {row['reason']}"
    return "away" if row["quiet_until"] else "active"


def _answer(row: dict[str, Any]) -> str:
    return " ".join(str(one) for one in (row["status"], row["answer"]) if one)


def _tell(row: WebhookRow, said: str, *, json: bool) -> None:
    if json:
        answer_json(store.shown(row))
    else:
        out.print(f"{escape(row['name'] or row['url'])} {said}.", soft_wrap=True)


def _tell_secret(row: WebhookRow, secret: str, *, json: bool) -> None:
    if json:
        answer_json({**store.shown(row), "secret": secret})
        return
    out.print(f"{escape(row['url'])} is {row['webhook_id']}.", soft_wrap=True)
    out.print(f"Its secret, shown this once: {secret}", soft_wrap=True)
