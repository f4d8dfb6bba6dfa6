"""`headrace jobs graph`: the jobs that hang together, level by level."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from headrace.cli.house import TENANT, USER, reading
from headrace.cli.options import Json
from headrace.cli.show import answer_json, out, say
from headrace.engine.graph import MOST, depths, picture
from headrace.engine.progress import progress

_SHORT = 8
"""Characters of a job's id that tell it from the others of its graph."""
_NAMED = 4
"""Jobs that a line names which it waits for."""


def graph(
    job_id: Annotated[str, typer.Argument(help="The id of any of its jobs.")], json: Json = False
) -> None:
    """Draw all jobs that hang together with one: each further in than those it waits for."""
    with reading() as database, database.people(TENANT, USER) as session:
        progress(session, job_id)  # which says so when there is none
        found = picture(session, job_id)
    if json:
        answer_json(found)
        return
    nodes = {node["job_id"]: node for node in found["nodes"]}
    edges = [(edge["source"], edge["target"]) for edge in found["edges"]]
    level = depths(list(nodes), edges)
    needs: dict[str, list[str]] = {one: [] for one in nodes}
    for edge in found["edges"]:
        needs[edge["target"]].append(edge["source"])
    for one in sorted(nodes, key=lambda one: level[one]):
        out.print(_line(nodes[one], level[one], needs[one], of=job_id), soft_wrap=True)
    if found["truncated"]:
        say(f"There are more; these are the {MOST:,} nearest.")


def _line(node: dict[str, Any], level: int, needs: list[str], *, of: str) -> str:
    mark = "[bold]" if node["job_id"] == of else ""
    status = "waits" if node["waits"] else node["status"]
    named = ", ".join(one[:_SHORT] for one in needs[:_NAMED])
    more = f" and {len(needs) - _NAMED:,} more" if len(needs) > _NAMED else ""
    after = f", after {named}{more}" if needs else ""
    what = escape(node["connection"] or node["kind"])
    text = f"{'  ' * level}{node['job_id']} {what}: {status}{after}"
    return f"{mark}{text}{'[/bold]' if mark else ''}"
