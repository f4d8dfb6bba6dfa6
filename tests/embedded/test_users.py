"""The server comes with its first user and goes with its last, in any order of events."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import psycopg

from headrace.store import embedded

Start = Callable[..., Any]


def server(folder: Path) -> int:
    """The process id of the server, which must be running."""
    found = embedded.status(folder)
    assert found.state == "running"
    assert found.pid is not None
    return found.pid


def test_data_survives_the_server(empty: Path) -> None:
    assert embedded.status(empty).state == "absent"
    with embedded.postgres(empty) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'é' AS word")
        process = psutil.Process(server(empty))
    assert embedded.status(empty) == embedded.Status("stopped", False, None, url, empty / "log")
    process.wait(timeout=30)
    with embedded.postgres(empty) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT word FROM kept").fetchall() == [("é",)]


def test_six_that_start_at_once_share_one_server(empty: Path, user: Start) -> None:
    users = [user() for _ in range(6)]
    assert len({each.entered()[0] for each in users}) == 1
    pid = server(empty)
    for each in users[:-1]:
        each.leave()
        assert server(empty) == pid
    users[-1].leave()
    assert embedded.status(empty).state == "stopped"


def test_two_users_in_one_process(folder: Path) -> None:
    with embedded.postgres(folder) as url:
        with embedded.postgres(folder) as second:
            assert second == url
        with psycopg.connect(url) as connection:
            connection.execute("SELECT 1")
    assert embedded.status(folder).state == "stopped"


def test_coming_and_going_at_the_same_time(folder: Path) -> None:
    def visit(_: int) -> None:
        with embedded.postgres(folder) as url, psycopg.connect(url) as connection:
            connection.execute("SELECT 1")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(visit, range(24)))
    assert embedded.status(folder).state == "stopped"


def test_a_killed_user_leaves_a_server_that_the_next_one_stops(folder: Path, user: Start) -> None:
    killed = user()
    killed.entered()
    pid = server(folder)
    killed.kill()
    assert embedded.status(folder).used is False
    with embedded.postgres(folder):
        assert server(folder) == pid
    assert embedded.status(folder).state == "stopped"


def test_a_forked_child_is_no_user(folder: Path, user: Start) -> None:
    killed = user("fork")
    _, child = killed.entered()
    killed.kill()
    os.kill(int(child), 0)  # it is alive and had the lock files open
    with embedded.postgres(folder):
        pass
    assert embedded.status(folder).state == "stopped"


def test_a_forked_child_that_leaves_does_not_stop_its_parents_server(folder: Path) -> None:
    pid = 0
    try:
        with embedded.postgres(folder):
            running = server(folder)
            pid = os.fork()
            if pid:
                assert os.waitpid(pid, 0)[1] == 0
                assert server(folder) == running
    finally:
        if pid == 0 and embedded.status(folder).state == "running":
            os._exit(0)


def test_stop_spares_users_unless_forced(folder: Path, user: Start) -> None:
    assert embedded.stop(folder)
    someone = user()
    someone.entered()
    assert not embedded.stop(folder)
    assert embedded.status(folder).state == "running"
    assert embedded.stop(folder, force=True)
    assert embedded.status(folder).state == "stopped"
    someone.leave()


def test_new_settings_wait_until_nobody_is_disturbed(folder: Path, user: Start) -> None:
    first = user()
    first.entered()
    pid = server(folder)
    settings = folder / "data" / "headrace.conf"
    ours = settings.read_text()
    settings.write_text("# an older version's\n")
    with embedded.postgres(folder):
        assert server(folder) == pid
    first.kill()
    with embedded.postgres(folder):
        assert server(folder) != pid
        assert settings.read_text() == ours


def test_an_interrupted_user_leaves_in_order(folder: Path, user: Start) -> None:
    someone = user()
    someone.entered()
    someone.process.send_signal(signal.SIGINT)
    assert someone.process.wait() != 0
    assert embedded.status(folder).state == "stopped"
