"""What people see: a sentence, a table, or JSON for a program."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

out = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
err = Console(stderr=True, highlight=False)


def complain(message: str, hint: str = "") -> None:
    """One sentence on standard error, and what to do under it."""
    err.print(f"[red]{escape(message)}[/red]")
    if hint:
        err.print(f"  {escape(hint)}")


def say(message: str) -> None:
    """A sentence that is not the answer: on standard error, so that pipes stay clean."""
    err.print(message)


def answer_json(value: Any) -> None:
    """The answer as JSON on standard output."""
    sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table, or a sentence where there is nothing to show."""
    if not rows:
        out.print(f"No {title} yet.")
        return
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*[_cell(value) for value in row])
    out.print(drawn)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return escape(str(value))
