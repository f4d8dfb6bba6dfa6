"""`headrace schedules`: what is done again and again, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import typer
from rich.markup import escape

from headrace.cli.house import TENANT, USER, reading
from headrace.cli.options import Json
from headrace.cli.show import Columns, answer_json, answer_rows, out
from headrace.engine import arrange, intake, schedulable
from headrace.errors import BadInput
from headrace.store import schedules as store
from headrace.store.database import Connection
from headrace.store.schedules import ScheduleRow

schedules = typer.Typer(help="What is done again and again, and when.", no_args_is_help=True)

_LISTED = "`headrace schedules list` shows them."

Named = Annotated[str, typer.Argument(help="Its id or name, or the connection's.")]


@schedules.command("list")
def list_schedules(json: Json = False) -> None:
    """Every schedule, with its next three runs."""
    with reading() as database, database.people(TENANT, USER) as session:
        rows = [store.shown(row) for row in store.listing(session)]
    columns: Columns = {
        "id": "schedule_id",
        "what": lambda row: row["name"] or row["payload"].get("kind") or row["kind"],
        "of": lambda row: row["connection"] or row["payload"].get("provider"),
        "when": "description",
        "next runs": _runs,
        "last": "last_at",
        "why": lambda row: row["last_error"] or row["why"],
    }
    answer_rows("schedules", rows, columns, json=json)


@schedules.command("add")
def add(
    kind: Annotated[
        str, typer.Argument(help="sync, weekly_digest, replay, extract_contacts and others.")
    ],
    spec: Annotated[str, typer.Argument(help='"every 15m", "learned", "0 7 * * mon".')],
    connection: Annotated[
        str | None, typer.Option(help="Of a sync: which one. Without it: every connection.")
    ] = None,
    timezone: Annotated[str, typer.Option(help="Whose clock a cron goes by.")] = "UTC",
    jitter: Annotated[
        int | None, typer.Option(min=0, max=86_400, help="Seconds over which runs are spread.")
    ] = None,
    missed: Annotated[
        Literal["once", "all", "skip"], typer.Option(help="Of runs that nothing was there for.")
    ] = "once",
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    payload: Annotated[str, typer.Option(help="What each job is given, as JSON.")] = "{}",
    json: Json = False,
) -> None:
    """Do something again and again."""
    with reading() as database, database.people(TENANT, USER) as session:
        source = None
        if connection is not None:
            [source] = intake.named(session, TENANT, USER, connection)
        made = arrange.create(
            session,
            source,
            tenant=TENANT,
            user=USER,
            key_user=USER,
            kind=kind,
            spec=spec,
            payload=_object(payload),
            timezone=timezone,
            jitter=jitter,
            missed=missed,
            name=name,
        )
        row = _one(session, made["schedule_id"])
    _tell(row, "", json=json)


@schedules.command("pause")
def pause(named: Named, json: Json = False) -> None:
    """Do it no more, until it is resumed."""
    _tell(_changed(named, paused=True), " is paused", json=json)


@schedules.command("resume")
def resume(named: Named, json: Json = False) -> None:
    """Do it again, from now on; what the pause has left out is not made up for."""
    _tell(_changed(named, paused=False), "", json=json)


@schedules.command("run")
def run(named: Named, json: Json = False) -> None:
    """Do it now as well: `headrace up`, or a worker, takes the jobs up."""
    with reading() as database, database.people(TENANT, USER) as session:
        made = schedulable.run_now(session, _one(session, named))
    if json:
        answer_json({"jobs": [job["job_id"] for job in made]})
    else:
        what = "1 job is" if len(made) == 1 else f"{len(made):,} jobs are"
        out.print(f"{what} on the queue.")


@schedules.command("remove")
def remove(named: Named, json: Json = False) -> None:
    """Do it no more. A connection is then synced when somebody asks."""
    with reading() as database, database.people(TENANT, USER) as session:
        row = _one(session, named)
        store.remove(session, row["schedule_id"])
    if json:
        answer_json({"schedule_id": row["schedule_id"]})
    else:
        out.print(f"{escape(_called(row))} is not done any more.")


def _changed(named: str, **changes: Any) -> ScheduleRow:
    with reading() as database, database.people(TENANT, USER) as session:
        row = _one(session, named)
        store.change(session, {**row, **changes})
        return _one(session, row["schedule_id"])


def _one(session: Connection, named: str) -> ScheduleRow:
    rows = store.listing(session, named)
    if not rows:
        raise BadInput(f"There is no schedule {named!r}.", hint=_LISTED)
    if len(rows) > 1 and rows[0]["schedule_id"] != named:
        raise BadInput(
            f"More than one schedule is called {named!r}.", hint=f"Name it by its id: {_ids(rows)}."
        )
    return store.shown(rows[0])


def _object(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        raise BadInput(
            "The payload is no JSON object.", hint="Such as --payload '{\"days\": 7}'."
        ) from None


def _ids(rows: Sequence[ScheduleRow]) -> str:
    return ", ".join(row["schedule_id"] for row in rows)


def _called(row: ScheduleRow) -> str:
    return str(row["name"] or row["connection"] or row["payload"].get("kind") or row["kind"])


def _runs(row: ScheduleRow) -> str:
    if row["paused"]:
        return "paused"
    return ", ".join(one.astimezone().strftime("%a %d %b %H:%M") for one in row["next_runs"])


def _tell(row: ScheduleRow, said: str, *, json: bool) -> None:
    if json:
        answer_json(row)
        return
    words = said or f", {row['description']}: {_runs(row)}"
    out.print(f"{escape(_called(row) + words)}.", soft_wrap=True)
