"""PostgreSQL in the data folder: starts with its first user, stops with its last.

    with postgres(settings.postgres_folder) as url:
        ...  # any number of processes and threads may be in here at once

Two lock files carry the whole protocol. `start.lock` is held by whoever attaches, leaves or
stops, so those never overlap. `users.lock` is held, shared, by every user for as long as it
uses the server: whoever can turn it exclusive while leaving is the last one. The kernel frees
both when a process dies, so a killed user can keep no server up for ever: the next user attaches
to what was left behind and stops it when it leaves.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from headrace.errors import Unavailable
from headrace.store.database import disk_full
from headrace.store.embedded.cluster import DATABASE, Answer, Cluster
from headrace.store.embedded.keeper import keeping
from headrace.store.embedded.lock import Lock
from headrace.store.embedded.programs import installed

__all__ = [
    "DATABASE",
    "Status",
    "ailment",
    "installed",
    "kept",
    "postgres",
    "revive",
    "status",
    "stop",
]


@dataclass(frozen=True)
class Status:
    """What is known about a folder's server, without changing anything.

    `changing`: another process is starting or stopping it this very moment; `busy`: it runs but
    is not ready, as in crash recovery. `used` is None where it cannot be told.
    """

    state: Literal["absent", "stopped", "changing", "busy", "running"]
    used: bool | None
    pid: int | None
    url: str
    log: Path


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Yield a libpq URL of the database `headrace` on the server whose data is in `folder`.

    The URL's form is `postgresql://postgres@/headrace?host=<socket folder>&port=5432`. The first
    start makes the data, which takes about a second. Raises BadInput when the folder cannot be
    used, Unavailable when the server cannot be brought to answer within two minutes.
    """
    cluster, starting, users = _open(folder)
    with starting, users:
        try:
            with starting.exclusive():
                # Taken before the start and kept through it: nobody can stop what comes up.
                alone = users.try_exclusive()
                cluster.start(may_restart=alone)
                users.share()
        except Unavailable:
            raise  # left to go on: a long recovery would begin anew if it were stopped here
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise disk_full() from error
            raise Unavailable(
                f"PostgreSQL in {cluster.folder} could not be started: {error}.",
                hint="Is the folder read-only, or somebody else's?",
            ) from error
        except BaseException:
            _leave(cluster, starting, users)
            raise
        try:
            yield cluster.url()
        finally:
            _leave(cluster, starting, users)


@contextmanager
def kept(folder: Path) -> Iterator[str]:
    """The same, and a server that dies while it is used is started again within seconds."""
    with postgres(folder) as url, keeping(lambda: revive(folder)):
        yield url


def revive(folder: Path) -> None:
    """Start the server again if it does not run. For its users only: nobody stops it otherwise.

    Raises Unavailable when it does not come back.
    """
    cluster, starting, users = _open(folder)
    with starting, users:
        if cluster.postmaster() is None:
            with starting.exclusive():
                cluster.start(may_restart=False)


def ailment(folder: Path) -> Unavailable | None:
    """Why the server does not run, where its log says so in words that are known here."""
    return Cluster(folder).ailment()


def stop(folder: Path, *, force: bool = False) -> bool:
    """Stop a server that was left behind. Returns whether none runs afterwards.

    One that has users is left alone unless `force`. Raises Unavailable when it will not stop.
    """
    if not os.access(folder, os.F_OK):
        return True
    cluster, starting, users = _open(folder)
    with starting, users, starting.exclusive():
        if not (users.try_exclusive() or force):
            return False
        cluster.stop()
        return True


def status(folder: Path) -> Status:
    """Tell what runs in `folder`, waiting for nobody."""
    if not os.access(folder / "data" / "PG_VERSION", os.F_OK):
        return Status("absent", False, None, "", folder / "log")
    cluster, starting, users = _open(folder)
    with starting, users:
        # Asking for the users' lock while another process decides whether it is the last one
        # would mislead it, so it is only asked for under the start lock.
        quiet = starting.try_exclusive()
        used = not users.try_exclusive() if quiet else None
        answer, pid = cluster.answer(), cluster.postmaster()
    state: Literal["stopped", "changing", "busy", "running"]
    if answer is Answer.READY:
        state = "running"
    elif not quiet:
        state = "changing"
    else:
        state = "stopped" if pid is None else "busy"
    return Status(state, used, pid, cluster.url(), cluster.log)


def _open(folder: Path) -> tuple[Cluster, Lock, Lock]:
    if sys.platform == "win32":
        raise Unavailable(
            "The embedded PostgreSQL does not run on Windows.",
            hint="Set DATABASE_URL to a PostgreSQL server, or run Headrace inside WSL.",
        )
    cluster = Cluster(folder)
    return cluster, Lock(cluster.folder / "start.lock"), Lock(cluster.folder / "users.lock")


def _leave(cluster: Cluster, starting: Lock, users: Lock) -> None:
    if users.closed:
        return  # a forked child running its parent's exit: the parent still uses the server
    with starting.exclusive():
        if users.try_exclusive():
            cluster.stop()
        users.close()
