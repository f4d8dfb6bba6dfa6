"""`headrace stages`: what becomes of each kind of content, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.tree import Tree

from headrace.cli.house import TENANT, USER, reading
from headrace.cli.options import Json
from headrace.cli.show import answer_json, out
from headrace.engine.replay import to_do
from headrace.plugins import choose, steps
from headrace.plugins import stages as known_stages
from headrace.settings import load
from headrace.wiring import Step, contents

Left = dict[tuple[str, str], int]


def stages(
    json: Json = False,
    left: Annotated[
        bool, typer.Option("--left", help="Also how many batches each has still before it.")
    ] = False,
) -> None:
    """Show which stages run on what, in which order, and what each of them reads and writes."""
    choose(load())
    all_ = {content: steps(content) for content in contents(known_stages().values())}
    to_go = _left() if left else {}
    if json:
        answer_json([_plain(content, step, to_go) for content in all_ for step in all_[content]])
        return
    for content, found in all_.items():
        out.print(_drawn(content, found, to_go))


def _left() -> Left:
    with reading() as database, database.people(TENANT, USER) as session:
        rows = to_do(session)
    return {(row["content"], row["stage"]): row["of"] - row["done"] for row in rows}


def _plain(content: str, step: Step, left: Left) -> dict[str, object]:
    one = step.stage
    told: dict[str, object] = {
        "content": content,
        "stage": one.name,
        "version": one.version,
        "reads": [kind.__name__ for kind in one.reads],
        "writes": [kind.__name__ for kind in one.writes],
        "after": [before.name for before in step.before],
        "apart": one.apart,
    }
    if left:
        told["batches_left"] = left[content, one.name]
    return told


def _drawn(content: str, found: Sequence[Step], left: Left) -> Tree:
    """Each stage below the last of those that it waits for."""
    root = Tree(f"[bold]{content}[/bold]")
    places: dict[str, Tree] = {}
    for step in found:
        below = places[step.before[-1].name] if step.before else root
        places[step.stage.name] = below.add(_told(step, left.get((content, step.stage.name), 0)))
    return root


def _told(step: Step, left: int) -> str:
    one = step.stage
    writes = ", ".join(kind.__name__ for kind in one.writes)
    others = [before.name for before in step.before[:-1]]
    waits = f", after {' and '.join(others)} too" if others else ""
    apart = ", apart from the rest" if one.apart else ""
    to_go = f" [yellow]{left:,} batches to go[/yellow]" if left else ""
    return f"{one.name} [dim]{one.version}: makes {writes}{waits}{apart}[/dim]{to_go}"
