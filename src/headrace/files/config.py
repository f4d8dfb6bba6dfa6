"""How a job over documents is configured (seed 004's sections); everything but the input has a
default, and a key that nobody knows is refused."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ParserConfig(_Section):
    """How files are read."""

    tool: str = Field("auto", description="What reads the files; auto: what is best for each type.")
    ocr: bool = Field(
        False, description="Whether pictures of text are read, where OCR is installed."
    )


class ChunkerConfig(_Section):
    """How texts are cut."""

    chunk_strategy: str = Field("recursive_chunking", description="How texts are cut, by name.")
    chunk_size: int = Field(800, ge=1, le=100_000, description="Characters of a chunk, at most.")
    chunk_overlap: int = Field(100, ge=0, description="Characters that neighbours share.")

    @model_validator(mode="after")
    def _less(self) -> ChunkerConfig:
        if self.chunk_overlap >= self.chunk_size:
            raise ValueError("chunk_overlap must be smaller than chunk_size")
        return self


class EmbedderConfig(_Section):
    """What makes vectors of chunks."""

    provider: Literal["local", "openai"] = Field(
        "local", description="local: on this machine. openai: any endpoint that speaks its API."
    )
    model: str | None = Field(None, description="The model's name; each provider has a default.")
    base_url: str | None = Field(None, description="Where the endpoint is.")
    dimensions: int | None = Field(None, ge=1, le=4000, description="Length of a vector.")


class VectorsConfig(_Section):
    """Where vectors are kept."""

    vector_db: Literal["pgvector"] = Field(
        "pgvector", description="Beside the rows, in PostgreSQL."
    )


class DocumentsConfig(_Section):
    """Which documents, and what is made of them."""

    mode: Literal["local"] = Field("local", description="Where the input lies.")
    input: list[str] = Field(min_length=1, description="Paths and patterns.")
    exclude: list[str] = Field([], description="Patterns of paths, below each input, to leave out.")
    parser: ParserConfig = ParserConfig()
    chunker: ChunkerConfig = ChunkerConfig()
    embedder: EmbedderConfig = EmbedderConfig()
    vector_db: VectorsConfig = VectorsConfig()

    @model_validator(mode="before")
    @classmethod
    def _aliases(cls, given: Any) -> Any:
        """The spellings of seed 004's original: `parser.input_directory`, and one input alone."""
        if not isinstance(given, dict):
            return given
        given = dict(given)
        parser = given.get("parser")
        if isinstance(parser, dict) and "input_directory" in parser:
            parser = dict(parser)
            folder = parser.pop("input_directory")
            given["parser"] = parser
            given.setdefault("input", folder)
        if isinstance(given.get("input"), str):
            given["input"] = [given["input"]]
        if isinstance(given.get("vector_db"), str):
            given["vector_db"] = {"vector_db": given["vector_db"]}
        return given

    def recipe(self) -> str:
        """Eight letters that say what is made of a file: chunks of two recipes do not mix."""
        made = self.model_dump(mode="json", include={"parser", "chunker", "embedder", "vector_db"})
        return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:8]

    def name(self) -> str:
        """What the connection is called: by what it reads, so that the same input is read on."""
        return " ".join(sorted(self.input))
