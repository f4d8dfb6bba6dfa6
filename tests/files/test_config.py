"""A job's configuration: spellings that are accepted, and mistakes that are answered."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient
from tests.files.conftest import Shelf

from headrace.api import create_app
from headrace.engine.intake import check_documents
from headrace.errors import BadInput
from headrace.files.config import DocumentsConfig
from headrace.files.credentials import vector_key
from headrace.settings import Settings
from headrace.store import keys


def test_the_spellings_of_the_original() -> None:
    """One input alone, the parser's folder, the store's bucket."""
    read = DocumentsConfig.model_validate
    assert read({"parser": {"input_directory": "docs"}}).input == ["docs"]
    assert read({"mode": "s3", "aws": {"input_bucket": "abc"}}).input == ["s3://abc/"]
    assert read({"mode": "s3", "input": "/in/a", "aws": {"input_bucket": "abc"}}).input == [
        "s3://abc/in/a"
    ]
    assert read({"input": ["https://example.com/a", "s3://abc", "docs"]}).input == [
        "https://example.com/a",
        "s3://abc",
        "docs",
    ]
    for mode in ("local", "http", "s3"):
        assert read({"mode": mode, "input": "upload://a/"}).input == ["upload://a/"]


def test_keys_are_given_up_and_never_shown() -> None:
    """Neither dumped, nor printed, nor part of the name; and back in one text for sealing."""
    aws = {"access_key_id": "CANARY1", "secret_access_key": "CANARY2", "session_token": "CANARY3"}
    config = DocumentsConfig.model_validate({"input": "s3://abc", "aws": aws})
    bare, secret = config.without_key()
    assert secret is not None
    assert all(value in secret for value in aws.values())
    for one in (config, bare):
        assert "CANARY" not in f"{one!r} {one.model_dump_json()} {one.name()} {one.recipe()}"
    assert bare.without_key() == (bare, None)


def test_a_name_has_room_in_the_database() -> None:
    """However many inputs there are: the same ones are the same connection, others another."""
    many = [f"upload://{n:040}.pdf" for n in range(1000)]
    names = {DocumentsConfig(input=given).name() for given in (many, many[::-1])}
    [name] = names
    assert len(name) < 200
    assert DocumentsConfig(input=many[1:]).name() not in names
    assert DocumentsConfig(input=["b", "a"]).name() == "a b"


def test_the_key_of_an_index_is_given_up_as_well() -> None:
    """With buckets' keys or without; what is left says where the index is."""
    at = {"vector_db": "qdrant", "url": "https://qdrant.example.com:6333", "api_key": "CANARY"}
    aws = {"access_key_id": "CANARY1", "secret_access_key": "CANARY2"}
    for more in ({}, {"aws": aws}):
        config = DocumentsConfig.model_validate({"input": "a", "vector_db": at, **more})
        bare, secret = config.without_key()
        assert vector_key(at["url"], secret) == "CANARY"
        for one in (config, bare):
            assert "CANARY" not in f"{one!r} {one.model_dump_json()} {one.name()} {one.recipe()}"
        assert bare.vector_db.url == at["url"]
        assert bare.without_key() == (bare, None)


def test_a_recipe_is_what_it_was() -> None:
    """What has been made once is not made anew because a new kind of index can be named."""
    assert DocumentsConfig(input=["a"]).recipe() == "5da0036f"
    openai = {"provider": "openai", "model": "m"}
    config = DocumentsConfig.model_validate({"input": "a", "embedder": openai})
    assert config.recipe() == "b4a6f6a6"
    elsewhere = {"vector_db": "qdrant", "url": "https://qdrant.example.com", "api_key": "secret"}
    there = DocumentsConfig.model_validate({"input": "a", "vector_db": elsewhere})
    assert there.recipe() == there.without_key()[0].recipe()
    assert there.recipe() not in {"5da0036f", "b4a6f6a6"}


_WRONG: list[tuple[dict[str, Any], str]] = [
    ({"mode": "htp"}, "There is no mode 'htp': did you mean http"),
    ({"mode": 7}, "mode"),
    ({"vector_db": "qdrant"}, "vector_db qdrant needs the url"),
    ({"vector_db": {"collection": "a"}}, "url, collection and api_key are for vector_db qdrant"),
    (
        {"vector_db": {"vector_db": "qdrant", "url": "u", "collection": "a/b"}},
        "vector_db.collection",
    ),
    ({"vector_db": {"vector_db": "qdrant", "api_key": "CANARY"}}, "needs the url"),
    ({"vector_db": "pinecone"}, "There is no vector_db 'pinecone': there are pgvector and qdrant"),
    ({"vector_db": {"vector_db": "chroma"}}, "There is no vector_db 'chroma': there are"),
    ({"chunker": {"chunk_siez": 5}}, "There is no key 'chunk_siez' here: did you mean chunk_size"),
    ({"embedder": {"x": 5}}, "There is no key 'x' here: known are provider"),
    ({"inptu": "a"}, "There is no key 'inptu' here: did you mean input"),
    ({"aws": {"secret_acess_key": "CANARY"}}, "did you mean secret_access_key"),
    ({"aws": {"access_key_id": "CANARY"}}, "are given together"),
    ({"mode": "http"}, "'docs' does not begin with https://"),
    ({"mode": "s3"}, "'docs' names no bucket"),
]


@pytest.mark.parametrize(("more", "said"), _WRONG)
def test_a_mistake_is_answered_with_what_was_meant(more: dict[str, Any], said: str) -> None:
    """Covers A1.24: in one sentence, without the value where that may be a key."""
    with pytest.raises(ValidationError) as caught:
        DocumentsConfig.model_validate({"input": "docs", **more})
    assert said in str(caught.value)
    assert "CANARY" not in str(caught.value)


def test_a_mistake_reaches_the_caller_of_the_api(shelf: Shelf) -> None:
    """As problem+json, with the section and the key; and what may not be named is refused."""
    with shelf.database.transaction() as session:
        key = keys.issue(session, "acme", "ann", "test", None)
    app = create_app(shelf.database, shelf.settings)
    with TestClient(app, headers={"X-API-Key": key}) as client:

        def post(config: dict[str, Any]) -> dict[str, Any]:
            answer = client.post("/ingestion/jobs", json={"config": config})
            assert answer.status_code == 422, answer.text
            assert "CANARY" not in answer.text
            return dict(answer.json())

        for more, said in _WRONG:
            assert said in post({"input": "docs", **more})["detail"]
        wrong = post({"input": "docs", "chunker": {"chunk_siez": 5}})
        assert wrong["errors"][0]["field"] == "body.config.chunker"
        assert "may be named" in post({"input": "/etc"})["detail"]
        assert "public address" in post({"input": "https://127.0.0.1/"})["detail"]


def test_what_a_caller_may_not_name(tmp_path: Path) -> None:
    """Covers CVE-2025-56520: folders that are not opened, addresses and endpoints that are not
    public, no bucket."""
    settings = Settings(_env_file=None, headrace_document_roots=os.fspath(tmp_path))
    check_documents(DocumentsConfig(input=[str(tmp_path / "in")]), settings)
    check_documents(DocumentsConfig(input=["s3://abc/x", "https://example.com/"]), settings)
    qdrant = {"vector_db": "qdrant"}
    for config in (
        {"input": "/etc"},
        {"input": "http://example.com"},
        {"input": "s3://a"},
        {"input": "s3://abc", "aws": {"endpoint_url": "http://store.example.com"}},
        {"input": "s3://abc", "aws": {"endpoint_url": "https://10.0.0.1"}},
        {"input": "s3://abc", "aws": {"endpoint_url": "https://localhost"}},
        {"input": "s3://abc", "vector_db": {**qdrant, "url": "https://10.0.0.1:6333"}},
        {"input": "s3://abc", "vector_db": {**qdrant, "url": "http://qdrant.example.com"}},
    ):
        with pytest.raises(BadInput) as caught:
            check_documents(DocumentsConfig.model_validate(config), settings)
        assert caught.value.hint
    private = settings.model_copy(update={"headrace_private_hosts": True})
    aws = {"endpoint_url": "http://127.0.0.1:9000"}
    check_documents(DocumentsConfig.model_validate({"input": "s3://abc", "aws": aws}), private)
