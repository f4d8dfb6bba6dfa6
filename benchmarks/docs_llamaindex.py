"""LlamaIndex's IngestionPipeline over a folder: run by the peers' environment, as
benchmarks.docs_headrace is.

Its sentence splitter, counting characters so that the size is the same; its Postgres store with an
HNSW index; its document store, kept in a file in HOME as its documentation does it, which tells it
what it has seen. Its cache is off: the document store answers first, and the cache only costs.
"""

from __future__ import annotations

from typing import Any

from llama_index.core import Document  # type: ignore[import-not-found]
from llama_index.core.base.embeddings.base import (  # type: ignore[import-not-found]
    BaseEmbedding,
)
from llama_index.core.ingestion import IngestionPipeline  # type: ignore[import-not-found]
from llama_index.core.node_parser import SentenceSplitter  # type: ignore[import-not-found]
from llama_index.core.storage.docstore import SimpleDocumentStore  # type: ignore[import-not-found]
from llama_index.vector_stores.postgres import PGVectorStore  # type: ignore[import-not-found]
from pydantic import PrivateAttr

from benchmarks.docs_measure import BATCH, OVERLAP, SIZE, Watched, arguments, report

_HNSW = {"hnsw_m": 16, "hnsw_ef_construction": 64, "hnsw_ef_search": 40}


class Embedding(BaseEmbedding):  # type: ignore[misc]
    """The same embedder as everybody's, in LlamaIndex's shape."""

    _watched: Watched = PrivateAttr()

    def __init__(self, watched: Watched) -> None:
        super().__init__(model_name=watched.model, embed_batch_size=BATCH)
        self._watched = watched

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._watched.embed(texts).tolist()
        return vectors

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


def main() -> None:
    """One run, with the document store of the run before."""
    given = arguments()
    watched = given.watched()
    known = given.home / "docstore.json"
    store: Any = PGVectorStore.from_params(
        connection_string=given.url.replace("postgresql:", "postgresql+psycopg2:"),
        async_connection_string=given.url.replace("postgresql:", "postgresql+asyncpg:"),
        table_name="chunks",
        embed_dim=watched.dimensions,
        hnsw_kwargs=dict(_HNSW),
    )
    docstore = (
        SimpleDocumentStore.from_persist_path(str(known))
        if known.exists()
        else SimpleDocumentStore()
    )
    splitter = SentenceSplitter(chunk_size=SIZE, chunk_overlap=OVERLAP, tokenizer=list)
    pipeline = IngestionPipeline(
        transformations=[splitter, Embedding(watched)],
        vector_store=store,
        docstore=docstore,
        disable_cache=True,
    )

    def work() -> None:
        pipeline.run(
            documents=[
                Document(text=file.read_text("utf-8"), id_=str(file))
                for file in sorted(given.folder.rglob("*"))
                if file.is_file()
            ]
        )
        docstore.persist(str(known))

    report(watched, work)


if __name__ == "__main__":
    main()
