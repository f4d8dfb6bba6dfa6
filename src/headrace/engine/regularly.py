"""Doing something every so often, or when it is called for, in a thread of its own, whatever
happens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from headrace import telemetry


class Duty(Protocol):
    """What a worker does beside its jobs, in a thread of its own."""

    def start(self) -> None:
        """Begin. After the engine is launched."""

    def stop(self) -> None:
        """End, after the work under way."""


class Rung(Protocol):
    """What can be called to work."""

    def ring(self) -> None:
        """There is something to do. From any thread, and at any time."""


class Regularly:
    """Calls `work` at once, then every `seconds` (None: never) and whenever it is rung for, until
    it is stopped. A PostgreSQL that is away is asked again next time; a bug is logged, and
    outlived."""

    def __init__(self, name: str, seconds: float | None, work: Callable[[], object]) -> None:
        self._name = name
        self._seconds = seconds
        self._work = work
        self._bell = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=f"headrace-{name}", daemon=True)

    def start(self) -> None:
        """Begin. After the engine is launched."""
        self._thread.start()

    def ring(self) -> None:
        """There is something to do: do it now, or once more after what is being done."""
        self._bell.set()

    def stop(self) -> None:
        """End, after the work under way."""
        self._stopped = True
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        while not self._stopped:
            self._bell.clear()
            try:
                self._work()
            except (psycopg.OperationalError, SQLAlchemyError):
                pass
            except Exception as error:  # noqa: BLE001 - it must outlive its bugs
                telemetry.bug(self._name, error)
            self._bell.wait(self._seconds)
