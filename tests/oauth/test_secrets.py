"""Where tokens are not: the whole database, every log line and every answer are searched."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import Request as Ask

import pytest
from psycopg.sql import SQL, Identifier
from starlette.testclient import TestClient
from tests.accounts import TENANT, USER, VAULT, submit
from tests.crash.processes import Commands
from tests.heard import heard
from tests.oauth.world import SCOPES, World, staying

from headrace import telemetry
from headrace.api import create_app
from headrace.store import connections, keys
from headrace.store.database import Database
from headrace.twin.message import Request

_SECRET = ("code", "code_verifier", "client_secret", "refresh_token")


class Spy:
    """Everything secret that the twin is sent, as it comes."""

    def __init__(self, world: World) -> None:
        self.found: set[str] = {"GOCSPX-twin"}
        world.before = self.look

    def look(self, request: Request) -> None:
        """Note a request's secrets."""
        form = dict(parse_qsl(request.body.decode("latin-1"))) if request.path == "/token" else {}
        self.found |= {form[name] for name in _SECRET if name in form}
        if token := request.headers.get("authorization", "").partition(" ")[2]:
            self.found.add(token)

    def seen_in(self, text: str) -> list[str]:
        """Those that a text holds: as they are, and as bytes are written."""
        return [one for one in self.found if any(form in text for form in _forms(one))]


def _forms(secret: str) -> list[str]:
    raw = secret.encode()
    return [secret, raw.hex(), base64.b64encode(raw).decode().rstrip("=")[:-1]]


def dump(database: Database) -> str:
    """Every row of every table, ours and the engine's, as text."""
    with database.connection() as session:
        tables = session.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('headrace', 'dbos')"
        ).fetchall()
        assert {row["schemaname"] for row in tables} == {"headrace", "dbos"}
        lines = []
        for row in tables:
            table = Identifier(row["schemaname"], row["tablename"])
            found = session.execute(SQL("SELECT t::text AS line FROM {} t").format(table))
            lines += [f"{row['tablename']}: {one['line']}" for one in found]
    return "\n".join(lines)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What this process logs, with everything that it would ever say."""
    with heard("DEBUG") as lines:
        yield lines
    telemetry.configure()


@pytest.fixture
def commands(engine_database: str, tmp_path: Path) -> Iterator[Commands]:
    """Workers on the test's database, killed at its end."""
    made = Commands(tmp_path, engine_database)
    yield made
    made.end()


def until(ready: Callable[[], Any], seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def ended(world: World, job: str) -> str:
    """How a job has ended, "" while it has not."""
    [row] = world.rows("SELECT status, completed_at FROM headrace.jobs WHERE job_id = %s", job)
    return str(row["status"]) if row["completed_at"] else ""


def test_a_consent_s_secrets_are_nowhere(
    world: World, commands: Commands, log: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    """Covers O9, Logs: connected, synced, refused once, refreshed, and revoked by an issuer that
    quotes what it was sent; neither tokens nor code, verifier, state or client secret are
    anywhere."""
    spy = Spy(world)
    answers = []
    with world.database.transaction() as session:
        key = keys.issue(session, TENANT, USER, "test", None)
    worker = commands.start("worker", **world.environment(), LOG_LEVEL="DEBUG")
    app = create_app(world.database, world.settings)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        client.headers["X-API-Key"] = key

        def ask(method: str, path: str, **more: Any) -> Any:
            answer = client.request(method, path, **more)
            answers.append(answer.text)
            return answer.json() if "json" in answer.headers["content-type"] else answer

        address = client.post("/api/connections/connect", json={"providers": ["gmail"]}).json()
        said = dict(parse_qsl(urlsplit(staying(Ask(address["url"]))).query))
        spy.found.add(said["state"])
        ask("GET", "/connections/callback", params=said | {"code": said["code"] + "x"})
        address = client.post("/api/connections/connect", json={"providers": ["gmail"]}).json()
        said = dict(parse_qsl(urlsplit(staying(Ask(address["url"]))).query))
        spy.found.add(said["state"])
        ask("GET", "/connections/callback", params=said)
        ask("GET", "/connections/callback", params=said)
        until(lambda: [one for one in ask("GET", "/api/jobs")["items"] if one["completed_at"]])
        [row] = world.rows("SELECT * FROM headrace.connections")
        on = {"call": "getProfile", "request": 1}
        world.wrong({"on": on, "do": {"kind": "answer", "status": 401}})
        [job] = ask("POST", "/api/gmail/sync")["jobs"]
        until(lambda: ended(world, job["job_id"]))
        assert ended(world, job["job_id"]) == "SUCCEEDED"
        quoted = f"The token {world.kept(row).refresh} of GOCSPX-twin was withdrawn."
        world.ask("/admin/revoke", {"cause": quoted})
        world.lasts(row, 0)
        [job] = ask("POST", "/api/gmail/sync")["jobs"]
        until(lambda: ended(world, job["job_id"]))
        assert ended(world, job["job_id"]) == "FAILED"
        ask("GET", f"/api/jobs/{job['job_id']}")
        [told] = ask("GET", "/api/connections")["items"]
        assert told["health"] == "needs_reauth"
        assert "was withdrawn" in told["health_reason"]
    # The client's secret; two codes and three made of one; their verifiers; refresh and access.
    assert len(spy.found) >= 10
    out = capfd.readouterr()
    for text in (dump(world.database), worker.said, log.getvalue(), *answers, *out):
        assert spy.seen_in(text) == []
    # What is looked for would be found: these are there.
    assert "ada@example.com" in dump(world.database)
    assert "workflow_status: " in dump(world.database)
    assert "was withdrawn" in worker.said


def test_a_key_of_one_s_own_is_nowhere(world: World, commands: Commands) -> None:
    """Covers O9, Logs: an account that is opened by a key, which is good and then is not."""
    spy = Spy(world)
    said = world.ask("/admin/grant", {"scopes": SCOPES["gmail"]})
    pat = said["access_token"]
    with world.database.transaction() as session:
        row = connections.save(
            session, tenant=TENANT, user=USER, provider="gmail", name="mail", config={}
        )
        sealed = VAULT.seal(pat, tenant=TENANT, connection=row["connection_id"])
        connections.seal(session, row["connection_id"], sealed)
    worker = commands.start("worker", **world.environment(), LOG_LEVEL="DEBUG")
    job = submit(world.database, row)
    until(lambda: ended(world, job))
    assert ended(world, job) == "SUCCEEDED"
    error = {"error": {"code": 401, "message": f"{pat} is not known here"}}
    everything = {"kind": "answer", "status": 401, "json": error}
    world.wrong({"on": {"call": ["getProfile", "history.list"]}, "do": everything})
    job = submit(world.database, row)
    until(lambda: ended(world, job))
    assert world.health() == {"mail": "needs_reauth"}
    assert pat in spy.found
    text = dump(world.database) + worker.said
    assert "is not known here" in text
    assert spy.seen_in(text) == []
