"""How a job over documents is configured (seed 004's sections); everything but the input has a
default, and a key that nobody knows is refused."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import Field, model_validator

from headrace.files.bucket import SCHEME
from headrace.files.credentials import Credentials, VectorKey
from headrace.files.sections import (
    AwsConfig,
    ChunkerConfig,
    EmbedderConfig,
    Mode,
    ParserConfig,
    Section,
    VectorsConfig,
    refused,
)
from headrace.files.signing import Keys
from headrace.files.uploads import SCHEME as UPLOADS
from headrace.files.web import is_web

__all__ = ["AwsConfig", "ChunkerConfig", "DocumentsConfig", "EmbedderConfig", "ParserConfig"]


_LONGEST_NAME = 1_500
"""Bytes of a connection's name: it is a key in the database, whose index has room for 2,700."""


class DocumentsConfig(Section):
    """Which documents, and what is made of them."""

    mode: Mode = Field("local", description="Where inputs lie that do not begin with a scheme.")
    input: list[str] = Field(
        min_length=1,
        description="Paths and patterns, web addresses, s3://bucket/prefix, upload://name.",
    )
    exclude: list[str] = Field([], description="Patterns of paths, below each input, to leave out.")
    aws: AwsConfig = AwsConfig()
    parser: ParserConfig = ParserConfig()
    chunker: ChunkerConfig = ChunkerConfig()
    embedder: EmbedderConfig = EmbedderConfig()
    vector_db: VectorsConfig = VectorsConfig()

    @model_validator(mode="before")
    @classmethod
    def _aliases(cls, given: Any) -> Any:
        """The spellings of seed 004's original: `parser.input_directory`, `aws.input_bucket` alone,
        and one input alone."""
        if not isinstance(given, dict):
            return given
        given = dict(given)
        parser = given.get("parser")
        if isinstance(parser, dict) and "input_directory" in parser:
            parser = dict(parser)
            folder = parser.pop("input_directory")
            given["parser"] = parser
            given.setdefault("input", folder)
        aws = given.get("aws")
        if given.get("mode") == "s3" and isinstance(aws, dict) and aws.get("input_bucket"):
            given.setdefault("input", "")
        if isinstance(given.get("input"), str):
            given["input"] = [given["input"]]
        if isinstance(given.get("vector_db"), str):
            given["vector_db"] = {"vector_db": given["vector_db"]}
        return given

    @model_validator(mode="after")
    def _schemes(self) -> DocumentsConfig:
        """Every input says where it is, so that it is called the same whatever the mode."""
        self.input = [self._with_scheme(one) for one in self.input]
        return self

    def _with_scheme(self, named: str) -> str:
        if self.mode == "local" or is_web(named) or named.startswith((SCHEME, UPLOADS)):
            return named
        if self.mode == "http":
            raise refused("input", f"{named[:200]!r} does not begin with https:// or http://")
        if self.aws.input_bucket is None:
            raise refused(
                "input", f"{named[:200]!r} names no bucket, and neither does aws.input_bucket"
            )
        return f"{SCHEME}{self.aws.input_bucket}/{named.lstrip('/')}"

    def without_key(self) -> tuple[DocumentsConfig, str | None]:
        """This config without its keys, and those, each with what it is for, as one text: for
        sealing it."""
        identity, secret, token, vector_key = (
            None if one is None else one.get_secret_value()
            for one in (
                self.aws.access_key_id,
                self.aws.secret_access_key,
                self.aws.session_token,
                self.vector_db.api_key,
            )
        )
        given = Credentials()
        if identity is not None and secret is not None:
            given.aws = Keys(identity, secret, token, self.aws.endpoint_url)
        if vector_key and self.vector_db.url:
            given.vector_db = VectorKey(vector_key, self.vector_db.url)
        if given == Credentials():
            return self, None
        gone = dict.fromkeys(("access_key_id", "secret_access_key", "session_token"))
        bare = self.model_copy(
            update={
                "aws": self.aws.model_copy(update=gone),
                "vector_db": self.vector_db.model_copy(update={"api_key": None}),
            }
        )
        return bare, given.text()

    def recipe(self) -> str:
        """Eight letters that say what is made of a file: chunks of two recipes do not mix."""
        made = self.model_dump(mode="json", include={"parser", "chunker", "embedder"})
        # What another kind of index would want is left out: it must not make another recipe.
        made["vector_db"] = self.vector_db.model_dump(mode="json", exclude_none=True)
        return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:8]

    def name(self) -> str:
        """What the connection is called: by what it reads, so that the same input is read on."""
        whole = " ".join(sorted(self.input))
        encoded = whole.encode(errors="replace")
        if len(encoded) <= _LONGEST_NAME:
            return whole
        digest = hashlib.sha256(encoded).hexdigest()[:16]
        return f"{whole[:100]}... ({len(self.input)} inputs, {digest})"
