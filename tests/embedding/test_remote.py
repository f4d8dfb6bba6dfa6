"""An OpenAI-compatible endpoint: what is asked, what is believed, and what each refusal means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.embedding.endpoint import Answering, Said, serving

from headrace.embedding.remote import RemoteEmbedder
from headrace.errors import BadInput, HeadraceError, NeedsHuman, Retry

_KEY = "sk-a-key-nobody-may-see"


def remote(url: str, **settings: Any) -> RemoteEmbedder:
    wanted = {"model": "small", "key": f"{_KEY}\n", "dimensions": None, "private_hosts": True}
    return RemoteEmbedder(base_url=url, **{**wanted, **settings})


def vector_of(text: str) -> list[float]:
    return [3.0, float(len(text)), 4.0]


def good(request: dict[str, Any], number: int) -> Said:
    """Proper embeddings, last one first."""
    rows = [{"index": n, "embedding": vector_of(t)} for n, t in enumerate(request["input"])]
    return Said({"object": "list", "data": rows[::-1], "model": "small"})


def embed(answer: Answering, texts: list[str], **settings: Any) -> np.ndarray:
    with serving(answer) as endpoint:
        return remote(endpoint.url, **settings).embed(texts)


def test_vectors_in_the_order_of_the_texts() -> None:
    """Indices out of order are put in order, rows have length 1, the request is OpenAI's."""
    with serving(good) as endpoint:
        one = remote(f"{endpoint.url}/")
        vectors = one.embed(["a", "bb\ud800\0", ""])
        assert (one.embed_query("a") == vectors[0]).all()
        assert one.dimensions == 3
        assert one.embed([]).shape == (0, 3)
    expected = np.array([[3, 1, 4], [3, 3, 4], [3, 0, 4]])
    expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, expected, atol=1e-6)
    assert endpoint.paths[0] == "/v1/embeddings"
    assert endpoint.keys[0] == f"Bearer {_KEY}"
    assert endpoint.asked[0] == {
        "model": "small",
        "input": ["a", "bb\ufffd", ""],
        "encoding_format": "float",
    }
    assert len(endpoint.asked) == 2


def test_dimensions_are_asked_for_once() -> None:
    """Where nobody has said them, a word is sent to find out; wanted ones go with each request."""
    with serving(good) as endpoint:
        one = remote(endpoint.url, key=None)
        assert (one.dimensions, one.dimensions) == (3, 3)
        assert remote(endpoint.url, dimensions=3).embed(["x"]).shape == (1, 3)
    assert len(endpoint.asked) == 2
    assert endpoint.keys[0] is None
    assert endpoint.asked[1]["dimensions"] == 3


def test_requests_stay_small() -> None:
    """At most 256 texts and 200,000 characters in one; a longer text goes alone."""
    texts = [f"{n}" for n in range(600)] + ["x" * 90_000] * 3 + ["y" * 250_000, "z"]
    with serving(good) as endpoint:
        vectors = remote(endpoint.url).embed(texts)
    assert [len(request["input"]) for request in endpoint.asked] == [256, 256, 90, 1, 1, 1]
    lengths = np.array([len(text) for text in texts])
    assert np.allclose(vectors[:, 1] / vectors[:, 0] * 3, lengths, rtol=1e-4)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_endpoint_says_when_to_come_back(status: int) -> None:
    """A long Retry-After becomes Retry, for the job to be parked."""
    with pytest.raises(Retry) as refused:
        embed(lambda *_: Said({}, status, {"Retry-After": "77"}), ["a"])
    assert refused.value.after == 77


def test_a_moment_of_trouble_is_waited_out() -> None:
    """A 500 is asked again by the one HTTP client."""

    def answer(request: dict[str, Any], number: int) -> Said:
        return good(request, number) if number else Said({}, 500)

    assert embed(answer, ["a"]).shape == (1, 3)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_needs_a_human(status: int) -> None:
    """The key is in no message, even where the endpoint repeats it."""
    said = {"error": {"message": f"Incorrect API key provided: {_KEY}. See our site."}}
    with pytest.raises(NeedsHuman, match="Incorrect API key") as refused:
        embed(lambda *_: Said(said, status), ["a"])
    assert _KEY not in str(refused.value)
    assert "embedder" in refused.value.hint
    assert not refused.value.reauth


def test_a_403_for_the_rate_is_no_refusal() -> None:
    """Some say 403 for too many requests; that is waited out."""
    with pytest.raises(Retry):
        embed(lambda *_: Said({}, 403, {"Retry-After": "60"}), ["a"])


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_a_refused_request_is_bad_input(status: int) -> None:
    """In the endpoint's own words, on one line."""
    said = {"error": {"message": "model `small`\ndoes not exist"}}
    with pytest.raises(BadInput, match="model `small` does not exist"):
        embed(lambda *_: Said(said, status), ["a"])


def rows(*vectors: list[float], indices: list[int] | None = None) -> dict[str, Any]:
    numbers = indices or range(len(vectors))
    return {"data": [{"index": n, "embedding": v} for n, v in zip(numbers, vectors, strict=True)]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"not json", "something else"),
        ({"hello": 1}, "something else"),
        ({"data": [{"index": 0, "embedding": "AAAA"}]}, "something else"),
        (b'{"data":[{"index":0,"embedding":[NaN,1]},{"index":1,"embedding":[1,1]}]}', "else"),
        (b'{"data":[{"index":0,"embedding":[1e999,1]},{"index":1,"embedding":[1,1]}]}', "else"),
        (rows([1.0, 2.0]), "2 texts and returned 1"),
        (rows([1.0], [1.0], [1.0]), "2 texts and returned 3"),
        (rows([1.0], [1.0], indices=[1, 1]), "one to one"),
        (rows([1.0], [1.0], indices=[1, 2]), "one to one"),
        (rows([1.0, 2.0], [1.0]), "different lengths"),
        (rows([], []), "different lengths"),
        (rows([1.0, 2.0], [0.0, 0.0]), "zero or not finite"),
        (rows([1e308, 1e308], [1.0, 1.0]), "zero or not finite"),
    ],
)
def test_nonsense_is_never_believed(body: Any, said: str) -> None:
    """What is not one usable vector for each text is an error, and no vector comes back."""
    with pytest.raises(HeadraceError, match=said):
        embed(lambda *_: Said(body), ["a", "b"])


def test_other_dimensions_than_before() -> None:
    """Neither a model that ignores what was asked for nor one that changes behind its name."""
    with pytest.raises(NeedsHuman, match="3 dimensions instead of 256"):
        embed(good, ["a"], dimensions=256)

    def changing(request: dict[str, Any], number: int) -> Said:
        return Said(rows(*[[1.0] * (2 + number)] * len(request["input"])))

    with pytest.raises(NeedsHuman, match="3 dimensions instead of 2"):
        embed(changing, ["a"] * 300)
