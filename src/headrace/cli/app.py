"""The command tree. `headrace --help` is its table of contents; docs/reference/cli.md the rest."""

from __future__ import annotations

import typer

from headrace import __version__
from headrace.cli import (
    alerts,
    check,
    connect,
    connections,
    contacts,
    dead_letters,
    demo,
    insights,
    keys,
    look,
    memory,
    opening,
    replay,
    retention,
    schedules,
    serve,
    stages,
    steer,
    sync,
    timeline,
    twin,
    webhooks,
    why,
)

app = typer.Typer(
    name="headrace",
    help="Outside data into your own PostgreSQL, exactly once, and searchable.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"headrace {__version__}")
        raise typer.Exit


@app.callback()
def _everywhere(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and end."
    ),
    traceback: bool = typer.Option(
        False, "--traceback", help="Show the whole traceback when something goes wrong."
    ),
) -> None:
    """Outside data into your own PostgreSQL, exactly once, and searchable."""
    del version, traceback  # the first acts by itself, the second has been taken before


_START, _WORK, _LOOK = "Start", "Bring data in", "Look"
for name, function, panel in (
    ("up", serve.up, _START),
    ("demo", demo.demo, _START),
    ("api", serve.api, _START),
    ("open", opening.open_dashboard, _START),
    ("worker", serve.worker, _START),
    ("migrate", serve.migrate, _START),
    ("check", check.check, _START),
    ("connect", connect.connect, _WORK),
    ("sync", sync.sync, _WORK),
    ("ingest", sync.ingest, _WORK),
    ("replay", replay.replay, _WORK),
    ("retention", retention.retention, _WORK),
    ("search", look.search, _LOOK),
    ("timeline", timeline.timeline, _LOOK),
    ("why", why.why, _LOOK),
    ("stages", stages.stages, _LOOK),
):
    app.command(name, rich_help_panel=panel)(function)

app.add_typer(alerts.alerts, name="alerts", rich_help_panel=_LOOK)
app.add_typer(insights.insights, name="insights", rich_help_panel=_LOOK)
app.add_typer(steer.jobs, name="jobs", rich_help_panel=_LOOK)
app.add_typer(connections.connections, name="connections", rich_help_panel=_LOOK)
app.add_typer(schedules.schedules, name="schedules", rich_help_panel=_LOOK)
app.add_typer(webhooks.webhooks, name="webhooks", rich_help_panel=_LOOK)
app.add_typer(contacts.contacts, name="contacts", rich_help_panel=_LOOK)
app.add_typer(dead_letters.dead_letters, name="dead-letters", rich_help_panel=_LOOK)
app.add_typer(memory.memory, name="memory", rich_help_panel=_LOOK)
app.add_typer(keys.keys, name="keys", rich_help_panel=_START)
app.add_typer(twin.twin, name="twin", rich_help_panel="Try")
