"""Files by API: sent, replaced, listed and deleted; whose they are, and what is refused."""

from __future__ import annotations

import hashlib
import http.client
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier
from typing import Any
from urllib.parse import quote

import psutil
import pytest
from starlette.testclient import TestClient
from tests.ingestion.conftest import Desk, Rows, open_desk
from tests.ingestion.services import KEY, Services
from tests.ingestion.test_letter import MOMENT, ask, refused

from headrace.files.place import MOST_BYTES
from headrace.store import uploads
from headrace.store.database import Database

PATH = "/ingestion/uploads"


def put(client: TestClient, name: str, content: Any = b"text", **query: str) -> Any:
    """PUT an upload; its answer."""
    return client.put(f"{PATH}/{quote(name)}", content=content, params=query)


def names(client: TestClient, **query: Any) -> list[str]:
    """The names that a listing gives, page after page."""
    found: list[str] = []
    while True:
        page = client.get(PATH, params=query).json()
        found += [one["name"] for one in page["items"]]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def test_a_file_is_sent_and_replaced(client: TestClient, rows: Rows) -> None:
    """Covers A4.3: 201 for a new one, 200 for one in place of another, and what a job calls it."""
    first = put(client, "reports/q3.pdf", b"%PDF-1.7")
    assert first.status_code == 201
    told = first.json()
    assert MOMENT.fullmatch(told.pop("uploaded_at"))
    assert told == {
        "name": "reports/q3.pdf",
        "input": "upload://reports/q3.pdf",
        "size": 8,
        "sha256": hashlib.sha256(b"%PDF-1.7").hexdigest(),
    }
    for content in (b"%PDF-1.7", b"%PDF-2.0, another"):
        again = put(client, "reports/q3.pdf", content)
        assert again.status_code == 200
        assert again.json()["sha256"] == hashlib.sha256(content).hexdigest()
        [row] = rows("SELECT content, size FROM headrace.uploads")
        assert row == {"content": content, "size": len(content)}


@pytest.mark.parametrize("size", [0, 1, (3 << 20) + 1])
def test_bytes_arrive_as_they_were_sent(client: TestClient, rows: Rows, size: int) -> None:
    """Empty ones too, and in pieces that do not say how many they are."""
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    pieces = [content[at : at + 70_001] for at in range(0, size, 70_001)]
    assert put(client, "all at once", content).status_code == 201
    assert put(client, "in pieces", iter(pieces)).status_code == 201
    stored = rows("SELECT content FROM headrace.uploads")
    assert [row["content"] == content for row in stored] == [True, True]


@pytest.mark.parametrize(
    "name", ["a", "grüße/ärger 1.md", "a?b#c%d.txt", "..a/.b", "x" * 1000, "ä" * 1000, "l\nf", "*"]
)
def test_a_name_travels_whole(client: TestClient, name: str) -> None:
    """What a caller calls its files is not for us to choose."""
    assert put(client, name).json()["name"] == name
    assert names(client) == [name]
    assert client.delete(f"{PATH}/{quote(name)}").status_code == 204
    assert names(client) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", "has 1 to 1,000 characters"),
        ("x" * 1001, "has 1 to 1,000 characters"),
        (quote("\U0001f600" * 501), "2,000 bytes at most"),
        ("a%00b", "no NUL"),
        ("a%5Cb", "no backslash"),
        ("/a", "no slash at its ends"),
        ("a/", "no slash at its ends"),
        ("a//b", "no empty"),
        ("a/%2e/b", "no empty, . or .. part"),
        ("%2e%2e/b", "no empty, . or .. part"),
        ("a%FFb", "valid UTF-8"),
        ("a.zip!/b", "stands before what is in an archive"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(client: TestClient, path: str, said: str) -> None:
    """Covers A4.3: in one sentence, and nothing is kept."""
    answer = client.put(f"{PATH}/{path}", content=b"x")
    refused(answer, 422, said, "Write it as|Quote it")
    assert answer.json()["detail"].count(".") <= 4
    assert names(client) == []


def test_pages_of_a_listing_hold_every_upload_once(client: TestClient) -> None:
    """By name, in the order of its bytes; a prefix is taken by the letter."""
    made = ["B", "a", "a%b/1", "a%b/2", "a_b", "axb/1", "b/c/d", "é"]
    for name in reversed(made):
        put(client, name)
    assert sorted(made) == made
    for limit in (1, 3, 8):
        assert names(client, limit=limit) == made
    assert names(client, prefix="a%b", limit=1) == ["a%b/1", "a%b/2"]
    assert names(client, prefix="b/") == ["b/c/d"]
    assert names(client, prefix="é\U0010ffff") == []
    refused(client.get(PATH, params={"cursor": "x"}), 422, "not one of ours", "as it stands")
    refused(client.get(PATH, params={"name": "x"}), 422, "no such field", "prefix")


def test_what_is_not_there_is_not_deleted(client: TestClient) -> None:
    refused(client.delete(f"{PATH}/none"), 404, "There is no upload none", "lists them")
    refused(client.get(f"{PATH}/none"), 405, "GET is not for", "PUT, DELETE|DELETE, PUT")


def test_a_tenant_has_its_own_uploads(desk: Desk, rows: Rows) -> None:
    """Covers A4.8: another's is neither listed nor replaced nor deleted, and may have the same
    name; whether there is another tenant or not, the answer is the same."""
    acme, globex = desk.client("acme"), desk.client("globex")
    put(acme, "plan.md", b"acme's")
    assert names(globex) == []
    refused(globex.delete(f"{PATH}/plan.md"), 404, "no upload plan.md", "")
    assert put(globex, "plan.md", b"globex's").status_code == 201
    for who in ("acme", "nobody"):
        for answer in (
            put(globex, "x", tenant_id=who),
            globex.get(PATH, params={"tenant_id": who}),
            globex.delete(f"{PATH}/plan.md", params={"tenant_id": who}),
        ):
            refused(answer, 404, f"no tenant '{who}'", "Leave tenant_id out")
    assert globex.delete(f"{PATH}/plan.md").status_code == 204
    assert rows("SELECT tenant_id, content FROM headrace.uploads") == [
        {"tenant_id": "acme", "content": b"acme's"}
    ]


def test_a_user_has_their_own_uploads(desk: Desk, client: TestClient) -> None:
    """Covers A4.8: what one user's job would not read, their listing does not show either."""
    bob = desk.client()
    bob.headers.update(desk.key(user="bob"))
    put(client, "a")
    assert names(bob) == []
    assert put(bob, "a").status_code == 201
    assert bob.delete(f"{PATH}/a").status_code == 204
    assert names(client) == ["a"]


def test_the_installations_own_key_uploads_for_any_tenant(desk: Desk, client: TestClient) -> None:
    """Covers A4.8: as it asks for any tenant's jobs."""
    assert put(client, "a", tenant_id="org-123").status_code == 201
    assert names(client) == []
    assert names(client, tenant_id="org-123") == names(desk.client("org-123")) == ["a"]
    gone = client.delete(f"{PATH}/a", params={"tenant_id": "org-123"})
    assert gone.status_code == 204
    assert names(client, tenant_id="org-123") == []


def test_a_job_names_what_was_uploaded(client: TestClient, rows: Rows) -> None:
    """Covers A4.3: no folder need be open for it; what can be no upload is refused at once."""
    inputs = ["upload://", "upload://a/", "upload://**/*.pdf", "upload://q3.pdf"]
    assert ask(client, {"input": inputs}).status_code == 202
    [made] = rows("SELECT config FROM headrace.connections")
    assert made["config"] == {"input": inputs}
    for wrong in ("/etc/passwd", "../x", "a//", "x" * 1001):
        answer = ask(client, {"input": [f"upload://{wrong}"]})
        refused(answer, 422, "The name of an upload has", "Write it as")


def test_a_job_names_many(client: TestClient) -> None:
    """Covers A4.3: a program that sent a thousand files names each of them."""
    many = [f"upload://{os.urandom(16).hex()}.pdf" for _ in range(1000)]
    assert ask(client, {"input": many}).status_code == 202


def test_a_body_beyond_the_cap_is_refused_before_it_is_read(client: TestClient) -> None:
    """Covers A4.3: where it says how long it is, nobody waits for it."""
    sent = {"Content-Length": str(MOST_BYTES + 1)}
    answer = client.put(f"{PATH}/a", content=b"", headers=sent)
    refused(answer, 413, f"larger than {MOST_BYTES:,} bytes", "split")
    assert names(client) == []


@pytest.mark.timeout(120)
def test_a_stream_without_an_end_costs_neither_memory_nor_patience(services: Services) -> None:
    """Covers A4.3: over HTTP, without a length; the answer comes at the cap, and the process has
    held none of it."""
    process = services.headrace().process
    before = psutil.Process(process.pid).memory_info().rss
    sent, peak = 0, 0

    def endless() -> Iterator[bytes]:
        nonlocal sent, peak
        while sent <= MOST_BYTES:
            yield bytes(1 << 20)
            sent += 1 << 20
            peak = max(peak, psutil.Process(process.pid).memory_info().rss)

    connection = http.client.HTTPConnection("127.0.0.1", services.port)
    connection.request("PUT", f"{PATH}/endless", endless(), {"X-API-Key": KEY})
    answer = connection.getresponse()
    assert answer.status == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert b"can be split" in answer.read()
    assert peak - before < 64 << 20
    connection.request("GET", PATH, headers={"X-API-Key": KEY})
    assert b'"items":[]' in connection.getresponse().read()
    connection.close()


def test_a_tenant_has_so_much_room(url: str, rows: Rows) -> None:
    """Covers A4.3: what is refused changes nothing and says what to do; a file that is replaced, or
    deleted, makes room; others' uploads count where they are of the tenant, and only there."""
    with open_desk(url, headrace_upload_quota=100) as desk:
        acme, globex, bob = desk.client("acme"), desk.client("globex"), desk.client("acme")
        bob.headers.update(desk.key("acme", user="bob"))
        assert put(acme, "a", bytes(60)).status_code == 201
        for client, name, size in ((acme, "b", 41), (bob, "a", 41), (acme, "a", 101)):
            words = f"no room for this upload of {size} bytes: .* of the 100 "
            refused(put(client, name, b"x" * size), 413, words, "HEADRACE_UPLOAD_QUOTA")
        assert rows("SELECT content FROM headrace.uploads") == [{"content": bytes(60)}]
        assert put(bob, "a", b"x" * 40).status_code == 201
        assert put(acme, "a", bytes(60)).status_code == 200  # it is there already
        assert put(acme, "a", b"x" * 60).status_code == 200
        assert put(globex, "a", bytes(100)).status_code == 201
        refused(put(acme, "c", b"1"), 413, "no room", "Delete uploads")
        assert put(acme, "empty", b"").status_code == 201
        assert bob.delete(f"{PATH}/a").status_code == 204
        assert put(acme, "c", b"x" * 40).status_code == 201


def test_uploads_at_once_do_not_share_the_same_room(url: str, rows: Rows) -> None:
    """Covers A4.3: each finds what the one before it has taken."""
    store, together = Database(url, connections=4).open(), Barrier(4)

    def send(number: int) -> bool:
        user, name, content = f"user {number}", str(number), BytesIO(bytes(2 << 20))
        with store.people("acme", user) as session:
            together.wait(30)
            try:
                uploads.put(session, "acme", user, name, content, bytes(32), quota=5 << 20)
            except uploads.NoRoom:
                return False
        return True

    try:
        with ThreadPoolExecutor(4) as threads:
            assert sorted(threads.map(send, range(4))) == [False, False, True, True]
    finally:
        store.close()
    assert len(rows("SELECT name FROM headrace.uploads")) == 2
