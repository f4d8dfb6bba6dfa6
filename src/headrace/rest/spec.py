"""The spec: everything Headrace must be told about an API, as Pydantic models.

The smallest useful one names an address and a path; records, ids and the common envelopes are
found by themselves:

    name: tickets
    base_url: https://api.example.com/v1
    auth: {bearer: true, env: TICKETS_TOKEN}
    streams:
      tickets: {path: /tickets}

A value called a *path* names a field, and a dot steps into an object: `pagination.nextCursor`.
Each field's description is its documentation; an unknown key is refused.
"""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from yarl import URL

from headrace.rest.stream_spec import Part, Scalar, Stream

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _header_name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a header")
    return name


def _header_value(value: str) -> str:
    if not value.isprintable():
        raise ValueError("a header is one line of printable text")
    return value


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name: letters, digits, _ . - and at most 63 of them")
    return name


HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValue = Annotated[str, AfterValidator(_header_value)]
Name = Annotated[str, AfterValidator(_named)]


class Auth(Part):
    """How the key is sent: one of header, bearer, basic, query. And where it is, if not sealed."""

    header: HeaderName | None = Field(None, description="Name of the header that carries the key.")
    bearer: bool = Field(False, description="`Authorization: Bearer KEY`.")
    basic: str | None = Field(None, description="User name of HTTP Basic; the key is its password.")
    query: str | None = Field(None, description="Name of the query parameter that carries the key.")
    env: str | None = Field(
        None,
        description="Environment variable that holds the key. Only in specs an operator wrote.",
    )
    key: SecretStr | None = Field(
        None, description="The key itself: sealed when the connection is made, never stored here."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [
            self.header is not None,
            self.bearer,
            self.basic is not None,
            self.query is not None,
        ]
        if sum(ways) != 1:
            raise ValueError("name exactly one of header, bearer, basic, query")
        if self.env is not None and self.key is not None:
            raise ValueError("give the key by env or by key, not by both")
        return self


class RestSpec(Part):
    """One API. What `headrace sync --spec FILE` reads."""

    name: Name = Field(description="What the connection is called.")
    base_url: str = Field(description="Where all paths begin. Only its origin is called.")
    auth: Auth | None = Field(None, description="How the key is sent. Without it none is sent.")
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, description="Sent with every request."
    )
    params: dict[str, Scalar] = Field(
        default_factory=dict, description="Sent with every request, as each stream's own are."
    )
    delay_ms: int = Field(
        0, ge=0, le=3_600_000, description="Least milliseconds between two requests (A2.7)."
    )
    timeout_s: float = Field(
        60, gt=0, le=600, description="Seconds one request may take, body included."
    )
    items_per_run: int | None = Field(
        None,
        ge=1,
        description="Records after which a run ends, at the end of a page; the next run goes on"
        " there. Only for APIs whose cursors are still good by then.",
    )
    streams: dict[Name, Stream] = Field(
        min_length=1, description="The sequences of records, by name."
    )

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        url = URL(value)
        if url.scheme not in {"http", "https"} or not url.host:
            raise ValueError("write it as https://api.example.com")
        if url.user is not None or url.password is not None:
            raise ValueError("it holds a user name or password: give that under auth")
        if url.query_string or url.fragment:
            raise ValueError("it must end with a path: give the rest under params")
        return value

    def without_key(self) -> tuple[RestSpec, str | None]:
        """This spec without the literal key, and that key: for sealing it."""
        if self.auth is None or self.auth.key is None:
            return self, None
        key = self.auth.key.get_secret_value()
        bare = self.auth.model_copy(update={"key": None})
        return self.model_copy(update={"auth": bare}), key
