"""The sections of a job's configuration. A key or a choice that nobody knows is refused, with the
nearest one that there is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError


def refused(kind: str, sentence: str) -> PydanticCustomError:
    """An error in these words; whoever shows it ends the sentence."""
    return PydanticCustomError(kind, "{said}", {"said": sentence})


def _near(word: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}" if near else f"known are {', '.join(known)}"


def _choice(what: str, *known: str) -> BeforeValidator:
    """One of these words; another one is refused with the nearest."""

    def check(given: Any) -> Any:
        if isinstance(given, str) and given not in known:
            raise refused(what, f"There is no {what} {given[:40]!r}: {_near(given, known)}")
        return given

    return BeforeValidator(check)


VECTOR_DBS = ("pgvector", "qdrant")


def _vector_db(given: Any) -> Any:
    if isinstance(given, str) and given not in VECTOR_DBS:
        there = " and ".join(VECTOR_DBS)
        raise refused("vector_db", f"There is no vector_db {given[:40]!r}: there are {there}")
    return given


Mode = Annotated[Literal["local", "http", "s3"], _choice("mode", "local", "http", "s3")]
Tool = Annotated[str, _choice("tool", "auto", "pypdfium2", "kreuzberg", "text")]
STRATEGIES = ("recursive_chunking", "mdstructure", "sentence_chunking", "semantic_chunking")
Strategy = Annotated[str, _choice("chunk_strategy", *STRATEGIES)]
Maker = Annotated[Literal["local", "openai"], _choice("provider", "local", "openai")]
VectorDb = Annotated[Literal["pgvector", "qdrant"], BeforeValidator(_vector_db)]


class Section(BaseModel):
    """A section: its keys are all there are."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, given: Any) -> Any:
        if isinstance(given, dict):
            for key in given:
                if key not in cls.model_fields:
                    near = _near(str(key), cls.model_fields)
                    raise refused("unknown_key", f"There is no key {str(key)[:40]!r} here: {near}")
        return given


class ParserConfig(Section):
    """How files are read."""

    tool: Tool = Field("auto", description="What reads the files; auto: the best for each type.")
    ocr: bool = Field(
        False, description="Whether pictures of text are read, where OCR is installed."
    )


class ChunkerConfig(Section):
    """How texts are cut."""

    chunk_strategy: Strategy = Field(
        "recursive_chunking", description="How texts are cut, by name."
    )
    chunk_size: int = Field(800, ge=1, le=100_000, description="Characters of a chunk, at most.")
    chunk_overlap: int = Field(100, ge=0, description="Characters that neighbours share.")

    @model_validator(mode="after")
    def _less(self) -> ChunkerConfig:
        if self.chunk_overlap >= self.chunk_size:
            raise ValueError("chunk_overlap must be smaller than chunk_size")
        return self


class EmbedderConfig(Section):
    """What makes vectors of chunks."""

    provider: Maker = Field(
        "local", description="local: on this machine. openai: any endpoint that speaks its API."
    )
    model: str | None = Field(None, description="The model's name; each provider has a default.")
    base_url: str | None = Field(None, description="Where the endpoint is.")
    dimensions: int | None = Field(None, ge=1, le=4000, description="Length of a vector.")


class VectorsConfig(Section):
    """Where the nearest vectors are looked up. The key is taken out and sealed before anything is
    kept."""

    vector_db: VectorDb = Field(
        "pgvector",
        description="pgvector: beside the rows, in PostgreSQL. qdrant: a Qdrant as well.",
    )
    url: str | None = Field(None, max_length=1000, description="Where the Qdrant is.")
    collection: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{1,100}$",
        description="What its collections' names begin with. Without it: headrace.",
    )
    api_key: SecretStr | None = Field(None, exclude=True)

    @model_validator(mode="after")
    def _whose(self) -> VectorsConfig:
        if self.vector_db == "qdrant" and not self.url:
            raise refused("vector_db", "vector_db qdrant needs the url of the Qdrant")
        if self.vector_db == "pgvector" and (self.url or self.collection or self.api_key):
            raise refused("vector_db", "url, collection and api_key are for vector_db qdrant")
        return self


class AwsConfig(Section):
    """An S3-compatible store. The keys are taken out and sealed before anything is kept."""

    input_bucket: str | None = Field(None, description="The bucket of inputs that do not name one.")
    region: str | None = Field(None, max_length=40, description="Without it: us-east-1.")
    endpoint_url: str | None = Field(None, max_length=1000, description="Without it: that of AWS.")
    access_key_id: SecretStr | None = Field(None, exclude=True)
    secret_access_key: SecretStr | None = Field(None, exclude=True)
    session_token: SecretStr | None = Field(None, exclude=True)

    @model_validator(mode="after")
    def _both(self) -> AwsConfig:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise refused("keys", "access_key_id and secret_access_key are given together or not")
        return self
