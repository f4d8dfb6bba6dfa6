"""One data folder and the server on it: start, ask, stop.

folder/                     ours; the server's account may pass through it
├── start.lock, users.lock  see the package
├── data/                   the cluster: the server's account's alone, like the next two
├── log/                    postgres-<weekday>.log, start.log (what the last start printed)
├── run/                    the socket, or in /tmp where this path is too long for one
└── programs-<version>/     only where the installed programs cannot be reached
"""

from __future__ import annotations

import re
import time
from enum import Enum
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

from headrace.errors import BadInput, Unavailable
from headrace.store.database import disk_full
from headrace.store.embedded import conf, data, pidfile
from headrace.store.embedded.account import Account, account_for
from headrace.store.embedded.folders import forget_old, make_folder, replace_file, socket_folder
from headrace.store.embedded.programs import programs

DATABASE = "headrace"
PATIENCE = 120.0  # seconds until a started server answers, crash recovery included
_TRIES = 3  # a server that is killed while it starts is given another chance
_STOPPING = 60  # seconds for the last checkpoint
_ENDING = "57P"  # how SQLSTATEs begin that say that the server is going down
_BETWEEN_QUESTIONS = 0.05


class Answer(Enum):
    """What the socket says. It is believed before any file."""

    READY = "ready"
    BUSY = "busy"  # starting, stopping or recovering
    SILENT = "silent"


class Cluster:
    """`start` and `stop` are called with the start lock held, by one process at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().resolve()
        if re.search(r'["$`\\\x00-\x1f\x7f]', str(self.folder)):
            raise BadInput(
                f"PostgreSQL cannot keep data in {str(self.folder)!r}: quotation marks, "
                "backslashes, dollar signs and control characters are not for its tools.",
                hint="Name another folder in HEADRACE_HOME.",
            )
        make_folder(self.folder)
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.sockets = socket_folder(self.folder)

    @cached_property
    def _account(self) -> Account:
        return account_for(self.data)

    @cached_property
    def _bin(self) -> Path:
        way = [*reversed(self.folder.parents), self.folder]
        if closed := self._account.first_closed(*way):
            raise BadInput(
                f"PostgreSQL does not run as root, and its own account cannot enter {closed}.",
                hint="Name a folder in HEADRACE_HOME that other accounts can reach, "
                "such as /var/lib/headrace.",
            )
        return programs(self.folder, self._account)

    def url(self, database: str = DATABASE) -> str:
        """A libpq URL. The port is named so that PGPORT in the environment does not change it."""
        host = quote(str(self.sockets), safe="/")
        return f"postgresql://postgres@/{database}?host={host}&port={conf.PORT}"

    def answer(self) -> Answer:
        """Ask the socket. Takes at most a few seconds, when a server is there but stopped dead."""
        info = make_conninfo(self.url("postgres"), connect_timeout=3)
        match pq.PGconn.ping(info.encode()):
            case pq.Ping.OK:
                return Answer.READY
            case pq.Ping.REJECT:
                return Answer.BUSY
            case _:
                return Answer.SILENT

    def postmaster(self) -> int | None:
        """The process id of this folder's server, None when it does not run."""
        return pidfile.postmaster(self.data)

    def start(self, *, may_restart: bool) -> None:
        """See to it that the server answers and has our database.

        It is restarted to take new settings only if `may_restart`, when nobody else uses it.
        Raises Unavailable with the log's last lines after PATIENCE seconds.
        """
        self._account.make_private(self.sockets)
        settings = conf.text(sockets=self.sockets, log=self.log)
        file = self.data / "headrace.conf"
        if may_restart and not (file.exists() and file.read_text(encoding="utf-8") == settings):
            self.stop()
        deadline, failures = time.monotonic() + PATIENCE, 0
        while not self._serves():
            if time.monotonic() > deadline:
                raise self._failed("does not answer")
            silent = self.answer() is Answer.SILENT
            if silent and not self.postmaster():
                failures += not self._launch(settings, deadline)
                if failures == _TRIES:
                    raise self._failed("could not start")
            elif silent and pidfile.says_ready(self.data) and not self._socket.exists():
                self.stop()  # somebody cleaned up /tmp: nobody can reach it any more
            else:
                time.sleep(_BETWEEN_QUESTIONS)

    def stop(self) -> None:
        """Stop the server, if it runs. Raises Unavailable when it does not stop.

        Nothing that was committed is lost by the immediate way, which leaves the rest to the next
        start. A server that recovers is stopped so because PostgreSQL 18 can hang for ever when
        it is asked to stop fast while it recovers from the death of one of its children.
        """
        pid = self.postmaster()
        if pid is None:
            return
        ways = ["immediate"] if self.answer() is Answer.BUSY else ["fast", "immediate"]
        for way in ways:
            self._control("stop", f"--mode={way}", seconds=_STOPPING)
            if self.postmaster() != pid:
                break
        else:
            raise self._failed("did not stop")
        if self.sockets.parent != self.folder:
            try:
                self.sockets.rmdir()
            except OSError:
                pass  # not empty after all; the next start looks at it again

    @property
    def _socket(self) -> Path:
        return self.sockets / f".s.PGSQL.{conf.PORT}"

    def _launch(self, settings: str, deadline: float) -> bool:
        """Try once to start a server where none runs; make its data first if there is none.

        Returns False when it ended at once, unless for a reason that passes by itself.
        """
        if not data.check(self.data):
            data.make(self.data, bin_folder=self._bin, account=self._account)
        for private in (self.log, self.sockets):
            self._account.make_private(private)
        replace_file(self.data / "headrace.conf", settings)
        pidfile.disown(self.data, self.sockets)
        output = self.log / "start.log"
        forget_old(self.log, output)
        left = max(1, round(deadline - time.monotonic()))
        if self._control("start", f"--log={output}", seconds=left) or self.postmaster():
            return True
        time.sleep(_BETWEEN_QUESTIONS)
        # Children of a killed server finish what they are at; until then its memory is in use.
        return "shared memory block" in output.read_text(errors="replace")

    def _control(self, action: str, option: str, *, seconds: int) -> bool:
        """Have pg_ctl do it and wait until it is done. Returns whether it was."""
        waiting = ["--wait", "--silent", f"--timeout={seconds}"]
        command = [str(self._bin / "pg_ctl"), action, f"--pgdata={self.data}", option, *waiting]
        code, _ = self._account.run(command, seconds=seconds + 30)
        return code == 0

    def _serves(self) -> bool:
        """Whether the server lets us in and has our database, which is made if it has not."""
        if self.answer() is not Answer.READY:
            return False
        try:
            with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
                query = "SELECT FROM pg_database WHERE datname = %s"
                if connection.execute(query, (DATABASE,)).fetchone() is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError as error:
            if error.sqlstate and not error.sqlstate.startswith(_ENDING):
                reason = error.diag.message_primary
                raise self._failed(f"could not make our database ({reason})") from error
            return False  # it went down again just now
        return True

    def ailment(self) -> Unavailable | None:
        """Why the server does not run, where its log says so in words that are known here."""
        if self.answer() is not Answer.READY and data.full(self._log_text()):
            return disk_full()
        return None

    def _failed(self, how: str) -> Unavailable:
        if known := self.ailment():
            return known
        ending = data.tail(self._log_text())
        return Unavailable(
            f"PostgreSQL in {self.folder} {how}.",
            hint=f"The end of its log ({self.log}): {ending}",
        )

    def _log_text(self) -> str:
        files = sorted(self.log.glob("*.log"), key=lambda file: file.stat().st_mtime)
        return "\n".join(file.read_text(errors="replace")[-4000:] for file in files[-2:])
