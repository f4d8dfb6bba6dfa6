"""`headrace stages`: what becomes of each kind of content, drawn."""

from __future__ import annotations

from collections.abc import Sequence

from rich.tree import Tree

from headrace.cli.options import Json
from headrace.cli.show import answer_json, out
from headrace.plugins import choose, steps
from headrace.plugins import stages as known_stages
from headrace.settings import load
from headrace.wiring import Step, contents


def stages(json: Json = False) -> None:
    """Show which stages run on what, in which order, and what each of them reads and writes."""
    choose(load())
    all_ = {content: steps(content) for content in contents(known_stages().values())}
    if json:
        answer_json([_plain(content, step) for content in all_ for step in all_[content]])
        return
    for content, found in all_.items():
        out.print(_drawn(content, found))


def _plain(content: str, step: Step) -> dict[str, object]:
    one = step.stage
    return {
        "content": content,
        "stage": one.name,
        "version": one.version,
        "reads": [kind.__name__ for kind in one.reads],
        "writes": [kind.__name__ for kind in one.writes],
        "after": [before.name for before in step.before],
        "apart": one.apart,
    }


def _drawn(content: str, found: Sequence[Step]) -> Tree:
    """Each stage below the last of those that it waits for."""
    root = Tree(f"[bold]{content}[/bold]")
    places: dict[str, Tree] = {}
    for step in found:
        below = places[step.before[-1].name] if step.before else root
        places[step.stage.name] = below.add(_told(step))
    return root


def _told(step: Step) -> str:
    one = step.stage
    writes = ", ".join(kind.__name__ for kind in one.writes)
    others = [before.name for before in step.before[:-1]]
    waits = f", after {' and '.join(others)} too" if others else ""
    apart = ", apart from the rest" if one.apart else ""
    return f"{one.name} [dim]{one.version}: makes {writes}{waits}{apart}[/dim]"
