"""A wire to PostgreSQL that loses things: what was committed is committed, and nobody is told.

It passes bytes on as they are, and looks for one word of the protocol: a simple query or a parsed
statement that is COMMIT. The commit travels, the server makes it and answers, and the answer is
thrown away together with the connection.
"""

from __future__ import annotations

import random
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

_COMMIT = b"COMMIT\0"
_CHUNK = 1 << 16


class Wire:
    """Listens on a port of its own and leads to the server of `url`.

    `loses` is asked at every COMMIT, with everything the connection has sent since the one before,
    whether its answer is to be lost; never while it is not `armed`.
    """

    def __init__(self, url: str, loses: Callable[[bytearray], bool], port: int = 0) -> None:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self._server = f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}"
        self._loses = loses
        self._listening = socket.create_server(("127.0.0.1", port))
        port = self._listening.getsockname()[1]
        self.url = parts._replace(
            netloc=f"postgres@127.0.0.1:{port}", query="sslmode=disable&gssencmode=disable"
        ).geturl()
        self.lost = 0
        self.armed = True
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            server.connect(self._server)
            said = bytearray()
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(_CHUNK)
                    if not data:
                        return
                    (server if ready is client else client).sendall(data)
                    if ready is server:
                        continue
                    said += data
                    if _COMMIT in data:
                        if self.armed and self._loses(said):
                            server.recv(_CHUNK)  # it is made: the server says so
                            self.lost += 1
                            return
                        said.clear()


def at_random(share: float, seed: int) -> Callable[[bytearray], bool]:
    """Lose this share of all answers to COMMIT, whoever asked for it."""
    draw = random.Random(seed)
    return lambda said: draw.random() < share


def of_landings(times: int) -> Callable[[bytearray], bool]:
    """Lose the answers to the first landings: commits of what was copied."""
    left = [times]

    def loses(said: bytearray) -> bool:
        if left[0] and b"COPY headrace.raw_events" in said:
            left[0] -= 1
            return True
        return False

    return loses
