"""Statements as spans: those that are part of a trace, and never with the values in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.sql import Composable

from headrace.logs.secrets import cover
from headrace.traces.spans import on, span, within

_MOST_CHARACTERS = 1000
_COMMENT = re.compile(r"--[^\n]*")
_KIND = re.compile(r"\s*(\w+)")
_TABLE = re.compile(r"\b(?:into|from|update|copy|join|table)\s+((?:headrace|dbos)\.\w+)", re.I)  # noqa: FURB167


class Traced(psycopg.Cursor[Any]):
    """A cursor whose statements are spans."""

    def execute(self, query: Any, *given: Any, **named: Any) -> Any:
        """As psycopg's."""
        if not within():
            return super().execute(query, *given, **named)
        with _statement(query):
            return super().execute(query, *given, **named)

    @contextmanager
    def copy(self, statement: Any, *given: Any, **named: Any) -> Iterator[Any]:
        """As psycopg's; the span is of all that is copied."""
        if not within():
            with super().copy(statement, *given, **named) as copy:
                yield copy
            return
        with _statement(statement), super().copy(statement, *given, **named) as copy:
            yield copy


def cursors() -> dict[str, Any]:
    """What a pool of connections is made with, so that its statements are traced; nothing where no
    traces are sent."""
    return {"cursor_factory": Traced} if on() else {}


def _statement(query: Any) -> Any:
    if isinstance(query, Composable):
        query = query.as_string()
    text = query.decode() if isinstance(query, bytes) else str(query)
    text = _COMMENT.sub("", text).strip()
    kind, table = _KIND.match(text), _TABLE.search(text)
    named = [found[1] for found in (kind, table) if found]
    said = cover(text)[:_MOST_CHARACTERS]
    facts: dict[str, Any] = {"db.system.name": "postgresql", "db.query.text": said}
    return span(" ".join((named[0].upper(), *named[1:])) if named else "SQL", **facts)
