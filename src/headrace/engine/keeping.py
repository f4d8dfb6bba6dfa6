"""Keeping what is said of jobs with them, beside the work: no job waits for its lines.

A process that is killed loses those of its last moment; what they tell of is in the tables.
"""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack, suppress

import psycopg

from headrace import telemetry
from headrace.engine.regularly import Regularly
from headrace.store import job_lines
from headrace.store.database import Database

_MOST = 1000
"""Lines that wait for a PostgreSQL that is away; older ones are let go."""


class Keeper:
    """Hears what this process says of jobs, and writes it down."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lines: deque[telemetry.Line] = deque(maxlen=_MOST)
        self._writer = Regularly("job-lines", None, self._write)
        self._end = ExitStack()

    def start(self) -> None:
        """Begin to hear."""
        self._end.callback(telemetry.keep(self._hear))
        self._writer.start()

    def stop(self) -> None:
        """Write what is left, and hear no more."""
        self._end.close()
        self._writer.stop()
        with suppress(psycopg.OperationalError):
            self._write()

    def _hear(self, line: telemetry.Line) -> None:
        self._lines.append(line)
        self._writer.ring()

    def _write(self) -> None:
        while said := list(self._lines):
            try:
                with self._database.transaction() as connection:
                    job_lines.keep(connection, said)
            except psycopg.OperationalError:
                raise  # they wait
            except Exception:
                self._let_go(len(said))  # lines that cannot be written keep no others from it
                raise
            self._let_go(len(said))

    def _let_go(self, lines: int) -> None:
        for _ in range(min(lines, len(self._lines))):
            self._lines.popleft()
