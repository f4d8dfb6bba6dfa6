"""`headrace twin`: stand-ins for real sources, to try and to test against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

import typer

from headrace.cli import Stop

twin = typer.Typer(
    help="Stand-ins for real sources, to try and to test against.", no_args_is_help=True
)


# Each twin reads its options itself.
_PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True}


@twin.command("datasync", context_settings=_PASSED_ON, add_help_option=False)
def datasync(arguments: typer.Context) -> None:
    """Serve a deterministic cursor-paginated events API, with its limits and its faults.

    `headrace twin datasync --help` lists its options.
    """
    from headrace.twin import datasync as server

    _run(server.main, arguments)


def google(arguments: typer.Context) -> None:
    """Serve Google's OAuth, Gmail and Calendar, strictly, from made-up accounts.

    `headrace twin google --help` lists its options.
    """
    from headrace.twin.google import __main__ as server

    _run(server.main, arguments)


@twin.command("github", context_settings=_PASSED_ON, add_help_option=False)
def github(arguments: typer.Context) -> None:
    """Serve the part of GitHub's REST API that a sync needs, strictly, from made-up repositories.

    `headrace twin github --help` lists its options.
    """
    from headrace.twin import github as server

    _run(server.main, arguments)


for _name, _about in (
    ("google", None),
    ("gmail", "Serve Gmail: the same as `headrace twin google`."),
    ("calendar", "Serve Google Calendar: the same as `headrace twin google`."),
):
    twin.command(_name, help=_about, context_settings=_PASSED_ON, add_help_option=False)(google)


def _run(main: Callable[[Sequence[str]], int], arguments: typer.Context) -> NoReturn:
    try:
        code = main(arguments.args)
    except Stop:
        code = 0  # Control-C is how it is meant to end
    raise typer.Exit(code)
