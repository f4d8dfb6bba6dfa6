"""The API of seed 004 to the letter: what is sent, what is answered, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient
from tests.ingestion.conftest import Desk, Rows, open_desk

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
JOB_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
METADATA = {
    "tenant_id": "default",
    "execution_id": "exec-456",
    "step_id": "ingestion-step",
    "callback_topic": "wf:exec-456:ingestion-step:ingestion_done",
}
PATH = "/ingestion/jobs"


def ask(client: TestClient, config: dict[str, Any], key: str | None = None, **more: Any) -> Any:
    """POST a job; its answer."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(PATH, json={"config": config, **more}, headers=headers)


def refused(answer: Any, status: int, detail: str, hint: str) -> None:
    """Fails unless it is a problem of this status that says this."""
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert re.search(detail, told["detail"]), told
    assert re.search(hint, told["hint"]), told


def test_a_job_is_asked_for(client: TestClient, documents: Path, rows: Rows) -> None:
    """Covers A4.3, A4.4, A4.9: exactly the request and the answer of the seed; nothing is run."""
    answer = ask(client, {"input": [str(documents)]}, metadata=METADATA)
    assert answer.status_code == 202
    told = answer.json()
    assert set(told) == {"job_id", "status", "created_at"}
    assert JOB_ID.fullmatch(told["job_id"])
    assert told["status"] == "PENDING"
    assert MOMENT.fullmatch(told["created_at"])
    [queued] = rows("SELECT workflow_uuid, status FROM dbos.workflow_status")
    assert queued == {"workflow_uuid": told["job_id"], "status": "ENQUEUED"}
    [job] = rows("SELECT payload -> 'metadata' AS metadata FROM headrace.jobs")
    assert job["metadata"] == {**METADATA, "dbos_workflow_id": "exec-456"}


def test_a_job_that_waits_is_looked_at(client: TestClient, documents: Path) -> None:
    """Covers A4.5: what says nothing yet is left out."""
    made = ask(client, {"input": [str(documents)]}).json()
    answer = client.get(f"{PATH}/{made['job_id']}")
    assert answer.status_code == 200
    assert answer.json() == made


def test_the_same_key_is_the_same_job(client: TestClient, documents: Path, rows: Rows) -> None:
    """Covers A4.4: a request made twice makes one job, also when that is over."""
    config = {"input": [str(documents)]}
    first = ask(client, config, "once", metadata=METADATA).json()
    assert ask(client, config, "once", metadata=METADATA).json() == first
    client.post(f"{PATH}/{first['job_id']}/cancel")
    again = ask(client, config, "once", metadata=METADATA)
    assert again.status_code == 202
    assert again.json() == {**first, "status": "CANCELLED"}
    assert len(rows("SELECT FROM headrace.jobs")) == 1


def test_the_same_key_with_another_body_is_refused(
    client: TestClient, documents: Path, rows: Rows
) -> None:
    """Covers A4.4: neither the old job nor a new one would be what was asked for. The connection
    stays as the first request made it."""
    plain = {"input": [str(documents)]}
    first = ask(client, plain, "once", metadata=METADATA).json()
    before = rows("SELECT config FROM headrace.connections")
    for config, metadata, other in (
        ({"chunker": {"chunk_size": 500}}, {}, "config"),
        ({"exclude": ["*.txt"]}, {}, "config"),
        ({}, {"step_id": "another"}, "metadata"),
    ):
        body = {**plain, **config}
        answer = ask(client, body, "once", metadata={**METADATA, **metadata})
        refused(answer, 409, f"{first['job_id']}, of another {other}", "Use a new key")
    assert rows("SELECT config FROM headrace.connections") == before


def test_two_callers_share_the_job_of_one_input(client: TestClient, documents: Path) -> None:
    """Covers A4.1: the same documents are read once for two executions that ask at one time."""
    config = {"input": [str(documents)]}
    first = ask(client, config, "one", metadata=METADATA).json()
    second = ask(client, config, "two", metadata={**METADATA, "execution_id": "exec-457"})
    assert second.json() == first


def test_an_input_at_work_is_not_made_something_else_of(
    client: TestClient, documents: Path, rows: Rows
) -> None:
    """Covers A4.1: the job under way keeps its config; the other caller asks again."""
    config = {"input": [str(documents)]}
    ask(client, config)
    before = rows("SELECT config FROM headrace.connections")
    answer = ask(client, {**config, "chunker": {"chunk_size": 300}})
    refused(answer, 503, "at work on this input, by another config", "Ask again")
    assert int(answer.headers["Retry-After"]) > 0
    assert rows("SELECT config FROM headrace.connections") == before


def test_a_key_that_nobody_knows_is_refused(client: TestClient, documents: Path) -> None:
    """Covers A4.3: a misspelt key would be a setting that is silently not there."""
    for config, field, near in (
        ({"inptu": ["x"]}, "body.config", "input"),
        ({"chunker": {"chunk_sise": 5}}, "body.config.chunker", "chunk_size"),
        ({"embedder": {"modell": "m"}}, "body.config.embedder", "model"),
    ):
        answer = ask(client, {"input": [str(documents)], **config})
        refused(answer, 422, f"{re.escape(field)}: .* did you mean {near}", "")


def test_a_config_that_cannot_be_used_is_refused(client: TestClient) -> None:
    """Covers A4.3: at once, and with a sentence; not by a job that fails."""
    configs: list[Any] = [
        {},
        {"input": []},
        {"input": [""]},
        {"input": ["a\0b"]},
        {"input": "x", "mode": "ftp"},
        {"input": "x", "chunker": {"chunk_size": 100, "chunk_overlap": 100}},
        {"input": "x", "vector_db": {"vector_db": "pinecone"}},
        [],
        None,
    ]
    for config in configs:
        answer = ask(client, config)
        assert answer.status_code == 422, answer.text
        assert answer.json()["detail"]


def test_the_originals_spellings_are_taken(client: TestClient, documents: Path, rows: Rows) -> None:
    """Covers A4.3: `parser.input_directory`, one input alone, a vector_db by its name."""
    asked = ask(client, {"parser": {"input_directory": str(documents)}, "vector_db": "pgvector"})
    assert asked.status_code == 202
    [made] = rows("SELECT config FROM headrace.connections")
    assert made["config"] == {"input": [str(documents)]}


def test_no_folder_is_open_until_the_operator_says_so(url: str, documents: Path) -> None:
    """Covers A4.3: a key of the API is no right to read the server's disk."""
    with open_desk(url) as desk:
        answer = ask(desk.client(), {"input": [str(documents)]})
        refused(answer, 422, "not in a folder that may be named", "HEADRACE_DOCUMENT_ROOTS")


def test_only_what_lies_in_an_open_folder_may_be_named(
    client: TestClient, documents: Path, tmp_path: Path
) -> None:
    """Covers A4.3: nor what a name climbs to, or a link leads to."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (documents / "link").symlink_to(outside)
    (documents / "sub").mkdir()
    for named in (outside, documents / "link", documents / ".." / "outside", "/", "*.md", "~"):
        refused(ask(client, {"input": [str(named)]}), 422, "may be named", "HEADRACE_DOCUMENT")
    for named in ("", "tea.md", "*.md", "sub", "sub/../tea.md"):
        asked = ask(client, {"input": [f"{documents}/{named}"]})
        assert asked.status_code == 202, asked.text


def test_a_tenants_key_serves_that_tenant_alone(desk: Desk, documents: Path, rows: Rows) -> None:
    """Covers A4.8: whether there is another tenant or not, the answer is the same."""
    config = {"input": [str(documents)]}
    acme = desk.client("acme")
    other = ask(acme, config, metadata={"tenant_id": "globex"})
    refused(other, 404, "no tenant 'globex'", "metadata.tenant_id")
    assert rows("SELECT FROM headrace.connections") == []
    own = ask(acme, config, metadata={"tenant_id": "acme"})
    assert own.status_code == 202
    place = f"{PATH}/{own.json()['job_id']}"
    globex = desk.client("globex")
    for answer in (
        globex.get(place),
        globex.post(f"{place}/cancel"),
        globex.post(f"{place}/retry"),
    ):
        refused(answer, 404, "no ingestion job", "lists them")
    assert globex.get(PATH).json() == {"items": []}
    refused(globex.get(PATH, params={"tenant_id": "acme"}), 404, "no tenant", "key of that tenant")


def test_the_installations_own_key_acts_for_any_tenant(
    desk: Desk, client: TestClient, documents: Path, rows: Rows
) -> None:
    """Covers A4.8: a service for many tenants calls with one key, and rows carry the tenant."""
    made = ask(client, {"input": [str(documents)]}, metadata={"tenant_id": "org-123"})
    assert made.status_code == 202
    place = f"{PATH}/{made.json()['job_id']}"
    assert client.get(place).json()["status"] == "PENDING"
    assert client.get(PATH).json()["items"] == []
    [listed] = client.get(PATH, params={"tenant_id": "org-123"}).json()["items"]
    assert listed == desk.client("org-123").get(place).json()
    for table in ("jobs", "connections"):
        [row] = rows(f"SELECT tenant_id FROM headrace.{table}")
        assert row["tenant_id"] == "org-123"
    assert client.post(f"{place}/cancel").json()["status"] == "CANCELLED"


def test_jobs_are_listed_by_status_and_page(client: TestClient, documents: Path) -> None:
    """Covers A4.1: newest first, every job once."""
    made = [
        ask(client, {"input": [f"{documents}/{name}"]}).json()["job_id"]
        for name in ("tea.md", "coffee.txt", "page.html")
    ]
    client.post(f"{PATH}/{made[0]}/cancel")
    found: list[str] = []
    cursor = None
    while cursor or not found:
        page = client.get(PATH, params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += [job["job_id"] for job in page["items"]]
        cursor = page.get("next")
    assert found == made[::-1]
    waiting = client.get(PATH, params={"status": "PENDING"}).json()["items"]
    assert [job["job_id"] for job in waiting] == made[:0:-1]
    refused(client.get(PATH, params={"state": "PENDING"}), 422, "no such field", "status")
    assert client.get(PATH, params={"status": "WAITING"}).status_code == 422


def test_a_job_is_cancelled_once_and_retried(client: TestClient, documents: Path) -> None:
    """Covers A4.1: and neither where there is nothing to cancel or to retry."""
    made = ask(client, {"input": [str(documents)]}).json()
    place = f"{PATH}/{made['job_id']}"
    refused(client.post(f"{place}/retry"), 409, "cannot be retried", "failed or cancelled")
    cancelled = client.post(f"{place}/cancel")
    assert cancelled.status_code == 200
    assert set(cancelled.json()) == {"job_id", "status", "created_at", "completed_at"}
    assert cancelled.json()["status"] == "CANCELLED"
    assert MOMENT.fullmatch(cancelled.json()["completed_at"])
    refused(client.post(f"{place}/cancel"), 409, "cannot be cancelled", "over already")
    again = client.post(f"{place}/retry")
    assert again.status_code == 202
    assert again.json() == made


def test_what_is_no_ingestion_job_is_not_there(client: TestClient, rows: Rows) -> None:
    """Covers A4.5: an id that nobody has, and a job of another kind."""
    rows(
        "INSERT INTO headrace.jobs (tenant_id, user_id, job_id, kind, payload, priority)"
        " VALUES ('default', 'me', 'other', 'rest_sync', '{}', 'medium') RETURNING job_id"
    )
    for job_id in ("other", "none", "%00", "a%2Fb"):
        for method, place in (("GET", ""), ("POST", "/cancel"), ("POST", "/retry")):
            answer = client.request(method, f"{PATH}/{job_id}{place}")
            assert answer.status_code in (404, 422), answer.text


def test_without_a_key_nothing_opens(desk: Desk, documents: Path) -> None:
    """Covers A4.2: no route of it."""
    nobody = TestClient(desk.client().app)
    for method, place in (("POST", ""), ("GET", ""), ("GET", "/x"), ("POST", "/x/cancel")):
        assert nobody.request(method, PATH + place).status_code == 401
