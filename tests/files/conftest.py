"""Folders, a memory of what has landed, and the real engine with an embedder that costs nothing."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from headrace.engine import intake, jobs
from headrace.engine.runtime import engine
from headrace.files.config import DocumentsConfig
from headrace.files.local import LocalFiles
from headrace.files.pattern import Selection
from headrace.files.place import Place
from headrace.files.walk import Walk
from headrace.provider import BadRecord, Page, Record
from headrace.settings import Settings
from headrace.store.database import Database

OLD = 1_700_000_000
"""A time long gone: a file written a moment ago is waited for."""


def put(path: Path, content: str | bytes, at: float = OLD) -> Path:
    """A file, written at some time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (at, at))
    return path


def local(root: Path, pattern: str | None = None, exclude: tuple[str, ...] = ()) -> LocalFiles:
    """A place on this machine, with two kinds of documents."""
    return LocalFiles(root, Selection(pattern, frozenset({".txt", ".md"}), exclude))


def ids(place: Place, after: str = "") -> list[str]:
    """What is there."""
    return [one.id for one in place.items(after)]


@dataclass
class Run:
    """What one walk gave."""

    records: list[Record] = field(default_factory=list)
    bad: list[BadRecord] = field(default_factory=list)
    unchanged: int = 0
    pages: list[Page] = field(default_factory=list)

    @property
    def new(self) -> list[str]:
        return [one.source_id for one in self.records if not one.gone]

    @property
    def gone(self) -> list[str]:
        return [one.source_id for one in self.records if one.gone]


class Memory:
    """What has landed, as the database keeps it."""

    def __init__(self) -> None:
        self.marks: dict[str, str] = {}

    async def known(self, stream: str, after: str, limit: int) -> list[tuple[str, str]]:
        return sorted(one for one in self.marks.items() if one[0] > after)[:limit]

    def land(self, page: Page) -> None:
        for one in page.records:
            if one.gone:
                self.marks.pop(one.source_id, None)
            elif one.mark is not None:
                self.marks[one.source_id] = one.mark

    async def run(self, place: Place, *, legs: bool = False) -> Run:
        """Walk to the end; with `legs`, by a new walk for each page."""
        run, cursor, more = Run(), None, True
        walk = Walk(place, "s", self.known)
        while more:
            if legs:
                walk = Walk(place, "s", self.known)
            page = await walk.page(cursor)
            cursor, more = page.cursor, page.more
            self.land(page)
            run.pages.append(page)
            run.records += page.records
            run.bad += page.bad
            run.unchanged += page.unchanged
        return run


@pytest.fixture
def memory() -> Memory:
    return Memory()


@dataclass
class Web:
    """A real server whose answers a test writes: path to (status, headers, body)."""

    url: str = ""
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    embedded: list[str] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, as one does that has seen enough, is no news."""


@pytest.fixture
def web() -> Iterator[Web]:
    """Answers GET as told, 304 where a condition holds; and POST as an embedder does."""
    site = Web()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            site.asked.append((self.path, headers))
            status, more, body = site.pages.get(self.path.partition("?")[0], (404, {}, b""))
            tag, time_ = more.get("ETag"), more.get("Last-Modified")
            if status == 200 and (
                (tag and headers.get("if-none-match") == tag)
                or (time_ and headers.get("if-modified-since") == time_)
            ):
                status, body = 304, b""
            self.answer(status, more, body)

        def do_POST(self) -> None:
            texts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
            site.embedded.extend(texts)
            data = [
                {"index": at, "embedding": [1.0, float(len(text)), 0.0, 0.0]}
                for at, text in enumerate(texts)
            ]
            body = json.dumps({"data": data}).encode()
            self.answer(200, {"Content-Type": "application/json"}, body)

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Says nothing."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield site
        server.shutdown()
        thread.join()


@pytest.fixture
def url(engine_database: str) -> str:
    """URL of a database of the test's own."""
    return engine_database


class Shelf:
    """Jobs over documents, run by the real engine."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings

    def ingest(self, config: dict[str, Any], *, trusted: bool = True) -> dict[str, Any]:
        """Run a job to its end: its row."""
        bare, secret = DocumentsConfig.model_validate(
            {"embedder": {"provider": "openai", "model": "stub"}, **config}
        ).without_key()
        wanted = intake.documents(bare)
        wanted.secret = secret
        with self.database.transaction() as session:
            connection = intake.connect(
                session, "acme", "ann", wanted, self.settings, trusted=trusted
            )
            row, _ = jobs.submit(
                session,
                tenant="acme",
                user="ann",
                kind="documents_ingest",
                connection_id=connection["connection_id"],
            )
        end = time.monotonic() + 60
        while True:
            [job] = self.rows("SELECT * FROM headrace.jobs WHERE job_id = %s", row["job_id"])
            if job["status"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
                return job
            assert time.monotonic() < end, job
            time.sleep(0.02)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with self.database.connection() as session:
            return session.execute(query.encode(), values).fetchall()

    def shown(self) -> dict[str, str]:
        """What a search can show: the text under each path."""
        rows = self.rows(
            "SELECT d.source_id, string_agg(k.body, ' ' ORDER BY k.position) AS body"
            " FROM headrace.documents d JOIN headrace.chunks k ON k.stream_id = d.stream_id"
            " AND k.content_hash = d.indexed_hash WHERE k.embedding IS NOT NULL"
            " GROUP BY d.source_id"
        )
        return {row["source_id"]: row["body"] for row in rows}

    def letters(self) -> dict[str, str]:
        """Dead letters: the reason of each."""
        rows = self.rows("SELECT source_id, reason FROM headrace.dead_letters")
        return {row["source_id"]: row["reason"] for row in rows}


@pytest.fixture
def shelf(url: str, web: Web, tmp_path: Path) -> Iterator[Shelf]:
    """See `Shelf`; the embedder is the server `web`."""
    home = tmp_path / "home"
    home.mkdir()
    settings = Settings(_env_file=None, headrace_home=home, headrace_embedding_url=f"{web.url}/v1")
    with engine(url, settings) as database:
        yield Shelf(database, settings)
