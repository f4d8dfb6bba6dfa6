"""Uploads as a place: what an input names, in which order, and how they go through the engine."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from starlette.testclient import TestClient
from tests.files.conftest import Memory, Shelf, Web, ids
from tests.files.test_archives import zip_of

from headrace.api import create_app
from headrace.errors import BadInput, Skip
from headrace.files.uploads import Uploads
from headrace.store import keys, uploads
from headrace.store.database import Database
from headrace.store.uploads import OwnUploads

_DOCUMENTS = frozenset({".txt", ".md"})


class Sender:
    """Puts uploads into the database, and opens places over them."""

    def __init__(self, store: Database) -> None:
        self.store = store

    def put(self, *names: str, content: bytes = b"text", user: str = "ann") -> None:
        with self.store.people("acme", user) as session:
            for name in names:
                uploads.put(session, "acme", user, name, BytesIO(content), content[:32].ljust(32))

    def delete(self, *names: str) -> None:
        with self.store.people("acme", "ann") as session:
            for name in names:
                assert uploads.delete(session, "acme", "ann", name)

    def place(self, named: str, *exclude: str) -> Uploads:
        return Uploads(named, _DOCUMENTS, exclude, OwnUploads(self.store, "acme", "ann"))


@pytest.fixture
def sender(database: str) -> Iterator[Sender]:
    store = Database(database, connections=2).open()
    yield Sender(store)
    store.close()


_SENT = [
    *("B.md", "a/.x", "a/b/c.md", "a/q.pdf", "a/r1.md", "a/r[1].md", "ab.md", "no ending"),
    "ä.txt",
]


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("upload://", _SENT),
        ("upload://a/", ["a/.x", "a/b/c.md", "a/q.pdf", "a/r1.md", "a/r[1].md"]),
        ("upload://a/b/c.md", ["a/b/c.md"]),
        ("upload://no ending", ["no ending"]),
        ("upload://**/*.md", ["B.md", "a/b/c.md", "a/r1.md", "a/r[1].md", "ab.md"]),
        ("upload://a/*.md", ["a/r1.md", "a/r[1].md"]),
        ("upload://a/r[1].md", ["a/r[1].md"]),
        ("upload://a/q[m-q].md", []),
        ("upload://a/?.pdf", ["a/q.pdf"]),
        ("upload://a", []),
    ],
)
def test_an_input_names_uploads(sender: Sender, named: str, found: list[str]) -> None:
    """A name, a folder, a pattern or all, whatever their endings, in the order of their bytes; a
    name that reads as a pattern is that name first. Another user's are not among them."""
    sender.put(*reversed(_SENT))
    sender.put("a/bobs.md", "bobs.md", user="bob")
    assert ids(sender.place(named)) == found
    for at in found:
        assert ids(sender.place(named), at) == found[found.index(at) + 1 :]


def test_what_is_excluded_is_left_out(sender: Sender) -> None:
    """By patterns of paths below the folder."""
    sender.put("a/b.md", "a/c/d.md", "a/z.zip")
    assert ids(sender.place("upload://a/", "c/*", "*.zip")) == ["a/b.md"]


async def test_an_archive_stands_where_its_members_do(sender: Sender, memory: Memory) -> None:
    """Names that follow its own may stand in front of them; a walk may go on anywhere, and a second
    one opens nothing."""
    sender.put("a/x.zip", content=zip_of({"1.txt": "one", "in/2.md": "two", "3.exe": "no"}))
    sender.put("a/x.zi", "a/x.zip ", "a/x.zip \U0010fffd", "a/x.zip.txt", "a/x.zipper", "a/y.md")
    order = ["a/x.zi", "a/x.zip ", "a/x.zip \U0010fffd", "a/x.zip!/", "a/x.zip.txt", "a/x.zipper"]
    order.append("a/y.md")
    place = sender.place("upload://a/")
    assert ids(place) == order
    for at, one in enumerate(order):
        after = [] if one != "a/x.zip!/" else [one]
        assert ids(place, one) == after + order[at + 1 :]
    assert ids(place, "a/x.zip!/in/2.md") == order[3:]
    run = await memory.run(place, legs=True)
    members = ["a/x.zip!/1.txt", "a/x.zip!/in/2.md"]
    assert run.new == [*order[:3], *members, *order[4:]]
    assert run.new == sorted(run.new)
    assert (await memory.run(place)).unchanged == len(run.new)
    assert (await Memory().run(sender.place("upload://a/x.zip"))).new == members
    assert (await Memory().run(sender.place("upload://**/*.zip"))).new == members
    sender.delete("a/x.zip")
    assert (await memory.run(place)).gone == members


async def test_deleted_uploads_are_forgotten_however_many(sender: Sender, memory: Memory) -> None:
    """Each was deleted by its name: nothing has to be guarded against."""
    names = [f"{n:02}.md" for n in range(40)]
    sender.put(*names)
    assert (await memory.run(sender.place("upload://"))).new == names
    sender.put("01.md", content=b"another")
    assert (await memory.run(sender.place("upload://"))).new == ["01.md"]
    sender.delete(*names)
    run = await memory.run(sender.place("upload://"))
    assert (run.gone, run.bad, memory.marks) == (names, [], {})


async def test_a_name_that_was_never_sent_is_a_mistake(sender: Sender, memory: Memory) -> None:
    """One that has been is forgotten once it is deleted; a folder may be empty."""
    sender.put("a/b.md", "c.md")
    for named, hint in (("upload://d.md", "lists them"), ("upload://a", "upload://a/")):
        with pytest.raises(BadInput, match="There is no upload") as caught:
            await memory.run(sender.place(named))
        assert hint in caught.value.hint
    assert (await memory.run(sender.place("upload://x/"))).pages[-1].more is False
    place = sender.place("upload://c.md")
    await memory.run(place)
    sender.delete("c.md")
    assert (await memory.run(place)).gone == ["c.md"]


def test_it_may_be_replaced_or_deleted_under_a_walk(sender: Sender) -> None:
    """What is read says how it stood then; what is gone is told."""
    sender.put("a.md")
    place = sender.place("upload://")
    [item] = place.items("")
    sender.put("a.md", content=b"new")
    content, now = place.read(item)
    assert (content, now.size, now.mark != item.mark) == (b"new", 3, True)
    sender.delete("a.md")
    with pytest.raises(Skip, match="has just been deleted"):
        place.read(item)


@pytest.fixture
def caller(shelf: Shelf) -> Iterator[TestClient]:
    """The API beside the engine, with a key of the shelf's user."""
    with shelf.database.transaction() as session:
        key = keys.issue(session, "acme", "ann", "test", None)
    app = create_app(shelf.database, shelf.settings)
    with TestClient(app, headers={"X-API-Key": key}) as client:
        yield client


def test_from_the_upload_to_the_answer_and_back(shelf: Shelf, web: Web, caller: TestClient) -> None:
    """Covers A4.1, A4.8, A4.23: sent, ingested, found; a new version costs its new chunks alone; of
    a deleted one nothing is left; and another tenant's are not even looked at."""

    def send(name: str, content: str) -> str:
        answer = caller.put(f"/ingestion/uploads/{name}", content=content.encode())
        return str(answer.json()["input"])

    def found(words: str) -> list[str]:
        asked = {"q": words, "kind": "documents", "mode": "text"}
        items = caller.get("/api/search", params=asked).json()["items"]
        return [one["source_id"] for one in items]

    with shelf.database.people("globex", "zoe") as session:
        uploads.put(session, "globex", "zoe", "reports/theirs.md", BytesIO(b"Beavers."), bytes(32))
    text = "\n\n".join(f"Paragraph {n} speaks of subject {n} at length. " * 12 for n in range(12))
    named = send("reports/rivers.md", f"# Rivers\n\n{text}")
    send("reports/beavers", "Plain words on beavers.")
    send("else.md", "Beavers elsewhere.")
    config = {"input": ["upload://reports/"]}
    first = shelf.ingest(config, trusted=False)
    assert first["status"] == "SUCCEEDED"
    assert named == "upload://reports/rivers.md"
    assert found("beavers") == ["reports/beavers"]
    assert "reports/rivers.md" in found("subject")
    chunks = len(web.embedded)
    assert chunks > 10

    send("reports/rivers.md", f"# Rivers\n\n{text}".replace("subject 6", "matter 6"))
    edited = shelf.ingest(config, trusted=False)
    assert (edited["summary"]["inserted"], edited["summary"]["unchanged"]) == (1, 1)
    assert 0 < len(web.embedded) - chunks <= 4
    assert "matter 6" in shelf.shown()["reports/rivers.md"]
    assert "subject 6" not in shelf.shown()["reports/rivers.md"]

    assert caller.delete("/ingestion/uploads/reports/beavers").status_code == 204
    shelf.ingest(config, trusted=False)
    assert found("beavers") == []
    assert set(shelf.shown()) == {"reports/rivers.md"}
    assert shelf.rows("SELECT FROM headrace.chunks WHERE body LIKE '%%beavers%%'") == []


def test_an_empty_upload_is_told_of(shelf: Shelf, caller: TestClient) -> None:
    """As any empty file; and the job over a name that was never sent fails."""
    caller.put("/ingestion/uploads/empty.md", content=b"")
    assert shelf.ingest({"input": "upload://"}, trusted=False)["status"] == "SUCCEEDED"
    assert shelf.letters() == {"empty.md": "The file is empty."}
    failed = shelf.ingest({"input": "upload://none.md"}, trusted=False)
    assert failed["status"] == "FAILED"
    assert failed["last_error"] == "There is no upload none.md."
