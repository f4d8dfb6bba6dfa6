"""A memory engine for tests: strict about what it is sent, in the shape of each that there is."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import unquote

Answer = tuple[int, Any]


class Engine:
    """What it keeps, by its own names; what it was asked, in order. `script` are statuses that the
    next requests are answered with instead; `refuses` is a word that no record may have in it."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.keys: list[str | None] = []
        self.secrets: list[str | None] = []
        self.script: list[int] = []
        self.refuses = ""
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._made: set[str] = set()

    def answer(self, method: str, path: str, body: Any) -> Answer:
        with self._lock:
            self.asked.append((method, path, body))
            if self.script and (status := self.script.pop(0)) != 200:
                return status, {"error": "scripted"}
            if self.refuses and self.refuses in json.dumps(body):
                return 422, {"error": "not this"}
            for pattern, answers in _ROUTES:
                if method == pattern[0] and (found := re.fullmatch(pattern[1], path)):
                    said: Answer = answers(self, *map(unquote, found.groups()), body)
                    return said
            return 404, {"error": f"no {method} {path}"}

    def keep(self, text: str, name: str | None = None, **more: Any) -> str:
        name = name or f"m{next(self._numbers)}"
        self.kept[name] = {"text": text, **more}
        return name

    def texts(self) -> list[str]:
        """The last line of each memory, sorted."""
        return sorted(one["text"].splitlines()[-1] for one in self.kept.values())

    def make(self, name: str) -> Answer:
        """Make something once; a second time is a conflict."""
        if name in self._made:
            return 409, {"error": "it is there"}
        self._made.add(name)
        return 201, {"id": name}

    def forget(self, name: str) -> Answer:
        return (204, None) if self.kept.pop(name, None) else (404, {"error": "not there"})


def _headrace(engine: Engine, body: Any) -> Answer:
    for one in body["memories"]:
        assert isinstance(one["version"], int)
        engine.keep(one["text"], one["id"], key=one["key"], space=one["space"])
    return 202, {}


def _mem0(engine: Engine, body: Any) -> Answer:
    assert body["infer"] is False
    [message] = body["messages"]
    name = engine.keep(message["content"], space=body["user_id"])
    return 200, {"results": [{"id": name, "memory": message["content"], "event": "ADD"}]}


def _graphiti(engine: Engine, body: Any) -> Answer:
    for one in body["messages"]:
        assert one["role_type"] in {"user", "assistant", "system"}
        engine.keep(one["content"], space=body["group_id"])
    return 202, {"message": "Messages added to processing queue", "success": True}


def _letta(engine: Engine, agent: str, body: Any) -> Answer:
    name = engine.keep(body["text"], space=agent, tags=body["tags"])
    return 200, [{"id": name, "text": body["text"]}]


def _honcho(engine: Engine, space: str, body: Any) -> Answer:
    found = [
        engine.keep(one["content"], space=space, peer=one["peer_id"]) for one in body["messages"]
    ]
    return 201, [{"id": name} for name in found]


def _zep(engine: Engine, space: str, body: Any) -> Answer:
    assert len(body["messages"]) <= 30
    return 200, {
        "message_uuids": [engine.keep(one["content"], space=space) for one in body["messages"]]
    }


def _supermemory(engine: Engine, body: Any) -> Answer:
    names = [
        engine.keep(one["content"], one["customId"], space=one["containerTag"])
        for one in body["documents"]
    ]
    return 201, [{"id": name, "status": "queued"} for name in names]


def _made(engine: Engine, *parts: Any) -> Answer:
    *where, body = parts
    return engine.make("/".join([*where, *map(str, body.values())]))


def _gone(engine: Engine, *parts: Any) -> Answer:
    return engine.forget(parts[-2])


_ROUTES: list[tuple[tuple[str, str], Any]] = [
    (("POST", r"/headrace/memories"), _headrace),
    (("DELETE", r"/headrace/memories/([^/]+)"), _gone),
    (("POST", r"/mem0/memories"), _mem0),
    (("DELETE", r"/mem0/memories/([^/]+)"), _gone),
    (("POST", r"/graphiti/messages"), _graphiti),
    (("POST", r"/letta/v1/agents/([^/]+)/archival-memory/"), _letta),
    (("DELETE", r"/letta/v1/agents/([^/]+)/archival-memory/([^/]+)"), _gone),
    (("POST", r"/honcho/(v3/workspaces)"), _made),
    (("POST", r"/honcho/v3/workspaces/([^/]+)/peers"), _made),
    (("POST", r"/honcho/v3/workspaces/([^/]+)/sessions"), _made),
    (("POST", r"/honcho/v3/workspaces/([^/]+)/sessions/headrace/messages"), _honcho),
    (("POST", r"/zep/api/v2/(users|threads)"), _made),
    (("POST", r"/zep/api/v2/threads/([^/]+)/messages"), _zep),
    (("DELETE", r"/zep/api/v2/graph/episodes/([^/]+)"), _gone),
    (("POST", r"/supermemory/v3/documents/batch"), _supermemory),
    (("DELETE", r"/supermemory/v3/documents/([^/]+)"), _gone),
]


class Server:
    """The engine on loopback; a context manager. `url` is its address, without a shape's name."""

    def __init__(self) -> None:
        self.engine = engine = Engine()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self._do()

            def do_DELETE(self) -> None:
                self._do()

            def _do(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                engine.keys.append(self.headers.get("Idempotency-Key"))
                engine.secrets.append(
                    self.headers.get("Authorization") or self.headers.get("X-API-Key")
                )
                status, answer = engine.answer(self.command, self.path, body)
                content = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
