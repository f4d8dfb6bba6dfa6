"""all-MiniLM-L6-v2 on this machine's CPU: no network, no torch, a file made once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
from tokenizers import Tokenizer

from headrace.embedding import weights
from headrace.embedding.kept import kept
from headrace.errors import BadInput
from headrace.text import clean_text

DIMENSIONS = 384
THREADS = 2

RECIPE = 1
"""Part of the model's name: raise it when the same weights would give other vectors than before."""

_DEFAULT = "all-MiniLM-L6-v2"
_QUANTISED = {_DEFAULT: True, f"{_DEFAULT}-fp32": False}
"""The models by name, and whether they compute in int8: twice as fast, nearly the same vectors."""

_SLAB = 512  # texts tokenized at once: bounds memory, and keeps the threads busy


def open_model(
    home: Path, model: str | None, base_url: str | None, dimensions: int | None
) -> LocalEmbedder:
    """The local model of that name. Raises BadInput for a setting that does not fit, NeedsHuman
    when the weights are not installed, Unavailable when `home` cannot be written to."""
    name = (model or _DEFAULT).removeprefix("sentence-transformers/")
    if name not in _QUANTISED:
        near = difflib.get_close_matches(name, _QUANTISED, n=1)
        raise BadInput(
            f"There is no local embedding model {name!r}.",
            hint=f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(_QUANTISED)}.",
        )
    if dimensions not in {None, DIMENSIONS}:
        raise BadInput(
            f"{name} makes vectors of {DIMENSIONS} dimensions, not {dimensions}.",
            hint="Leave dimensions out, or choose another model.",
        )
    if base_url is not None:
        raise BadInput(
            "A base_url was given, but the local embedding model calls nobody.",
            hint="Leave base_url out, or choose the embedding provider openai.",
        )
    return LocalEmbedder(home, name)


class LocalEmbedder:
    """Runs each text by itself on one of two threads.

    By itself, because the scale of int8 is taken from all that is computed together: so a text has
    the same vector whatever else is embedded with it. Threads work on different texts, because
    two on one text wait for each other; and it is as fast as padded batches.
    """

    dimensions = DIMENSIONS

    def __init__(self, home: Path, name: str) -> None:
        files = weights.installed()
        key = f"{name}-{RECIPE}-{files.digest()[:16]}"
        self.model = f"local/{key}"
        graph = kept(home / "models", key, lambda: _build(files, quantised=_QUANTISED[name]))
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(files.tokenizer))
        self._tokenizer.enable_truncation(weights.MAX_TOKENS)
        self._tokenizer.no_padding()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="embed")

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """See `Embedder.embed`. Of a text longer than 256 tokens the first 256 count."""
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        for row, vector in enumerate(self._vectors(texts)):
            vectors[row] = vector
        return vectors

    def embed_query(self, text: str) -> np.ndarray:
        """See `Embedder.embed_query`: this model makes no difference between text and query."""
        return next(self._vectors([text]))

    def _vectors(self, texts: Sequence[str]) -> Iterator[np.ndarray]:
        for start in range(0, len(texts), _SLAB):
            slab = [clean_text(text) for text in texts[start : start + _SLAB]]
            tokens = [one.ids for one in self._tokenizer.encode_batch_fast(slab)]
            if len(tokens) == 1:  # a query need not wait behind the texts of others
                yield self._run(tokens[0])
            else:
                yield from self._pool.map(self._run, tokens)

    def _run(self, ids: list[int]) -> np.ndarray:
        vector: np.ndarray = self._session.run(None, {"ids": np.array([ids], np.int64)})[0][0]
        return vector


def _build(files: weights.Installed, *, quantised: bool) -> bytes:
    """The graph as a file's content, in about a second. Raises NeedsHuman for damaged weights."""
    from headrace.embedding.graph import bert  # slow to import, and needed only once

    shape = weights.read_shape(files.config)
    try:
        return bert(weights.read_weights(files.weights), shape, quantised=quantised)
    except (KeyError, IndexError, ValueError):
        raise weights.damaged(files.weights) from None
