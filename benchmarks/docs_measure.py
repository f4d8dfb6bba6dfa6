"""What every contender of `make bench-docs` shares: its arguments, its embedder, its report.

Imported in the peers' environment as well, so it needs nothing but what the embedder needs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.machine import server_cpu as cpu_of_tree
from headrace.embedding import Embedder, embedder

SIZE, OVERLAP = 800, 100
"""Characters of a chunk, and of what two share: Headrace's own default."""
BATCH = 256
"""Texts that a peer may embed in one call: more than either has by default, and faster."""


class Stub:
    """Vectors for nothing: random ones, by the text's hash, so that all else can be timed."""

    model = "stub"
    dimensions = 384

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """See `Embedder.embed`."""
        drawn = b"".join(hashlib.shake_128(one.encode()).digest(2 * 384) for one in texts)
        vectors = np.frombuffer(drawn, np.int16).reshape(len(texts), 384).astype(np.float32)
        unit: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def embed_query(self, text: str) -> np.ndarray:
        """See `Embedder.embed_query`."""
        vector: np.ndarray = self.embed([text])[0]
        return vector


class Watched:
    """An embedder that notes when it was at work, and on how much."""

    def __init__(self, inner: Embedder) -> None:
        self.model, self.dimensions = inner.model, inner.dimensions
        self.embed_query = inner.embed_query
        self.texts = 0
        self._inner = inner
        self._spans: list[tuple[float, float]] = []

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """See `Embedder.embed`."""
        began = time.perf_counter()
        vectors = self._inner.embed(texts)
        self._spans.append((began, time.perf_counter()))
        self.texts += len(texts)
        return vectors

    def busy(self) -> float:
        """Seconds during which something was being embedded, by one thread or by several."""
        total, until = 0.0, 0.0
        for began, ended in sorted(self._spans):
            total += max(0.0, ended - max(began, until))
            until = max(until, ended)
        return total


class Arguments(argparse.Namespace):
    """URL of a database of its own, HOME for its state, FOLDER to read, which EMBEDDER."""

    url: str
    home: Path
    folder: Path
    embedder: str

    def watched(self) -> Watched:
        """The embedder, loaded already: a service that runs has done that long ago."""
        model = self.home.parent
        return Watched(Stub() if self.embedder == "stub" else embedder(home=model))


def arguments() -> Arguments:
    """What `benchmarks.docs` has called a contender with."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("home", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("embedder", choices=("stub", "local"))
    return parser.parse_args(namespace=Arguments())


def report(watched: Watched, work: Callable[[], dict[str, float] | None]) -> None:
    """Do the work and print, as the last line, what it took: seconds of the wall and of CPU (this
    process and its children), seconds of embedding, texts embedded; and what the work says."""
    before, began = cpu_of_tree(os.getpid()), time.perf_counter()
    more = work() or {}
    seconds = time.perf_counter() - began
    found = {
        "seconds": seconds,
        "cpu": cpu_of_tree(os.getpid()) - before,
        "embedding": watched.busy(),
        "embedded": watched.texts,
        **more,
    }
    print(json.dumps(found), flush=True)
