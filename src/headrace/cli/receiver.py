"""Where the browser comes back to after a consent: one request, on this machine alone."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from headrace.errors import BadInput

_PAGE = (
    b'<!doctype html><html lang="en"><meta charset="utf-8"><title>Headrace</title>'
    b"<p>Headrace has it. You can close this window, and go on in the terminal.</p></html>"
)

Wait = Callable[[float], dict[str, str]]


@contextmanager
def receive() -> Iterator[tuple[str, Wait]]:
    """Listen on a free port of 127.0.0.1. Yields the address, and what waits so many seconds for
    the parameters that a browser brings there; it raises BadInput when none comes."""
    came: queue.Queue[dict[str, str]] = queue.Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            known = "state" in query
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            if known:
                self.wfile.write(_PAGE)
                came.put({name: values[0] for name, values in query.items()})

        def log_message(self, *_: Any) -> None:
            """Nothing: the address has the code in it."""

    def wait(seconds: float) -> dict[str, str]:
        try:
            return came.get(timeout=seconds)
        except queue.Empty:
            raise BadInput(
                "Nobody came back from the consent page.",
                hint="Connect again; on a machine without a browser use --paste.",
            ) from None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", wait
    finally:
        server.shutdown()
        server.server_close()
