"""Whatever was killed, and whatever it left behind, the next start brings the server back."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from headrace.errors import Unavailable
from headrace.store import embedded
from headrace.store.embedded import cluster, pidfile
from headrace.store.embedded.account import account_for

Start = Callable[..., Any]


def kill_server(folder: Path) -> None:
    """SIGKILL the postmaster, and wait until it and its children are gone."""
    state = embedded.status(folder)
    assert state.pid is not None
    with psycopg.connect(state.url) as connection:
        os.kill(state.pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(60)")


def test_a_killed_server_is_started_again_with_its_data(folder: Path, user: Start) -> None:
    first = user()
    url = first.entered()[0]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
    kill_server(folder)
    with embedded.postgres(folder), psycopg.connect(url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (1,)
    assert embedded.status(folder).used is True  # the first is still there, and would be the last
    first.leave()
    assert embedded.status(folder).state == "stopped"


def test_a_killed_backend_costs_only_its_connections(folder: Path) -> None:
    with embedded.postgres(folder) as url:
        with psycopg.connect(url) as connection:
            before = embedded.status(folder).pid
            os.kill(connection.info.backend_pid, signal.SIGKILL)
            with embedded.postgres(folder), psycopg.connect(url) as other:
                other.execute("SELECT 1")
        assert embedded.status(folder).pid == before


def test_a_stale_pid_file_may_name_a_living_process(folder: Path) -> None:
    with embedded.postgres(folder):
        kill_server(folder)
    data, sockets = folder / "data", folder / "run"
    account = account_for(data)
    switch = {"user": account.uid, "group": account.gid} if account.other else {}
    with subprocess.Popen(["sleep", "600"], **switch) as stranger:  # type: ignore[call-overload]
        for file in (data / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
            lines = file.read_text().splitlines()
            file.write_text("\n".join([str(stranger.pid), *lines[1:], ""]))
        assert embedded.status(folder).state == "stopped"
        with embedded.postgres(folder) as url, psycopg.connect(url) as connection:
            connection.execute("SELECT 1")
        assert stranger.poll() is None
        stranger.kill()


def test_an_empty_pid_file_is_passed_over(folder: Path) -> None:
    with embedded.postgres(folder):
        pass
    (folder / "data" / "postmaster.pid").touch()
    with embedded.postgres(folder) as url, psycopg.connect(url) as connection:
        connection.execute("SELECT 1")


def test_children_of_a_killed_server_are_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two servers that write to one folder would destroy it."""
    with embedded.postgres(folder) as url, psycopg.connect(url) as connection:
        orphan = connection.info.backend_pid
        os.kill(orphan, signal.SIGSTOP)
        pid = embedded.status(folder).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        monkeypatch.setattr(cluster, "PATIENCE", 0.5)
        with pytest.raises(Unavailable, match="shared memory block"), embedded.postgres(folder):
            pass
        os.kill(orphan, signal.SIGCONT)
        monkeypatch.undo()
        with embedded.postgres(folder), psycopg.connect(url) as again:
            again.execute("SELECT 1")


def test_a_recovering_server_is_waited_for(
    folder: Path, user: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded.postgres(folder):
        pass
    # Recovery that asks for a log file and gets no answer as long as the pipe has no writer.
    pipe = folder / "run" / "answer"
    os.mkfifo(pipe, 0o666)
    pipe.chmod(0o666)
    own = folder / "data" / "postgresql.conf"
    own.write_text(f"{own.read_text()}\nrestore_command = 'cat {pipe}; false'\n")
    (folder / "data" / "recovery.signal").touch()

    starter = user()
    reader = os.open(pipe, os.O_WRONLY)  # opens once the server has asked: it is recovering
    assert not starter.is_in(seconds=0)
    starter.kill()
    assert embedded.status(folder).state == "busy"
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with pytest.raises(Unavailable, match=r"(?s)does not answer.*log"), embedded.postgres(folder):
        pass
    monkeypatch.undo()

    waiting = user()
    assert not waiting.is_in(seconds=0.5)
    # It asks again for the next file; an end without one means that the log ends here. Gone before
    # the end: whoever opened it anew would wait for a writer for ever.
    pipe.unlink()
    os.close(reader)
    waiting.entered()
    waiting.leave()
    assert embedded.status(folder).state == "stopped"


def test_a_start_that_was_killed_half_way_begins_anew(empty: Path) -> None:
    (empty / "data.part").mkdir(parents=True)
    empty.chmod(0o711)
    (empty / "data.part" / "base").write_text("half a cluster")
    (empty / "data.part").chmod(0o700)
    with embedded.postgres(empty) as url, psycopg.connect(url) as connection:
        connection.execute("SELECT 1")


def test_a_server_that_lost_its_socket_is_restarted(folder: Path, user: Start) -> None:
    killed = user()
    killed.entered()
    killed.kill()
    pid = embedded.status(folder).pid
    (folder / "run" / ".s.PGSQL.5432").unlink()
    with embedded.postgres(folder):
        assert embedded.status(folder).pid != pid


def test_ps_tells_what_proc_tells(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with embedded.postgres(folder):
        pid = embedded.status(folder).pid
        monkeypatch.setattr(pidfile, "_command", pidfile._command_by_ps)
        assert pidfile.postmaster(folder / "data") == pid
