"""A PostgreSQL of a scenario's own, to be killed under load."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import ExitStack

import psycopg
from tests.places import made_folder

from headrace.engine.schema import prepare
from headrace.store import embedded

_OTHERS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> %s"


class Server:
    """An embedded cluster in a folder that its account can enter, and the ways to hurt it."""

    def __init__(self) -> None:
        self._home = made_folder("crash")
        self._folder = self._home / "postgres"
        self._use = ExitStack()
        self.url = ""
        self._numbers = 0
        self.start()
        prepare(self.url)

    def database(self) -> str:
        """A new database that is ready for the engine."""
        self._numbers += 1
        name = f"world_{self._numbers}"
        postgres = self.url.replace("/headrace?", "/postgres?")
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE headrace")
        return self.url.replace("/headrace?", f"/{name}?")

    def start(self) -> None:
        """Start it, or attach to it."""
        self.url = self._use.enter_context(embedded.postgres(self._folder))

    def kill(self) -> None:
        """SIGKILL the postmaster; its children see that it is gone and end."""
        self._send(signal.SIGKILL)

    def stop_immediately(self) -> None:
        """End it the way that leaves all the work to the recovery of the next start."""
        self._send(signal.SIGQUIT)

    def stop_fast(self) -> None:
        """End it as an operator does: it throws everybody out and writes a checkpoint."""
        self._send(signal.SIGINT)

    def gone(self) -> bool:
        """Whether nothing of it runs any more."""
        return embedded.status(self._folder).state == "stopped"

    def terminate_all(self) -> None:
        """Throw every client out."""
        for pid in self._clients():
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])

    def kill_a_backend(self, which: int) -> None:
        """SIGKILL one client's process: the server throws everybody out and recovers."""
        pids = self._clients()
        if pids:
            os.kill(pids[which % len(pids)], signal.SIGKILL)

    def remove(self) -> None:
        """Stop it and remove its data."""
        self._use.close()
        embedded.stop(self._folder, force=True)
        shutil.rmtree(self._home, ignore_errors=True)

    def _send(self, number: signal.Signals) -> None:
        pid = embedded.status(self._folder).pid
        assert pid is not None
        os.kill(pid, number)

    def _clients(self) -> list[int]:
        while True:
            try:
                with psycopg.connect(self.url, autocommit=True) as connection:
                    found = connection.execute(_OTHERS, [connection.info.backend_pid])
                    return [pid for (pid,) in found]
            except psycopg.OperationalError:
                time.sleep(0.05)  # it recovers
