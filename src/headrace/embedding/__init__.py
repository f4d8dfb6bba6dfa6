"""Texts turned into vectors: on this machine without a network, or by an OpenAI-compatible API.

    vectors = embedder(home=settings.home).embed(["a text", "another"])  # float32, (2, 384)

What `embed` raises is one of `headrace.errors`; a vector that comes back is fit to be stored.
"""

from headrace.embedding.choose import embedder, providers
from headrace.embedding.contract import Embedder

__all__ = ["Embedder", "embedder", "providers"]
