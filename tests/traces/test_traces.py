"""Traces as a collector receives them: from the request through the job to the SQL, over two
processes; and that nothing of it is there where nobody wants it."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests import databases
from tests.cli.command import House, made_home

from headrace.errors import BadInput
from headrace.settings import Settings
from headrace.store import connections
from headrace.store.database import Database
from headrace.traces import spans
from headrace.traces.sending import sent
from headrace.traces.sql import cursors
from headrace.twin import run_twin

KEY = "a-key-that-the-operator-chose"
SECRET = "the-canary-of-the-source"


class Collector:
    """A receiver of OTLP over HTTP, and the spans that it was sent."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.raw = b""
        outer = self

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                outer.raw += body
                for of in ExportTraceServiceRequest.FromString(body).resource_spans:
                    for scope in of.scope_spans:
                        outer.spans += scope.spans
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def trace(self, *names: str, seconds: float = 60) -> dict[str, list[Any]]:
        """The spans of the one trace that has all of these names, by name; waits for them."""
        end = time.monotonic() + seconds
        while True:
            for trace in {one.trace_id for one in list(self.spans)}:
                found: dict[str, list[Any]] = {}
                for one in list(self.spans):
                    if one.trace_id == trace:
                        found.setdefault(one.name, []).append(one)
                if set(names) <= set(found):
                    return found
            assert time.monotonic() < end, sorted({one.name for one in self.spans})
            time.sleep(0.05)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


@contextmanager
def _house(cluster: str, template: str, **more: str) -> Iterator[House]:
    with made_home() as home, databases.lent(cluster, template) as url:
        house = House(home, DATABASE_URL=url, HEADRACE_API_KEY=KEY, **more)
        try:
            yield house
        finally:
            house.end()


def _connect(url: str, base: str) -> str:
    database = Database(url).open()
    try:
        with database.transaction() as session:
            row = connections.save(
                session,
                tenant="default",
                user="me",
                provider="rest",
                name="shop",
                trusted=True,
                config={
                    "name": "shop",
                    "base_url": base,
                    "auth": {"header": "X-API-Key", "env": "SHOP_KEY"},
                    "streams": {"events": {"path": "/events", "time": "timestamp"}},
                },
            )
    finally:
        database.close()
    return str(row["connection_id"])


def _post(port: int, path: str, body: Any, **headers: str) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        json.dumps(body).encode(),
        {"X-API-Key": KEY, "Content-Type": "application/json", **headers},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_a_trace_goes_from_the_request_to_the_sql(
    cluster: str, engine_template: str, collector: Collector
) -> None:
    """One trace, which the caller's own goes on in: the request that one process answers, the job
    that another runs, its steps, its stages, and what they said to PostgreSQL. And the lines of
    both logs carry its id, with those of the request, the job, the batch and the tenant."""
    caller, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    more = {"HEADRACE_TRACES_URL": collector.url, "SHOP_KEY": SECRET}
    with (
        run_twin(total=300, api_key=SECRET, cursor_ttl_s=0) as twin,
        _house(cluster, engine_template, **more) as house,
    ):
        connection = _connect(house.environment["DATABASE_URL"], twin)
        api, worker = house.start("api", SERVICE_PORT="0"), house.start("worker")
        port = int(api.says(r"Headrace serves on http://\S+:\d+").rpartition(":")[2])
        made = _post(
            port,
            "/api/jobs",
            {"kind": "rest_sync", "connection": connection},
            traceparent=f"00-{caller}-{parent}-01",
            **{"X-Request-ID": "request-7"},
        )
        found = collector.trace(
            "POST /api/jobs",
            "INSERT headrace.jobs",
            "job rest_sync",
            "step plan",
            "step leg",
            "COPY headrace.raw_events",
            "stage normalize_events",
            "step conclude",
        )
        worker.says('"event": "run"')
        ended = [one.stop() for one in (api, worker)]
    assert {one.trace_id.hex() for each in found.values() for one in each} == {caller}
    parents = {one.span_id: one for each in found.values() for one in each}
    [asked] = found["POST /api/jobs"]
    assert asked.parent_span_id.hex() == parent

    def line(name: str) -> list[str]:
        """From a span up to the first."""
        names, one = [], found[name][0]
        while one is not None:
            names.append(one.name)
            one = parents.get(one.parent_span_id)
        return names

    assert line("COPY headrace.raw_events") == [
        "COPY headrace.raw_events",
        "step leg",
        "job rest_sync",
        "POST /api/jobs",
    ]
    assert line("stage normalize_events")[-1] == "POST /api/jobs"
    told = {one.key: one.value.string_value for one in found["job rest_sync"][0].attributes}
    assert (told["headrace.jobId"], told["headrace.tenantId"]) == (made["job_id"], "default")
    assert SECRET.encode() not in collector.raw
    assert KEY.encode() not in collector.raw

    [run] = [one for one in _lines(ended[1].err) if one["event"] == "run"]
    assert (run["jobId"], run["tenantId"], run["turn"]) == (made["job_id"], "default", 1)
    assert run["traceId"] == caller
    [asked_for] = [one for one in _lines(ended[0].err) if one["event"] == "job_made"]
    assert asked_for["requestId"] == "request-7"
    assert (asked_for["jobId"], asked_for["tenantId"]) == (made["job_id"], "default")
    assert SECRET not in ended[0].err + ended[1].err


def test_a_collector_that_is_away_holds_nothing_up() -> None:
    """Nor does a process that ends wait for it for long."""
    settings = Settings(_env_file=None, headrace_traces_url="http://127.0.0.1:1")
    began = time.monotonic()
    with sent(settings):
        for _ in range(100):
            with spans.span("work"):
                pass
        assert time.monotonic() - began < 5
    assert time.monotonic() - began < 30
    assert not spans.on()


def test_nothing_of_it_is_there_where_nobody_wants_it() -> None:
    """Off by default, and then free: nothing is imported, cursors are psycopg's own."""
    code = (
        "import sys; import headrace.api;"
        " from headrace.settings import Settings; from headrace.traces.sending import sent\n"
        "with sent(Settings(_env_file=None)): print('opentelemetry.sdk.trace' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout == "False\n"
    assert not spans.on()
    assert cursors() == {}
    with spans.span("nothing") as made:
        assert made is None
    assert spans.carrier() is None


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    settings = Settings(_env_file=None, headrace_traces_url="http://127.0.0.1:1")
    with pytest.raises(BadInput, match="not installed") as refused, sent(settings):
        pass
    assert "headrace[otel]" in refused.value.hint


def test_a_span_says_what_failed_and_not_in_whose_words(database: str) -> None:
    """An error's words may have anything in them; its kind says enough."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    spans.use(provider.get_tracer("test"))
    try:
        with (
            psycopg.connect(database, **cursors()) as connection,
            spans.span("outer"),
            pytest.raises(psycopg.errors.InvalidTextRepresentation),
        ):
            connection.execute("SELECT /* why */ %s::int FROM headrace.jobs", ["canary"])
        with psycopg.connect(database, **cursors()) as connection:
            connection.execute("SELECT 1")  # of no trace
    finally:
        spans.use(None)
    statement, outer = kept.get_finished_spans()
    assert (statement.name, outer.name) == ("SELECT headrace.jobs", "outer")
    assert statement.status.description == "InvalidTextRepresentation"
    assert "canary" not in statement.to_json()
