"""`headrace memory`: what the memory engine has been told."""

from __future__ import annotations

import typer

from headrace.cli.house import TENANT, USER, reading
from headrace.cli.options import Json
from headrace.cli.show import answer_json, out
from headrace.errors import BadInput
from headrace.settings import load
from headrace.store import memories

memory = typer.Typer(help="The memory engine: what it has been told.", no_args_is_help=True)


@memory.command("list")
def list_(json: Json = False) -> None:
    """Show how much each engine has been told, the present one first."""
    with reading() as database, database.people(TENANT, USER) as session:
        found = memories.told(session)
    if json:
        answer_json(found)
    elif not found:
        out.print("No memory engine has been told of anything. MEMORY_ENGINE_URL names one.")
    else:
        for one in found:
            out.print(f"{one['engine']}: {one['told']:,} records, the last {one['told_at']:%c}")


@memory.command()
def again(json: Json = False) -> None:
    """Tell the engine everything again, for one that has lost what it knew."""
    if load().memory_engine_url is None:
        raise BadInput("No memory engine is set.", hint="Set MEMORY_ENGINE_URL.")
    with reading() as database, database.transaction() as session:
        count = memories.again(session, TENANT, None, "remember")
    if json:
        answer_json({"records": count})
        return
    out.print(f"{count:,} records will be told again, by the workers that run.")
