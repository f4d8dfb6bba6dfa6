"""What libraries say, as lines like the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

Say = Callable[..., Any]


class Libraries(logging.Handler):
    """Says what comes through Python's own logging by what `says` has for its level."""

    def __init__(self, says: Mapping[int, Say]) -> None:
        super().__init__()
        self._says = says

    def emit(self, record: logging.LogRecord) -> None:
        """Say it."""
        least = [level for level in sorted(self._says) if level <= record.levelno]
        say = self._says[least[-1] if least else min(self._says)]
        error = {"exc_info": record.exc_info[1]} if record.exc_info else {}
        say("library", where=record.name, note=record.getMessage(), **error)
