"""BERT written down a second time, in plain float64, to compare the graph with."""

from __future__ import annotations

import math

import numpy as np

from headrace.embedding.weights import Weights

_erf = np.vectorize(math.erf)


def forward(weights: Weights, ids: list[int], *, layers: int, heads: int) -> np.ndarray:
    """The vector of one text: float64 of shape (hidden,), of length 1."""
    w = {name: value.astype(np.float64) for name, value in weights.items() if "word" not in name}

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        y: np.ndarray = x @ w[f"{name}.weight"].T + w[f"{name}.bias"]
        return y

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        y: np.ndarray = scaled * w[f"{name}.weight"] + w[f"{name}.bias"]
        return y

    def split(x: np.ndarray) -> np.ndarray:
        return x.reshape(len(ids), heads, -1).transpose(1, 0, 2)

    x = weights["embeddings.word_embeddings.weight"][ids].astype(np.float64)
    x = x + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for number in range(layers):
        at = f"encoder.layer.{number}."
        query, key, value = (
            split(linear(x, f"{at}attention.self.{part}")) for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        seen = (shares @ value).transpose(1, 0, 2).reshape(len(ids), -1)
        x = norm(x + linear(seen, f"{at}attention.output.dense"), f"{at}attention.output.LayerNorm")
        wide = linear(x, f"{at}intermediate.dense")
        wide = wide * 0.5 * (1 + _erf(wide / math.sqrt(2)))
        x = norm(x + linear(wide, f"{at}output.dense"), f"{at}output.LayerNorm")
    mean = x.mean(0)
    unit: np.ndarray = mean / np.linalg.norm(mean)
    return unit
