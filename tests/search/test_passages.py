"""Searching documents: by words, by meaning, by both; and nobody finds what is another's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg import Connection

from headrace.embedding import Embedder, embedder
from headrace.engine import vectors
from headrace.errors import BadInput, Unavailable
from headrace.out.search import Hit, search
from headrace.provider import StreamPlan
from headrace.settings import load
from headrace.stages.embed import binary
from headrace.store import connections
from headrace.store.database import Database

ANN, BOB, ZOE = ("acme", "ann"), ("acme", "bob"), ("other", "zoe")
TIME = datetime(2026, 1, 1, tzinfo=UTC)
CHUNK = """
COPY headrace.chunks (tenant_id, stream_id, content_hash, position, user_id, batch_id, start_at,
  end_at, page, headings, body, chunk_hash, model, embedding) FROM STDIN (FORMAT binary)
"""
TYPES = ("text", "int8", "bytea", "int4", "text", "int8", "int4", "int4", "int4", "text[]", "text",
         "bytea", "text", "bytea")  # fmt: skip

Put = Callable[..., int]
Ask = Callable[..., list[Hit]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return embedder(home=tmp_path_factory.mktemp("models"))


@pytest.fixture
def store(database: str) -> Iterator[Database]:
    opened = Database(database).open()
    yield opened
    opened.close()


@pytest.fixture
def put(store: Database, model: Embedder) -> Put:
    """Write documents (path: text), a chunk each, as if they had been ingested."""

    def write(
        who: tuple[str, str], texts: dict[str, str], *, shown: bool = True, name: str = "docs"
    ) -> int:
        tenant, user = who
        contents = list(dict.fromkeys(texts.values()))
        vectors = model.embed(contents)
        with store.transaction() as session:
            owner = connections.save(
                session, tenant=tenant, user=user, provider="documents", name=name, config={}
            )
            [part] = connections.plan(session, owner, [StreamPlan("docs")])
            keys = {"tenant": tenant, "user": user, "stream": part.stream_id, "shown": shown}
            for path, text in texts.items():
                _document(session, {**keys, "path": path, "text": text, "hash": _hash(text)})
            with session.cursor().copy(CHUNK) as copy:
                copy.set_types(TYPES)
                for text, vector in zip(contents, vectors, strict=True):
                    copy.write_row(
                        (tenant, part.stream_id, _hash(text), 0, user, 1, 0, len(text), 3, ["Top"],
                         text, _hash(text), model.model, binary(vector))
                    )  # fmt: skip
        return part.stream_id

    return write


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]


def _document(session: Connection[dict[str, Any]], values: dict[str, Any]) -> None:
    session.execute(
        "INSERT INTO headrace.documents (tenant_id, stream_id, source_id, version, user_id,"
        " batch_id, content_hash, indexed_hash, occurred_at, size) VALUES (%(tenant)s, %(stream)s,"
        " %(path)s, 1, %(user)s, 1, %(hash)s, CASE WHEN %(shown)s THEN %(hash)s END,"
        " '2026-01-01Z', 1)",
        values,
    )
    session.execute(
        "INSERT INTO headrace.texts VALUES (%(tenant)s, %(stream)s, %(hash)s, %(user)s, 1,"
        " 'text/markdown', NULL, %(text)s, '{}', '[]') ON CONFLICT DO NOTHING",
        values,
    )


@pytest.fixture
def ask(store: Database, monkeypatch: pytest.MonkeyPatch, model: Embedder) -> Ask:
    """Search documents as somebody."""
    monkeypatch.setattr("headrace.out.meant.open_embedder", lambda *_: model)

    settings = load()

    def asked(text: str, who: tuple[str, str | None] = ANN, **more: Any) -> list[Hit]:
        with store.people(*who) as session:
            return search(session, text, kinds=["documents"], settings=settings, **more)

    return asked


COMPANY = {
    "shipping.md": "The carrier is liable for goods that arrive damaged.",
    "holidays.md": "Everybody has 28 days of leave a year; they lapse in March.",
    "laptops.md": "Whoever loses a laptop reports it within the hour.",
    "prices.csv": "Travel chess costs 18.50 without tax.",
}


def test_by_words_by_meaning_and_by_both(put: Put, ask: Ask) -> None:
    """The words find what has them, the meaning what has not; together they find both."""
    put(ANN, COMPANY)
    assert [hit.source_id for hit in ask("travel chess", mode="text")] == ["prices.csv"]
    assert ask("who compensates a broken delivery", mode="text") == []
    meant = ask("who compensates a broken delivery", mode="vector")
    assert meant[0].source_id == "shipping.md"
    both = [hit.source_id for hit in ask("chess, or compensation for a broken delivery")]
    assert set(both[:2]) == {"prices.csv", "shipping.md"}


def test_a_hit_says_where_it_stands(put: Put, ask: Ask) -> None:
    put(ANN, COMPANY)
    hit = ask("laptop")[0]
    assert "**laptop**" in hit.snippet
    assert hit.citation is not None
    assert (hit.source_id, hit.citation.page, hit.citation.headings) == ("laptops.md", 3, ["Top"])
    assert (hit.citation.start, hit.citation.end) == (0, len(COMPANY["laptops.md"]))
    assert hit.citation.text == COMPANY["laptops.md"]
    assert hit.occurred_at == TIME
    assert 1 < hit.score <= 2


def test_nothing_is_found_for_nonsense(put: Put, ask: Ask) -> None:
    put(ANN, COMPANY)
    assert ask("xyzzy plugh") == []
    assert ask("?!") == []


def test_quotes_and_minus_are_meant(put: Put, ask: Ask) -> None:
    put(ANN, {"a.md": "the red car is fast", "b.md": "a car that is red and slow"})
    assert [hit.source_id for hit in ask('"red car"')] == ["a.md"]
    assert [hit.source_id for hit in ask("red car -slow")] == ["a.md"]


def test_filters(put: Put, ask: Ask) -> None:
    put(ANN, COMPANY, name="company")
    put(ANN, {"mine.txt": "My own laptop is green."}, name="own")
    assert {hit.source_id for hit in ask("laptop")} == {"laptops.md", "mine.txt"}
    assert [hit.source_id for hit in ask("laptop", source="own")] == ["mine.txt"]
    assert [hit.source_id for hit in ask("laptop", type="txt")] == ["mine.txt"]
    assert len(ask("laptop", type="text/markdown")) == 2
    assert ask("laptop", since=datetime(2026, 2, 1, tzinfo=UTC)) == []
    assert len(ask("laptop", until=datetime(2026, 2, 1, tzinfo=UTC))) == 2
    with pytest.raises(BadInput, match="no connection 'nowhere'"):
        ask("laptop", source="nowhere")


def test_tenants_and_users_are_apart_inside_the_index(
    put: Put, ask: Ask, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A4.8: another tenant's chunks may be nearer to the question by the hundred: they are
    not found, and do not crowd out what is."""
    put(ZOE, {f"z{n}.md": f"Compensation for broken deliveries, case {n}." for n in range(400)})
    put(BOB, {"bob.md": "Compensation for broken deliveries, by Bob."})
    put(ANN, COMPANY)
    monkeypatch.setattr(vectors, "LEAST", 1)
    assert (vectors.tend(store), vectors.tend(store)) == (1, 0)
    for mode in ("text", "vector", "hybrid"):
        mine = ask("compensation for broken deliveries", ANN, mode=mode)
        assert {hit.source_id for hit in mine} <= set(COMPANY), mode
    assert ask("compensation for broken deliveries", ANN)[0].source_id == "shipping.md"
    all_of_acme = ask("compensation for broken deliveries", ("acme", None))
    assert all_of_acme[0].source_id == "bob.md"
    assert all(hit.source_id.startswith("z") for hit in ask("broken deliveries", ZOE))


def test_what_is_not_shown_yet_is_not_found(put: Put, ask: Ask, store: Database) -> None:
    """A file's chunks appear all at once: until its last has a vector, none is found. Nor is a
    stream that is made beside the one that is shown."""
    put(ANN, {"early.md": "The heron stands in the reeds."}, shown=False)
    assert ask("heron in the reeds") == []
    put(BOB, {"beside.md": "The heron stands in the water."})
    with store.transaction() as session:
        session.execute("UPDATE headrace.streams SET live = false WHERE user_id = 'bob'")
    assert ask("heron in the water", BOB) == []


def test_one_content_under_two_paths_is_one_answer(put: Put, ask: Ask) -> None:
    put(ANN, {"b.md": "The same words twice.", "a.md": "The same words twice."})
    assert [hit.source_id for hit in ask("same words twice")] == ["a.md"]


def test_without_documents_no_model_is_opened(
    ask: Ask, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search in mail stays as quick as it was."""

    def opened(*_: object) -> Embedder:
        raise AssertionError("a model was opened")

    monkeypatch.setattr("headrace.out.meant.open_embedder", opened)
    assert ask("anything") == []
    with store.transaction() as session:
        owner = connections.save(
            session, tenant=ANN[0], user=ANN[1] or "", provider="documents", name="d", config={}
        )
        connections.plan(session, owner, [StreamPlan("docs")])
    with pytest.raises(AssertionError):
        ask("anything")


def test_an_embedder_that_is_down_leaves_the_words(
    put: Put, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search goes on without it and says so; asked for the meaning alone, it is an error."""
    put(ANN, COMPANY)

    def down(*_: object) -> Embedder:
        raise Unavailable("The embedder does not answer.")

    monkeypatch.setattr("headrace.out.meant.open_embedder", down)
    told: list[str] = []
    assert [hit.source_id for hit in ask("travel chess", tell=told.append)] == ["prices.csv"]
    assert told == ["Documents were searched by their words only. The embedder does not answer."]
    with pytest.raises(Unavailable):
        ask("travel chess", mode="vector")
