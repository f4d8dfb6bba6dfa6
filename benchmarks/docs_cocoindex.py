"""CocoIndex over a folder: run by the peers' environment, as benchmarks.docs_headrace is.

Local files, its recursive splitter at the same size, its Postgres target with an HNSW index. What
it knows of earlier runs is in HOME. Files and the vectors of chunks are memoised, as its own
embedder does it.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import asyncpg  # type: ignore[import-not-found]
import numpy as np
from numpy.typing import NDArray

from benchmarks.docs_measure import BATCH, OVERLAP, SIZE, arguments, report

os.environ["COCOINDEX_DISABLE_USAGE_TRACKING"] = "1"  # read when it is imported

import cocoindex as coco  # type: ignore[import-not-found]
from cocoindex.connectors import localfs, postgres  # type: ignore[import-not-found]
from cocoindex.ops.text import RecursiveSplitter  # type: ignore[import-not-found]
from cocoindex.resources.id import IdGenerator  # type: ignore[import-not-found]
from cocoindex.resources.schema import VectorSchema  # type: ignore[import-not-found]

given = arguments()
watched = given.watched()
splitter = RecursiveSplitter()
DB: Any = coco.ContextKey("db")


@dataclass
class Chunk:
    """One row of the target."""

    id: int
    file: str
    start: int
    text: str
    embedding: Annotated[
        NDArray[np.float32], VectorSchema(dtype=np.dtype(np.float32), size=watched.dimensions)
    ]


@coco.lifespan  # type: ignore[untyped-decorator]
async def lifespan(builder: Any) -> AsyncIterator[None]:
    """Where its state lies, and how it reaches the database."""
    builder.settings.db_path = given.home
    async with asyncpg.create_pool(given.url) as pool:
        builder.provide(DB, pool)
        yield


@coco.fn.as_async(batching=True, max_batch_size=BATCH)  # type: ignore[untyped-decorator]
def embed_batch(texts: list[str]) -> list[NDArray[np.float32]]:
    """What is waiting to be embedded at one moment, together."""
    return list(watched.embed(texts))


@coco.fn(memo=True, version=1, logic_tracking="self")  # type: ignore[untyped-decorator]
async def embed(text: str) -> NDArray[np.float32]:
    """One chunk's vector, remembered for as long as its file has the chunk."""
    vector: NDArray[np.float32] = await embed_batch(text)
    return vector


@coco.fn  # type: ignore[untyped-decorator]
async def row(chunk: Any, file: str, ids: Any, table: Any) -> None:
    """Declare that the target has this chunk."""
    vector = await embed(chunk.text)
    number = await ids.next_id(chunk.text)
    table.declare_row(row=Chunk(number, file, chunk.start.char_offset, chunk.text, vector))


@coco.fn(memo=True)  # type: ignore[untyped-decorator]
async def one_file(file: Any, table: Any) -> None:
    """Split one file; called again only for one that has changed."""
    chunks = splitter.split(
        await file.read_text(), chunk_size=SIZE, chunk_overlap=OVERLAP, language="markdown"
    )
    await coco.map(row, chunks, str(file.file_path.path), IdGenerator(), table)


@coco.fn  # type: ignore[untyped-decorator]
async def everything(folder: Path) -> None:
    """The table with its index, and every file below the folder."""
    schema = await postgres.TableSchema.from_class(Chunk, primary_key=["file", "id"])
    table = await postgres.mount_table_target(DB, "chunks", schema)
    table.declare_vector_index(column="embedding", metric="cosine", method="hnsw")
    await coco.mount_each(one_file, localfs.walk_dir(folder, recursive=True).items(), table)


def main() -> None:
    """One run, after its engine has started."""
    given.home.mkdir(parents=True, exist_ok=True)
    app = coco.App(coco.AppConfig(name="bench"), everything, folder=given.folder)
    coco.start_blocking()
    report(watched, app.update_blocking)
    coco.stop_blocking()


if __name__ == "__main__":
    main()
