"""The spec of one stream: where its records are, how pages follow each other, what they mean."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from headrace.rest.times import TimeFormat

Scalar = str | int | float | bool


def _dotted(path: str) -> str:
    if not path or not all(path.split(".")):
        raise ValueError(f"{path!r} is not a path: name a field, as in data or meta.items")
    return path


def _apart(*paths: str | None) -> None:
    """Raise ValueError when one path leads through the end of another: it cannot be both."""
    named = sorted({path for path in paths if path})
    for path in named:
        for other in named:
            if other.startswith(f"{path}."):
                raise ValueError(f"{path} cannot be used itself and as the way to {other}")


def _instant(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


def _aware(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Path = Annotated[str, AfterValidator(_dotted)]
Instant = Annotated[datetime, BeforeValidator(_instant), AfterValidator(_aware)]


class Part(BaseModel):
    """Any part of a spec: unknown keys are refused, and `in` and `from` keep their names."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=True, serialize_by_alias=True
    )


class Pagination(Part):
    """How one page leads to the next. A walk ends on the declared signal only, never on an empty
    page (R1); `offset` and `page` have no signal but the empty page unless one is declared."""

    style: Literal["auto", "cursor", "next_url", "link_header", "offset", "page", "none"] = Field(
        "auto",
        description="auto finds hasMore/nextCursor (nested or flat), next URLs and Link headers."
        " offset and page miss records when the source changes during a walk (R4).",
    )
    param: str | None = Field(
        None, description="Parameter for the cursor, offset or page. Default: the style's name."
    )
    place: Literal["query", "body", "header"] | None = Field(
        None,
        alias="in",
        description="Where that parameter goes. Default: query, or body for POST.",
    )
    source: Path | None = Field(
        None, alias="from", description="Path of the next cursor or next URL in the answer."
    )
    has_more: Path | None = Field(
        None, description="Path of the true or false that says whether there is more."
    )
    total: Path | None = Field(
        None, description="offset: path of the number of records. page: of the number of pages."
    )
    start: int | None = Field(
        None, ge=0, description="First offset or page. Default: 0 for offset, 1 for page."
    )
    resume: bool = Field(
        False,
        description="The next run goes on from the last cursor instead of walking from the start."
        " Right only where that cursor leads to what is new.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.style in {"cursor", "next_url"} and self.source is None:
            raise ValueError(f"style {self.style} needs `from`: the path of the next one")
        if self.resume and self.style not in {"cursor", "next_url", "link_header"}:
            raise ValueError("resume needs style cursor, next_url or link_header")
        return self


class Limit(Part):
    """How many records one page should hold."""

    param: str = Field("limit", description="Parameter for the number.")
    value: int = Field(100, ge=1, le=100_000, description="Records asked for (A2.6).")


class Since(Part):
    """Incremental runs: ask only for what changed after the newest time seen. Needs `time`."""

    param: str = Field(description="Parameter for the time.")
    format: TimeFormat = Field("iso", description="iso, unix or unix_ms.")
    overlap_seconds: float = Field(
        60, ge=0, description="How far each run looks back behind that time: late writers exist."
    )
    start: Instant | None = Field(None, description="Time the very first run begins with.")


class TimeSlices(Part):
    """Parts of a stream, cut by time, that are walked side by side, each with its checkpoint."""

    by: Literal["time"] = Field(description="time")
    param_from: str = Field(description="Parameter for the time a part begins with.")
    param_to: str = Field(description="Parameter for the time it ends before.")
    begin: Instant = Field(alias="from", description="Where the first part begins.")
    end: Instant = Field(
        alias="to", description="Where the last part ends; later records stay out."
    )
    count: int = Field(4, ge=1, le=1000, description="Number of parts.")
    format: TimeFormat = Field("iso", description="iso, unix or unix_ms.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.begin >= self.end:
            raise ValueError("`from` must be before `to`")
        return self


class KeySlices(Part):
    """Parts of a stream, cut by the value of one parameter."""

    by: Literal["key"] = Field(description="key")
    param: str = Field(description="Parameter that takes each value.")
    values: list[str] = Field(min_length=1, max_length=1000, description="One part for each.")

    @field_validator("values")
    @classmethod
    def _distinct(cls, values: list[str]) -> list[str]:
        if len(set(values)) != len(values) or "" in values:
            raise ValueError("each value must be there once, and none empty")
        return values


class Projection(Part):
    """Which fields become columns of the table `events`. Unset: DataSync's names, where present."""

    type: Path = Field("type", description="Path of the kind of event.")
    name: Path = Field("name", description="Path of its name.")
    actor_id: Path = Field("userId", description="Path of who did it.")
    session_id: Path = Field("sessionId", description="Path of the session it belongs to.")
    properties: Path = Field("properties", description="Path of an object with anything else.")
    time: Path | None = Field(None, description="Path of the time. Default: the stream's `time`.")


class Stream(Part):
    """One sequence of records."""

    path: str | list[str] = Field(
        description="Path below base_url. Of several, the first that is not 404 is taken (A2.24)."
    )
    method: Literal["GET", "POST"] = Field("GET", description="POST sends parameters as JSON.")
    records: Path | None = Field(
        None,
        description="Path of the array of records. Default: the answer itself, or its data, items,"
        " results or records.",
    )
    id: Path = Field("id", description="Path of a record's id: text or a number.")
    time: Path | None = Field(
        None, description="Path of a record's time: ISO 8601 or a number since 1970, even mixed."
    )
    params: dict[str, Scalar] = Field(default_factory=dict, description="Sent with each request.")
    pagination: Pagination = Field(
        default_factory=lambda: Pagination(), description="How one page leads to the next."
    )
    limit: Limit | None = Field(
        default_factory=lambda: Limit(), description="Size of a page; null sends none."
    )
    since: Since | None = Field(None, description="Ask only for what changed since the last run.")
    slices: Annotated[TimeSlices | KeySlices, Field(discriminator="by")] | None = Field(
        None, description="Parts that are walked side by side, cut by time or by key."
    )
    project: Projection = Field(
        default_factory=lambda: Projection(), description="Columns of the table `events`."
    )

    @field_validator("path")
    @classmethod
    def _relative(cls, value: str | list[str]) -> str | list[str]:
        paths = [value] if isinstance(value, str) else value
        if not paths:
            raise ValueError("name at least one path")
        for path in paths:
            if "://" in path or path.startswith("//") or "?" in path or "#" in path:
                raise ValueError(f"{path!r} must be a path below base_url; see params for the rest")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.since is not None and self.time is None:
            raise ValueError("since needs `time`: the path of the time it compares with")
        if self.since is not None and isinstance(self.slices, TimeSlices):
            raise ValueError("cut by time with slices or run incrementally with since, not both")
        paging, project = self.pagination, self.project
        _apart(self.records, paging.source, paging.has_more, paging.total)
        _apart(self.id, self.time)
        _apart(*(getattr(project, name) for name in Projection.model_fields), self.time)
        return self

    @property
    def paths(self) -> list[str]:
        """The path, or the paths to try in order."""
        return [self.path] if isinstance(self.path, str) else self.path
