"""Another machine, as Linux has it: processes with a network and process numbers of their own.

What runs there reaches this machine over a wire that can be cut, in both directions or in one:
packets vanish, and nobody is told. It needs root; `missing` says what stands in the way.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path

import psutil
import psycopg

from headrace.store import embedded
from headrace.store.embedded.cluster import Cluster
from headrace.store.embedded.conf import PORT

_numbers = count(1)

# A bucket that no packet fits into: everything is dropped. More fitting filters are not in every
# kernel.
_DROP = ("tbf", "rate", "8bit", "burst", "10", "limit", "1")


def missing() -> str:
    """Why there can be no other machine here; empty where there can."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "it takes root to make network namespaces"
    for program in ("ip", "tc", "unshare"):
        if shutil.which(program) is None:
            return f"there is no program {program}"
    try:
        with Machine():
            return ""
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no network namespace can be made ({error})"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


class Machine:
    """A network namespace with one wire to here, at whose ends are `here` and the machine."""

    def __init__(self) -> None:
        number = f"{os.getpid() % 10_000}{next(_numbers)}"
        self._name, self._outer, self._inner = f"hr{number}", f"hro{number}", f"hri{number}"
        third, fourth = divmod((os.getpid() * 7 + int(number)) % 16_000, 64)
        self.here = f"10.231.{third}.{fourth * 4 + 1}"
        self._there = f"10.231.{third}.{fourth * 4 + 2}"

    def __enter__(self) -> Machine:
        _run("ip", "netns", "add", self._name)
        try:
            peer = ("type", "veth", "peer", "name", self._inner, "netns", self._name)
            _run("ip", "link", "add", self._outer, *peer)
            _run("ip", "addr", "add", f"{self.here}/30", "dev", self._outer)
            _run("ip", "link", "set", self._outer, "up")
            inside = ("ip", "-n", self._name)
            _run(*inside, "addr", "add", f"{self._there}/30", "dev", self._inner)
            _run(*inside, "link", "set", self._inner, "up")
            _run(*inside, "link", "set", "lo", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(subprocess.CalledProcessError):
            _run("ip", "link", "del", self._outer)
        with suppress(subprocess.CalledProcessError):
            _run("ip", "netns", "del", self._name)

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        """Start a program there. Signals go to its child: see `inside`."""
        own = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
        with log.open("wb") as out:
            return subprocess.Popen(
                ["ip", "netns", "exec", self._name, *own, *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def cut(self, *, out: bool = True, back: bool = True) -> None:
        """Lose what the machine sends (`out`), what is sent to it (`back`), or both."""
        if out:
            inner = ("-n", self._name, "qdisc", "replace", "dev", self._inner, "root")
            _run("tc", *inner, *_DROP)
        if back:
            _run("tc", "qdisc", "replace", "dev", self._outer, "root", *_DROP)

    def mend(self) -> None:
        """Lose nothing any more."""
        for where in (("-n", self._name), ()):
            device = self._inner if where else self._outer
            with suppress(subprocess.CalledProcessError):
                _run("tc", *where, "qdisc", "del", "dev", device, "root")


def inside(process: subprocess.Popen[bytes]) -> int:
    """The number that the program itself has on this machine."""
    [child] = psutil.Process(process.pid).children()
    return int(child.pid)


def send(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send the program itself a signal; it may have ended meanwhile."""
    with suppress(psutil.NoSuchProcess, ProcessLookupError, ValueError):
        os.kill(inside(process), number)


@contextmanager
def reachable(folder: Path, host: str) -> Iterator[str]:
    """An embedded PostgreSQL that other machines reach at this address, by TCP: its URL. For tests
    and benchmarks only: anybody may enter."""
    with embedded.postgres(folder) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET listen_addresses = '{host}'".encode())
        rules = folder / "data" / "pg_hba.conf"
        kept = [one for one in rules.read_text().splitlines() if not one.endswith("reject")]
        rules.write_text("\n".join([*kept, "host all all 10.231.0.0/16 trust", ""]))
        Cluster(folder).stop()
        embedded.revive(folder)
        yield f"postgresql://postgres@{host}:{PORT}/headrace?sslmode=disable&gssencmode=disable"


@contextmanager
def forwarded(host: str, port: int) -> Iterator[int]:
    """The port, at all addresses, behind which stands what listens on this machine alone."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("0.0.0.0", 0)))

        def carry(one: socket.socket, other: socket.socket) -> None:
            with suppress(OSError):
                while data := one.recv(65_536):
                    other.sendall(data)
            for end in (one, other):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    server = socket.create_connection((host, port))
                    for pair in ((client, server), (server, client)):
                        threading.Thread(target=carry, args=pair, daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
