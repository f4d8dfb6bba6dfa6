"""`headrace check`: whether everything is in order, and, with --live, whether work gets through."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from headrace.cli.house import reading
from headrace.cli.options import Json
from headrace.cli.show import answer_json, out
from headrace.errors import Unavailable
from headrace.out import queues
from headrace.plugins import providers, stages
from headrace.settings import Settings, load
from headrace.store.database import Database
from headrace.vault import Vault


def check(
    json: Json = False,
    live: Annotated[
        bool, typer.Option("--live", help="Also send a probe job through each queue.")
    ] = False,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long a probe may take.")] = 30,
) -> None:
    """Check settings, database and plugins, and say what is wrong and what to do.

    With --live, on a system that runs, a probe job is sent through each queue: the command fails
    when one does not come back.
    """
    from headrace.engine.runtime import check as prove

    settings = load()
    prove()
    Vault.from_settings(settings)
    took: dict[str, float | None] = {}
    with reading() as database:
        found = _found(database, settings)
        if not json:
            for name, value in found.items():
                out.print(f"{name:12} {_told(name, value)}")
        if live:
            took = _probed(database, seconds, json=json)
    if json:
        answer_json({**found, "live": took} if live else found)
    if lost := [queue for queue, one in took.items() if one is None]:
        raise _lost(lost, seconds, found["workers"])
    if json:
        return
    if found["redis"].get("answers", True):
        out.print("[green]All is well.[/green]")
    else:
        out.print("[yellow]Redis is away; jobs of the API and the schedule go on.[/yellow]")


def _found(database: Database, settings: Settings) -> dict[str, Any]:
    # Only this needs the library, and no command that looks at anything else.
    from headrace.redis_streams.look import look

    with database.connection() as connection:
        row = connection.execute("SHOW server_version").fetchone()
        waiting = queues.look(connection)
        workers = queues.workers_alive(connection)
    return {
        "database": "DATABASE_URL" if settings.database_url else "embedded",
        "postgresql": row["server_version"] if row else "",
        "home": str(settings.headrace_home),
        "providers": sorted(providers()),
        "stages": sorted(stages()),
        "workers": workers,
        "queues": {
            one.queue: {"waiting": one.waiting, "oldest_seconds": round(one.oldest_seconds, 1)}
            for one in waiting
        },
        "redis": look(settings.redis_url),
    }


def _told(name: str, value: Any) -> str:
    if name == "redis":
        from headrace.redis_streams.look import words

        return words(value)
    if isinstance(value, list):
        return ", ".join(value)
    if not isinstance(value, dict):
        return str(value)
    waiting = [
        f"{queue}: {one['waiting']:,}{'+' if one['waiting'] == queues.MOST else ''} waiting,"
        f" the oldest for {one['oldest_seconds']:.0f} s"
        for queue, one in value.items()
        if one["waiting"]
    ]
    return "; ".join(waiting) or "nothing waits"


def _probed(database: Database, seconds: float, *, json: bool) -> dict[str, float | None]:
    # Only this needs it, and no command that looks.
    from headrace.engine.probing import probe

    def back(queue: str, took: float) -> None:
        if not json:
            out.print(f"  {queue:18} {took * 1000:,.0f} ms")

    return probe(database, seconds, back)


def _lost(lost: list[str], seconds: float, workers: int) -> Unavailable:
    named = ", ".join(lost)
    if not workers:
        return Unavailable(
            f"No worker is alive: nothing came back from {named}.",
            hint="Start one: `headrace up`, or `headrace worker`.",
        )
    return Unavailable(
        f"A probe did not come back within {seconds:g} s from {named}.",
        hint=f"{workers} workers are alive. Each may be busy with something long: look at"
        " `headrace jobs list` and the log, give it more --seconds, or start another worker.",
    )
