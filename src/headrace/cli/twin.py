"""`headrace twin`: stand-ins for real sources, to try and to test against."""

from __future__ import annotations

import typer

from headrace.cli import Stop

twin = typer.Typer(
    help="Stand-ins for real sources, to try and to test against.", no_args_is_help=True
)


@twin.command(
    "datasync",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    add_help_option=False,
)
def datasync(arguments: typer.Context) -> None:
    """Serve a deterministic cursor-paginated events API, with its limits and its faults.

    `headrace twin datasync --help` lists its options.
    """
    from headrace.twin import datasync as server

    try:
        code = server.main(arguments.args)
    except Stop:
        code = 0  # Control-C is how it is meant to end
    raise typer.Exit(code)
