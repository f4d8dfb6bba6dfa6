"""A real endpoint on loopback: it checks every signature, and answers what a test wants."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from standardwebhooks import Webhook

PATIENCE = 60.0


class Got(NamedTuple):
    """One request."""

    id: str
    event: str
    data: dict[str, Any]
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Keeps what it was sent. `answers` gives a status for a request; None: it hangs."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.secrets: list[str] = []
        self.answers: Callable[[Got], int | None] = lambda _: 200
        self.unsigned = 0
        self.headers: dict[str, str] = {}
        self.over = threading.Event()
        self._news = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(dict(self.headers.items()), body)
                if status is None:
                    receiver.over.wait(PATIENCE)
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                text = b"" if status == 204 else b"heard"
                if text:
                    self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks"

    def take(self, headers: dict[str, str], body: bytes) -> int | None:
        for secret in self.secrets:
            Webhook(secret).verify(body, headers)  # raises, and the connection breaks
        told = json.loads(body)
        lower = {name.lower(): value for name, value in headers.items()}
        got = Got(lower["webhook-id"], told["type"], told["data"], lower, body)
        with self._news:
            self.got.append(got)
            self._news.notify_all()
        return self.answers(got)

    def until(self, ready: Callable[[list[Got]], Any], seconds: float = PATIENCE) -> list[Got]:
        """Wait until what was sent is so."""
        end = time.monotonic() + seconds
        with self._news:
            while not ready(self.got):
                left = end - time.monotonic()
                assert left > 0, [(one.id, one.event) for one in self.got]
                self._news.wait(left)
            return list(self.got)

    @contextmanager
    def serving(self) -> Iterator[Receiver]:
        thread = threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.over.set()
            self._server.shutdown()
            self._server.server_close()
