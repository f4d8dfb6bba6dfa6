"""Which embedder a configuration means, and what is said of one that means none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from headrace.embedding import Embedder, embedder, providers
from headrace.errors import BadInput


def test_one_instance_for_each_configuration(minilm: Embedder, model_home: Path) -> None:
    """Several threads that ask at once get the same object, and other settings get another."""
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: embedder(home=model_home), range(8)))
    assert all(one is minilm for one in found)
    assert embedder("openai", home=model_home) is not embedder("openai", model="x", home=model_home)


def test_remote_vectors_are_named_by_where_they_come_from(tmp_path: Path) -> None:
    """Host, model and dimensions are in the name; the key is not."""
    assert embedder("openai", home=tmp_path).model == "openai/api.openai.com/text-embedding-3-small"
    own = embedder(
        "openai",
        base_url="http://127.0.0.1:11434/v1",
        model="nomic",
        key="sk-secret",
        dimensions=256,
        private_hosts=True,
        home=tmp_path,
    )
    assert own.model == "openai/127.0.0.1:11434/nomic/256"
    assert own.dimensions == 256


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"provider": "opnai"}, "Did you mean 'openai'"),
        ({"provider": "x"}, "There are: local, openai"),
        ({"model": "all-MiniLM-L6-v1"}, "Did you mean 'all-MiniLM-L6-v2'"),
        ({"dimensions": 512}, "384 dimensions, not 512"),
        ({"base_url": "http://127.0.0.1"}, "calls nobody"),
        ({"provider": "openai", "dimensions": 0}, "cannot have 0 dimensions"),
        ({"provider": "openai", "key": "sk-a\nsk-b"}, "signs that no key has"),
        ({"provider": "openai", "base_url": "nowhere"}, "not a web address"),
        ({"provider": "openai", "base_url": "http://127.0.0.1:9/v1"}, "not https"),
        ({"provider": "openai", "base_url": "https://10.0.0.1/v1"}, "10.0.0.1"),
        ({"provider": "openai", "base_url": "https://me:pw@example.com"}, "user name or password"),
    ],
)
def test_what_cannot_be_meant(settings: dict[str, Any], said: str, tmp_path: Path) -> None:
    """A name nobody knows, or settings that contradict each other, are refused with a hint."""
    with pytest.raises(BadInput, match=said) as refused:
        embedder(**settings, home=tmp_path)
    assert refused.value.hint
    assert "local" in providers()
