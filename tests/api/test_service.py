"""The service as it is run: a real server, real HTTP, a database that comes and goes."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import httpx2
import psycopg
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from tests import databases

from headrace.api import create_app, listen
from headrace.settings import Settings

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem

KEY = "the operator's own key, chosen"


@contextmanager
def served(app: FastAPI) -> Iterator[httpx2.Client]:
    """A client of the application, behind a server on a port of its own."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        listening: socket.socket = server.servers[0].sockets[0]
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with httpx2.Client(base_url=base, headers={"X-API-Key": KEY}, timeout=20) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def empty(cluster: str) -> Iterator[str]:
    """URL of a database in which Headrace has never been."""
    with databases.lent(cluster) as url:
        yield url


def test_it_starts_from_nothing_but_a_url(empty: str) -> None:
    """Covers A2.9, A2.15, A4.13: it migrates, takes the operator's key, and answers."""
    settings = Settings(_env_file=None, database_url=empty, headrace_api_key=SecretStr(KEY))
    with served(create_app(settings=settings)) as client:
        assert client.get("/ready").json()["status"] == "ready"
        assert client.get("/api/jobs").json() == {"items": [], "next": None}
        assert client.get("/api/jobs", headers={"X-API-Key": "another"}).status_code == 401


def test_a_first_key_is_shown_once(empty: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(_env_file=None, database_url=empty)
    with served(create_app(settings=settings)) as client:
        [key] = re.findall(r"API key, shown this once: (hr_\S+)", capsys.readouterr().err)
        assert client.get("/api/jobs", headers={"X-API-Key": key}).status_code == 200
    with served(create_app(settings=settings)):
        assert "hr_" not in capsys.readouterr().err


def test_it_is_not_ready_on_another_schema(house: House, problem: Problem) -> None:
    house.execute("UPDATE headrace.alembic_version SET version_num = '0000'")
    with served(create_app(house.store)) as client:
        assert "0000" not in problem(client.get("/ready"), 503)["detail"]
        assert client.get("/health").status_code == 200


@pytest.mark.parametrize(("oldest", "status"), [("0001", 200), ("9999", 503)])
def test_it_goes_on_beside_a_newer_version_that_allows_it(
    house: House, oldest: str, status: int
) -> None:
    """In an upgrade without a pause the old processes serve on; as long as `prepare` would."""
    house.execute("UPDATE headrace.alembic_version SET version_num = '9999'")
    stamp = f"headrace 9.9.9, schema 9999_next, dbos 9.9.9, from {oldest} on"
    with served(create_app(house.store)) as client:
        house.execute(f"COMMENT ON SCHEMA headrace IS '{stamp}'")
        assert client.get("/ready").status_code == status


def test_a_database_that_is_gone(empty: str, problem: Problem, cluster: str) -> None:
    """It says so within seconds, and the process stays up."""
    settings = Settings(_env_file=None, database_url=empty, headrace_api_key=SecretStr(KEY))
    name = urlsplit(empty).path[1:]
    with served(create_app(settings=settings)) as client:
        with psycopg.connect(cluster, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        began = time.monotonic()
        for path in ("/ready", "/api/jobs"):
            answer = client.get(path)
            assert name not in str(problem(answer, 503))
            assert answer.headers["retry-after"] == "2"
        assert time.monotonic() - began < 6
        assert client.get("/health").status_code == 200


def test_ids_travel_whole(house: House) -> None:
    """What a source calls its records is not for us to choose."""
    stream = house.stream(house.connection())
    key = {"X-API-Key": house.key()}
    with served(create_app(house.store)) as client:
        for source_id in ("<a/b?c#d%20e@example.org>", "../../etc", "ü&=;,", "a//b", "%00", "."):
            house.mail(stream, source_id)
            at = f"/api/interactions/{stream}/{quote(source_id, safe='').replace('.', '%2E')}"
            assert client.get(at, headers=key).json()["source_id"] == source_id


def test_an_answer_waits_for_nobody() -> None:
    """Covers A3.54: its second half is not held back until the caller has acknowledged the first,
    which takes 40 ms."""
    with (
        listen(Settings(_env_file=None, service_port=0)) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_many_ask_at_once(house: House) -> None:
    """Covers A3.54: every answer well within two seconds, one job for all who ask for it."""
    house.connection()
    headers = {"X-API-Key": house.key()}
    body = {"kind": "rest_sync", "connection": "shop"}
    with served(create_app(house.store)) as client, ThreadPoolExecutor(16) as pool:

        def ask(n: int) -> tuple[float, str]:
            began = time.monotonic()
            if n % 2:
                answer = client.post("/api/jobs", json=body, headers=headers)
                return time.monotonic() - began, answer.json()["job_id"]
            assert client.get("/api/jobs", headers=headers).status_code == 200
            return time.monotonic() - began, ""

        answers = list(pool.map(ask, range(200)))
    assert max(took for took, _ in answers) < 2
    assert len({job for _, job in answers if job}) == 1
    assert len(house.execute("SELECT 1 FROM dbos.workflow_status")) == 1
