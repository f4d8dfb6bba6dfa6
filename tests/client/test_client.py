"""The client: what it makes of the service's answers, and of answers that are none."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.ingestion.services import KEY, Services

from headrace.client import Client, ClientError, Job, api, progress


def fails(call: object, *arguments: object, status: int | None, message: str, hint: str) -> None:
    """Fails unless the call raises a ClientError that says this."""
    assert callable(call)
    with pytest.raises(ClientError, match=message) as caught:
        call(*arguments)
    assert caught.value.status == status
    assert hint in caught.value.hint
    assert caught.value.temporary is (status is None)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.status) == (str(caught.value), status)


def test_a_job_from_the_request_to_the_list(client: Client, root: Path) -> None:
    """Covers A4.1, A4.3-A4.6: asked for twice by one key, cancelled, retried, looked at, listed."""
    config = {"input": [str(root / "not-there")]}
    job = client.create_ingestion(config, {"execution_id": "e"}, "a key: a, once")
    assert job.status == "PENDING"
    assert not job.over
    assert datetime.now(UTC) - job.created_at < timedelta(minutes=1)
    assert client.create_ingestion(config, {"execution_id": "e"}, "a key: a, once").job_id == (
        job.job_id
    )
    while not (now := client.get_ingestion(job.job_id)).over:
        pass
    assert now.status == "FAILED"
    assert now.completed_at is not None
    assert "There is no folder" in (now.error_message or "")
    again = client.retry(job.job_id)
    assert (again.status, again.error_message, again.completed_at) == ("PENDING", None, None)
    other = client.create_ingestion({"input": [str(root / "neither")]}, {"tenant_id": "org-1"})
    cancelled = client.cancel(other.job_id)
    assert cancelled.status == "CANCELLED"
    assert cancelled.over
    assert [one.job_id for one in client.list(tenant_id="org-1", status="CANCELLED")] == [
        other.job_id
    ]
    assert [one.job_id for one in client.list()] == [job.job_id]


def test_a_job_is_watched_to_its_end(client: Client, root: Path) -> None:
    """Each event is news, and the last says so."""
    (root / "watched.txt").write_text("Seen by whoever waits for it.")
    job = client.create_ingestion({"input": [str(root / "watched.txt")]})
    told = list(client.watch(job.job_id))
    assert [one.last for one in told] == [False] * (len(told) - 1) + [True]
    assert (told[-1].status, told[-1].inserted) == ("SUCCEEDED", 1)
    assert {one.job_id for one in told} == {job.job_id}
    fails(list, client.watch("nobody"), status=404, message="There is no job", hint="GET")


def test_a_watch_that_is_cut_off_says_so() -> None:
    with pytest.raises(ClientError, match="hung up before the job was over") as caught:
        list(progress.read([b"retry: 2000\n", b"\n", b": still here\n", b"\n"]))
    assert caught.value.temporary
    with pytest.raises(ClientError, match="not Headrace"):
        list(progress.read([b"event: progress\n", b"data: {}\n", b"\n"]))


def test_a_file_is_sent_and_deleted(client: Client, root: Path) -> None:
    """Covers A4.1: from memory or from a file, under a name of any letters; a job can name it."""
    sent = client.upload("notes/tea & café #1.md", b"# Tea")
    assert (sent.size, sent.input) == (5, "upload://notes/tea & café #1.md")
    assert datetime.now(UTC) - sent.uploaded_at < timedelta(minutes=1)
    (root / "big").write_bytes(bytes(3 << 20))
    with (root / "big").open("rb") as file:
        assert client.upload("big", file, tenant_id="org-3").size == 3 << 20
    job = client.create_ingestion({"input": [sent.input]})
    assert client.cancel(job.job_id).job_id == job.job_id
    client.delete_upload(sent.name)
    client.delete_upload("big", tenant_id="org-3")
    fails(client.delete_upload, "big", status=404, message="no upload big", hint="lists them")
    fails(client.upload, "../x", b"", status=422, message="no slash at its ends", hint="Write it")
    fails(client.upload, "\udcff", b"", status=422, message="valid UTF-8", hint="Quote it")


def test_a_long_list_is_turned_page_by_page(
    client: Client, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A4.1: every job once, newest first, beyond the size of one page."""
    monkeypatch.setattr(api, "_PAGE", 2)
    folder = {"input": [str(root / "many")]}
    made = []
    for _ in range(5):
        job = client.create_ingestion(folder, {"tenant_id": "org-2"})
        made.append(job.job_id)
        client.cancel(job.job_id)
    found = client.list(tenant_id="org-2")
    assert isinstance(next(found), Job)
    assert [one.job_id for one in found] == made[-2::-1]


def test_a_refusal_says_what_to_do(service: Services, client: Client, tmp_path: Path) -> None:
    """Covers A4.3: the service's own words, its hint and its status."""
    config = {"input": [str(tmp_path)]}
    stranger = Client(service.url, "no-key-of-this-service")
    fails(stranger.create_ingestion, config, status=401, message="opens nothing", hint="mistyped")
    fails(client.create_ingestion, config, status=422, message="may be named", hint="ROOTS")
    fails(client.get_ingestion, "a b?", status=404, message="no ingestion job", hint="GET")
    fails(client.cancel, "none", status=404, message="no ingestion job none", hint="GET")
    fails(lambda: list(client.list(status="?")), status=422, message="query.status", hint="")
    fails(
        client.create_ingestion, config, {}, "ä\n", status=400, message="cannot carry", hint="ASCII"
    )
    fails(Client, "headrace:8000", KEY, status=None, message="no address", hint="http://")


def test_nobody_there_is_a_reason_to_try_again(client: Client, service: Services) -> None:
    """Covers A4.16: the one error that is worth another request."""
    away = Client("http://127.0.0.1:9", KEY)
    fails(away.get_ingestion, "x", status=None, message="does not answer at", hint="it runs there")


class Stranger(BaseHTTPRequestHandler):
    """Something else that speaks HTTP, and sends elsewhere whoever asks for a job."""

    keys: list[str | None] = []

    def do_GET(self) -> None:
        self.keys.append(self.headers.get("X-API-Key"))
        self.send_response(302 if "jobs/" in self.path else 200)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(b"<html>Hello.</html>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def stranger() -> Iterator[str]:
    """Its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_what_is_not_headrace_gets_no_further_than_its_first_answer(stranger: str) -> None:
    """The key goes to one address; what comes back in another form is said to be another's."""
    client = Client(stranger, KEY)
    fails(client.get_ingestion, "x", status=302, message="answered 302", hint="log")
    assert Stranger.keys == [KEY]
    with pytest.raises(ClientError, match="not Headrace"):
        list(client.list())


def test_it_needs_nothing_but_the_standard_library() -> None:
    """What a workflow engine imports is small: DBOS comes only with the waiting."""
    program = (
        "import sys, headrace; before = set(sys.modules); import headrace.client;"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert set(said.stdout.split()) - {"headrace"} <= sys.stdlib_module_names
