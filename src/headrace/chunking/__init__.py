"""Texts cut into chunks that say exactly where they came from.

    for one in chunk(text, strategy="mdstructure", size=800, overlap=100):
        text[one.start : one.end]

Pure functions: the same text and the same settings give the same chunks, on every machine.
"""

from headrace.chunking.chunks import MAX_SIZE, Chunk, chunk, content_hash, strategies

__all__ = ["MAX_SIZE", "Chunk", "chunk", "content_hash", "strategies"]
