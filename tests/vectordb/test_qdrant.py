"""A Qdrant as it is spoken to: what is put, found and deleted there, and what goes wrong."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from tests.vectordb.twin import Twin

from headrace.errors import BadInput, NeedsHuman, Retry
from headrace.files.credentials import Credentials, VectorKey
from headrace.files.sections import VectorsConfig
from headrace.http import Nonsense
from headrace.vectordb import IndexAt, Point, VectorIndex, check, index_at, open_index
from headrace.vectordb.qdrant import name

MODEL = "local/small-1"


def index(url: str, secret: str | None = None, **more: Any) -> VectorIndex:
    settings = {"private_hosts": True, "hurried": True, **more}
    return open_index(IndexAt("qdrant", url, "docs", MODEL), secret, **settings)


def point(at: int, angle: float, stream: int = 1) -> Point:
    """One in the plane, so that the nearest are known."""
    vector = np.array([np.cos(angle), np.sin(angle)], np.float32)
    return Point((stream, at.to_bytes(4, "big"), 0), b"hash", vector)


EAST = np.array([1, 0], np.float32)
ALL: dict[str, Any] = {"tenant": "acme", "user": None, "streams": None, "limit": 3}


def positions(one: VectorIndex, **more: Any) -> list[int]:
    return [int.from_bytes(key[1], "big") for key in one.nearest(EAST, **{**ALL, **more})]


def test_what_is_put_is_found_and_can_be_deleted(twin: Twin) -> None:
    """The nearest first; put twice it is there once; deleted twice it is gone."""
    one = index(twin.url)
    points = [point(at, 0.1 * at) for at in range(5)]
    one.put("acme", "ann", points)
    one.put("acme", "ann", points)
    assert (positions(one), one.count("acme", 1), one.count("acme", 2)) == ([0, 1, 2], 5, 0)
    for _ in range(2):
        one.forget("acme", [points[1].key])
    assert (positions(one), one.count("acme", 1)) == ([0, 2, 3], 4)
    assert {
        "tenant": "acme",
        "user": "ann",
        "stream_id": 1,
        "content_hash": "00000000",
        "position": 0,
        "chunk_hash": b"hash".hex(),
    } in twin.points()
    [collection] = twin.names()
    assert collection == name(IndexAt("qdrant", "", "docs", MODEL))
    assert collection.startswith("docs-")
    assert twin.indexed[collection].keys() == {"tenant", "user", "stream_id"}
    assert twin.indexed[collection]["tenant"]["params"]["is_tenant"] is True


def test_tenants_users_and_streams_are_apart_inside_the_index(twin: Twin) -> None:
    """Covers A4.8: others' points may be nearer by the hundred, and under the same keys: they are
    not found, do not crowd out what is, and are not deleted with it."""
    one = index(twin.url)
    one.put("other", "zoe", [point(at, 0.0001 * at) for at in range(400)])
    one.put("acme", "bob", [point(500, 0.01, stream=2)])
    one.put("acme", "ann", [point(600, 1.0, stream=3), point(601, 1.1, stream=4)])
    assert positions(one) == [500, 600, 601]
    assert positions(one, user="ann") == [600, 601]
    assert positions(one, user="ann", streams=[4]) == [601]
    assert positions(one, user="ann", streams=[2]) == positions(one, streams=[]) == []
    assert positions(one, tenant="third") == []
    one.forget("acme", [point(at, 0).key for at in range(400)])
    assert one.count("other", 1) == 400


def test_much_is_put_in_bounded_requests(twin: Twin) -> None:
    one = index(twin.url)
    one.put("acme", "ann", [point(at, 0.001 * at) for at in range(600)])
    one.put("acme", "ann", [])
    assert [len(ids) for ids in twin.puts] == [256, 256, 88]
    assert len({id_ for ids in twin.puts for id_ in ids}) == 600


def test_models_do_not_share_a_collection(twin: Twin) -> None:
    index(twin.url).put("acme", "ann", [point(1, 0)])
    other = open_index(IndexAt("qdrant", twin.url, "docs", "another"), None, private_hosts=True)
    other.put("acme", "ann", [Point((1, b"a", 0), b"h", np.ones(3, np.float32))])
    assert len(twin.names()) == 2
    assert other.count("acme", 1) == 1


def test_a_collection_of_another_size_needs_a_person(twin: Twin) -> None:
    index(twin.url).put("acme", "ann", [point(1, 0)])
    with pytest.raises(NeedsHuman, match=r"is for vectors of 2, and these have 3") as caught:
        index(twin.url).put("a", "b", [Point((1, b"a", 0), b"h", np.ones(3, np.float32))])
    assert "vector_db.collection" in caught.value.hint


def test_a_refused_key_is_named_and_not_told(twin: Twin) -> None:
    """The other side repeats the key, and it is in no message all the same."""
    twin.key = "right"
    with pytest.raises(NeedsHuman, match="refused the key") as caught:
        index(twin.url, sealed("CANARY-KEY", twin.url)).put("acme", "ann", [point(1, 0)])
    assert "vector_db.api_key" in caught.value.hint
    assert "Invalid API key" in caught.value.message
    assert "CANARY" not in str(caught.value)
    with pytest.raises(NeedsHuman, match="refused the key"):
        index(twin.url).nearest(EAST, **ALL)
    twin.key = "CANARY-KEY"
    index(twin.url, sealed("CANARY-KEY", twin.url)).put("acme", "ann", [point(1, 0)])


def sealed(key: str, url: str) -> str:
    return Credentials(vector_db=VectorKey(key, url)).text()


def test_a_key_is_bound_to_its_url(twin: Twin) -> None:
    with pytest.raises(NeedsHuman, match="given for another url") as caught:
        index(twin.url, sealed("CANARY-KEY", "https://qdrant.example.com"))
    assert "CANARY" not in str(caught.value)
    assert twin.asked == []


def test_an_index_that_is_away_is_tried_again(twin: Twin) -> None:
    one = index(twin.url)
    twin.down()
    try:
        for ask in (
            lambda: one.nearest(EAST, **ALL),
            lambda: one.put("acme", "ann", [point(1, 0)]),
            lambda: one.forget("acme", [point(1, 0).key]),
        ):
            with pytest.raises(Retry, match="cannot be reached"):
                ask()
    finally:
        twin.up()


def test_an_index_that_has_lost_its_collection_does_not_find_nothing(twin: Twin) -> None:
    with pytest.raises(Retry, match="has no collection docs-"):
        index(twin.url).nearest(EAST, **ALL)
    assert index(twin.url).count("acme", 1) == 0
    index(twin.url).forget("acme", [point(1, 0).key])


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>"), (200, b'{"result": 7}'), (200, b"{"), (404, b"<html>"), (200, b"\xff")],
)
def test_what_is_no_qdrant_is_told_from_one(twin: Twin, status: int, body: bytes) -> None:
    twin.answer = (status, {}, body)
    with pytest.raises((Nonsense, Retry)) as caught:
        index(twin.url).nearest(EAST, **ALL)
    assert caught.value.hint


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"stream_id": 1, "content_hash": "zz", "position": 1},
        {"stream_id": 2**63, "content_hash": "00", "position": 1},
        {"stream_id": 1, "content_hash": "00", "position": -1},
    ],
)
def test_points_of_others_are_not_taken_for_ours(twin: Twin, payload: dict[str, Any]) -> None:
    """Who answers may be anybody: what it says is within the bounds of what we have put."""
    import json

    result = {"points": [{"id": 1, "version": 1, "score": 1.0, "payload": payload}]}
    twin.answer = (200, {}, json.dumps({"result": result, "status": "ok"}).encode())
    with pytest.raises(Nonsense, match="points that are not ours"):
        index(twin.url).nearest(EAST, **ALL)


def test_no_redirect_is_followed(twin: Twin) -> None:
    elsewhere = Twin()
    try:
        twin.answer = (307, {"Location": f"{elsewhere.url}/collections"}, b"")
        with pytest.raises(NeedsHuman, match="307") as caught:
            index(twin.url, sealed("CANARY-KEY", twin.url)).nearest(EAST, **ALL)
        assert "vector_db.url" in caught.value.hint
        assert elsewhere.asked == []
    finally:
        elsewhere.down()


def test_no_proxy_of_the_environment_is_asked(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    index(twin.url).put("acme", "ann", [point(1, 0)])
    assert twin.puts


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://qdrant.example.com:6333", "is not https on port 443 or 6333 or 8443"),
        ("https://qdrant.example.com:6334", "is not https on port"),
        ("https://127.0.0.1:6333", "not at a public address"),
        ("https://localhost:6333", "not at a public address"),
        ("https://user:CANARY@qdrant.example.com", "holds a user name or password"),
        ("qdrant.example.com:6333", "The url of vector_db is not a web address"),
    ],
)
def test_a_caller_reaches_no_private_address(url: str, said: str) -> None:
    """Refused at the door, and by the stage as well."""
    config = VectorsConfig(vector_db="qdrant", url=url)
    with pytest.raises(BadInput, match=said) as caught:
        check(config, private_hosts=False)
    assert caught.value.hint
    assert "CANARY" not in str(caught.value)
    with pytest.raises(NeedsHuman, match=said):
        index(url, private_hosts=False)


def test_a_name_is_checked_when_it_is_looked_up(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A public name whose address is private, as an attacker's name server would answer."""
    import aiohttp.resolver

    async def resolve(self: Any, host: str, port: int = 0, family: Any = 0) -> list[dict[str, Any]]:
        address = {"hostname": host, "host": "127.0.0.1", "port": port}
        return [{**address, "family": family, "proto": 0, "flags": 0}]

    monkeypatch.setattr(aiohttp.resolver.ThreadedResolver, "resolve", resolve)
    with pytest.raises(NeedsHuman, match="not at a public address"):
        index("https://rebound.example.com:6333", private_hosts=False).nearest(EAST, **ALL)
    assert twin.asked == []


def test_without_the_package_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "qdrant_client", None)
    config = VectorsConfig(vector_db="qdrant", url="https://qdrant.example.com")
    with pytest.raises(BadInput, match="needs the package qdrant-client") as caught:
        check(config, private_hosts=False)
    assert "headrace[qdrant]" in caught.value.hint
    at = index_at(config, MODEL)
    assert at is not None
    with pytest.raises(NeedsHuman, match="needs the package qdrant-client"):
        open_index(at, None, private_hosts=False)


def test_the_package_is_imported_only_when_it_is_wanted() -> None:
    code = (
        "import sys, headrace.api, headrace.cli, headrace.engine.runtime\n"
        "assert not {'qdrant_client', 'grpc', 'httpx'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
