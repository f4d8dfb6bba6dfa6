"""`headrace alerts`: what is wrong, since when, and who has been told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

import typer
from rich.markup import escape

from headrace import telemetry
from headrace.cli.house import TENANT, USER, reading
from headrace.cli.options import Json, Limit
from headrace.cli.show import Columns, answer_json, answer_rows, out
from headrace.engine.rule import wanted
from headrace.errors import BadInput, Conflict, NotFound
from headrace.settings import load
from headrace.store import alert_log, incidents

alerts = typer.Typer(help="What is wrong, since when, and who has been told.", no_args_is_help=True)

Alert = Annotated[str, typer.Argument(help="Its id, as `headrace alerts list` shows it.")]


@alerts.command("list")
def list_alerts(
    state: Annotated[
        Literal["open", "over", "all"], typer.Option(help="What is so now, what is over, or all.")
    ] = "open",
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """What is wrong, newest first, and what to do about it."""
    open_ = {"open": True, "over": False, "all": None}[state]
    with reading() as database, database.people(TENANT, None) as session:
        rows = incidents.listing(session, open_=open_, limit=limit)
    columns: Columns = {
        "id": "incident_id",
        "what": "said",
        "what to do": "hint",
        "since": "raised_at",
        "over": "over_at",
        "taken up": "acknowledged_at",
    }
    answer_rows("alerts", rows, columns, json=json)


@alerts.command("acknowledge")
def acknowledge(alert: Alert, json: Json = False) -> None:
    """Say that somebody has taken it up. It stays open until it is mended."""
    with _there(), reading() as database, database.people(TENANT, None) as session:
        row = incidents.acknowledge(session, alert, USER)
    _tell(row, "Somebody has taken it up", json=json)


@alerts.command("snooze")
def snooze(
    alert: Alert,
    hours: Annotated[float, typer.Option(min=0.01, max=720, help="For how long.")] = 4,
    json: Json = False,
) -> None:
    """Do not show it on the dashboard's first page for some hours."""
    with _there(), reading() as database, database.people(TENANT, None) as session:
        row = incidents.snooze(session, alert, hours)
    _tell(row, "It is put off", json=json)


@alerts.command("rules")
def list_rules(json: Json = False) -> None:
    """What raises alerts, whether the settings want it, and when it was last looked at."""
    settings = load()
    with reading() as database, database.connection() as connection:
        looks = incidents.looks(connection)
    rows = [
        {
            "rule": rule.name,
            "title": rule.title,
            "on": on,
            "looked_at": looks.get(rule.name, {}).get("looked_at"),
        }
        for rule, on in wanted(settings)
    ]
    columns: Columns = {"rule": "rule", "what": "title", "on": "on", "looked at": "looked_at"}
    answer_rows("rules", rows, columns, json=json)


@alerts.command("deliveries")
def list_deliveries(limit: Limit = 50, json: Json = False) -> None:
    """What the channels of HEADRACE_ALERT_URLS were told, newest first."""
    with reading() as database, database.connection() as connection:
        rows = alert_log.deliveries(connection, limit=limit)
    columns: Columns = {
        "id": "delivery_id",
        "channel": "channel",
        "event": "event",
        "what": "said",
        "state": "state",
        "attempts": "attempts",
        "answer": "answer",
        "told": "told_at",
    }
    answer_rows("deliveries", rows, columns, json=json)


@alerts.command("redeliver")
def redeliver(
    delivery: Annotated[str, typer.Argument(help="Its id: `headrace alerts deliveries`.")],
    json: Json = False,
) -> None:
    """Send it again, as if for the first time."""
    with _there("deliveries"), reading() as database, database.transaction() as connection:
        row = alert_log.redeliver(connection, delivery)
    if json:
        answer_json(row)
    else:
        out.print(f"It is sent again to {escape(row['channel'])}, as soon as a process looks.")


@alerts.command("test")
def try_channels(json: Json = False) -> None:
    """Send a message to each channel of HEADRACE_ALERT_URLS, and say what came of it."""
    # Only here the library is needed, which takes a while to import.
    from headrace.engine.channels import Channels

    channels = Channels(load())
    telemetry.configure("CRITICAL")  # of what apprise logs, the status of an answer is taken
    rows = []
    for name in channels.names:
        taken, answer = channels.tell(
            name, "Headrace: a test", "Alerts of Headrace come here.", good=True
        )
        rows.append({"channel": name, "taken": taken, "answer": answer})
    columns: Columns = {"channel": "channel", "taken": "taken", "answer": "answer"}
    answer_rows("channels", rows, columns, json=json)


@contextmanager
def _there(listed: str = "list --state all") -> Iterator[None]:
    """What is not there, or over, in the words of this command line. Raises BadInput."""
    try:
        yield
    except (NotFound, Conflict) as error:
        raise BadInput(error.message, hint=f"See `headrace alerts {listed}`.") from None


def _tell(row: incidents.IncidentRow, said: str, *, json: bool) -> None:
    if json:
        answer_json(row)
    else:
        out.print(f"{said}: {escape(row['said'])}")
