"""A stand-in for a Qdrant: its HTTP API on loopback, answered by the engine that qdrant-client has
for tests. What it is sent must be what Qdrant's own models allow, and as strict as Qdrant's cloud
it filters by nothing that has no index."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from qdrant_client import QdrantClient, models

Said = tuple[int, Any]

warnings.filterwarnings("ignore", message="Payload indexes have no effect")


class Twin:
    """Its collections outlive its being down. `key` is what it wants as api-key, `asked` what it
    was asked, `answer` what it answers instead, if that is set: status, headers, body. `during`
    is called while points are put."""

    def __init__(self) -> None:
        self.key: str | None = None
        self.asked: list[str] = []
        self.keys: set[str | None] = set()
        self.puts: list[list[str]] = []
        self.answer: tuple[int, dict[str, str], bytes] | None = None
        self.during: Callable[[], None] = lambda: None
        self.indexed: dict[str, dict[str, Any]] = {}
        self._local = QdrantClient(":memory:", force_disable_check_same_thread=True)
        self._one_at_a_time = threading.Lock()
        self._port = 0
        self.up()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def up(self) -> None:
        """Listen, where it has listened before."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))
        self._server.daemon_threads = True
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def down(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def lose(self) -> None:
        """Forget everything."""
        for one in self.names():
            self._local.delete_collection(one)
        self.indexed.clear()

    def names(self) -> list[str]:
        return [one.name for one in self._local.get_collections().collections]

    def points(self) -> list[dict[str, Any]]:
        """What is kept with every point there is."""
        found = []
        for one in self.names():
            some, _ = self._local.scroll(one, limit=10_000)
            found += [point.payload or {} for point in some]
        return found

    def respond(self, method: str, path: str, body: bytes) -> Said:
        """Answer one request."""
        with self._one_at_a_time:
            match [method, *path.partition("?")[0].strip("/").split("/")[1:]]:
                case ["PUT", name]:
                    return self._create(name, models.CreateCollection.model_validate_json(body))
                case [_, name, *_] if name not in self.names():
                    return 404, f"Not found: Collection `{name}` doesn't exist!"
                case ["GET", name]:
                    info = self._local.get_collection(name).model_dump(mode="json")
                    return 200, {**info, "payload_schema": self.indexed.get(name, {})}
                case ["PUT", name, "index"]:
                    made = models.CreateFieldIndex.model_validate_json(body)
                    kind = made.field_schema
                    type_ = kind.type.value if hasattr(kind, "type") else kind.value  # type: ignore[union-attr]
                    params = kind.model_dump(mode="json") if hasattr(kind, "type") else None  # type: ignore[union-attr]
                    schema = {"data_type": type_, "params": params, "points": 0}
                    self.indexed.setdefault(name, {})[made.field_name] = schema
                    return 200, {"operation_id": 0, "status": "completed"}
                case ["PUT", name, "points"]:
                    points = models.PointsList.model_validate_json(body).points
                    self.puts.append([str(one.id) for one in points])
                    self.during()
                    return 200, self._local.upsert(name, points).model_dump(mode="json")
                case ["POST", name, "points", "delete"]:
                    ids = models.PointIdsList.model_validate_json(body)
                    return 200, self._local.delete(name, ids).model_dump(mode="json")
                case ["POST", name, "points", "count"]:
                    wanted = models.CountRequest.model_validate_json(body)
                    self._strict(name, wanted.filter)
                    found = self._local.count(name, wanted.filter, exact=bool(wanted.exact))
                    return 200, found.model_dump(mode="json")
                case ["POST", name, "points", "query"]:
                    asked = models.QueryRequest.model_validate_json(body)
                    self._strict(name, asked.filter)
                    answer = self._local.query_points(
                        name,
                        query=asked.query,
                        query_filter=asked.filter,
                        limit=asked.limit or 10,
                        with_payload=asked.with_payload or False,
                    )
                    return 200, answer.model_dump(mode="json")
        return 404, "not here"

    def _create(self, name: str, wanted: models.CreateCollection) -> Said:
        if name in self.names():
            return 409, f"Wrong input: Collection `{name}` already exists!"
        return 200, self._local.create_collection(name, wanted.vectors)

    def _strict(self, name: str, filter_: models.Filter | None) -> None:
        assert filter_ is not None
        conditions: Any = filter_.must
        assert "tenant" in {one.key for one in conditions}
        assert {one.key for one in conditions} <= self.indexed.get(name, {}).keys()


def _handler(twin: Twin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            twin.asked.append(f"{self.command} {self.path}")
            twin.keys.add(self.headers["api-key"])
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if twin.answer is not None:
                self._send(*twin.answer)
                return
            if self.headers["api-key"] != twin.key:
                said = f"Invalid API key or JWT {self.headers['api-key']}"
                self._say(401, said)
                return
            try:
                self._say(*twin.respond(self.command, self.path, body))
            except (ValueError, AssertionError) as error:
                self._say(400, f"Wrong input: {error}")

        do_GET = do_PUT = do_POST = _do  # noqa: N815

        def _say(self, status: int, said: Any) -> None:
            answer = {"status": "ok", "result": said}
            if status != 200:
                answer = {"status": {"error": said}}
            body = json.dumps({**answer, "time": 0.001}).encode()
            self._send(status, {"Content-Type": "application/json"}, body)

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Says nothing."""

    return Handler
