"""What people see: a sentence, a table, or JSON for a program."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def tame(text: str) -> str:
    """Words from outside, without what would steer the terminal: the subject of a mail must not be
    able to clear the screen, or to turn round what stands beside it."""
    return _UNSEEN.sub("\ufffd", text)


class _Tame(Console):
    def print(self, *objects: Any, **how: Any) -> None:
        super().print(*[tame(one) if isinstance(one, str) else one for one in objects], **how)


out = _Tame(highlight=False, width=None if sys.stdout.isatty() else 140)
err = _Tame(stderr=True, highlight=False)


def complain(message: str, hint: str = "") -> None:
    """One sentence on standard error, and what to do under it. A line each, whatever their length:
    terminals wrap them, and programs read them."""
    err.print(f"[red]{escape(_sentence(message))}[/red]", soft_wrap=True)
    if hint:
        err.print(f"  {escape(_sentence(hint))}", soft_wrap=True)


def _sentence(text: str) -> str:
    return " ".join(text.split())


def say(message: str) -> None:
    """A sentence that is not the answer: on standard error, so that pipes stay clean."""
    err.print(message, soft_wrap=True)


def answer_json(value: Any) -> None:
    """The answer as JSON on standard output."""
    sys.stdout.flush()
    # Bytes, because JSON is UTF-8 wherever the terminal is.
    sys.stdout.buffer.write(msgspec.json.encode(value, enc_hook=str) + b"\n")
    sys.stdout.buffer.flush()


def show_name(name: str) -> None:
    """The name of the row that stands above, as `headrace why` takes it in a shell."""
    out.print(f"{'':16} [dim]{escape(shlex.quote(tame(name)))}[/dim]", soft_wrap=True)


Columns = Mapping[str, str | Callable[[Any], Any]]
"""Headings, and what stands below each: a field, or what is made of the row."""


def answer_rows(
    title: str,
    rows: Sequence[Mapping[str, Any]],
    columns: Columns,
    *,
    json: bool,
) -> None:
    """Rows as a table, or as JSON."""
    if json:
        answer_json(rows)
        return
    cells = columns.values()
    table(title, list(columns), [[_field(row, one) for one in cells] for row in rows])


def _field(row: Mapping[str, Any], one: str | Callable[[Any], Any]) -> Any:
    return row[one] if isinstance(one, str) else one(row)


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
    return escape(tame(str(value)))
