"""Building the request for a page: parameters in the query or the body, each by its dotted name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from headrace.errors import NeedsHuman
from headrace.rest.cursor import At, State
from headrace.rest.slices import bounds
from headrace.rest.spec import RestSpec
from headrace.rest.stream_spec import KeySlices, Pagination, Stream, TimeSlices
from headrace.rest.times import written


class Ask(msgspec.Struct):
    """One request, ready for the client. `json` is the encoded body of a POST."""

    method: str
    url: str
    params: dict[str, str]
    headers: dict[str, str]
    json: bytes | None


def build(spec: RestSpec, stream: Stream, slice_: str, state: State) -> Ask:
    """The request for the page at `state`. A next URL is asked as it was given (H3).

    Raises NeedsHuman for a cursor that cannot be sent where the spec wants it.
    """
    at = state.at
    if at is not None and at.url is not None:
        json = _body({**spec.params, **stream.params}) if stream.method == "POST" else None
        return Ask(stream.method, at.url, {}, {}, json)
    values: dict[str, Any] = {**spec.params, **stream.params}
    if stream.limit is not None:
        values[stream.limit.param] = stream.limit.value
    values.update(_since(stream, state))
    values.update(_slice(stream, slice_))
    query: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if at is not None:
        name, value = _position(stream.pagination, at)
        place = stream.pagination.place or ("body" if stream.method == "POST" else "query")
        if place == "header":
            headers[name] = _header(_text(value))
        elif place == "query" and stream.method == "POST":
            query[name] = value
        else:
            values[name] = value
    json = None
    if stream.method == "POST":
        json = _body(values)
    else:
        query = values
    path = stream.paths[min(state.path, len(stream.paths) - 1)]
    return Ask(stream.method, path, {k: _text(v) for k, v in query.items()}, headers, json)


def _position(paging: Pagination, at: At) -> tuple[str, Any]:
    if at.offset is not None:
        return paging.param or "offset", at.offset
    if at.page is not None:
        return paging.param or "page", at.page
    return paging.param or "cursor", at.cursor


def _since(stream: Stream, state: State) -> dict[str, str]:
    since = stream.since
    if since is None:
        return {}
    if state.since is None:
        return {} if since.start is None else {since.param: written(since.start, since.format)}
    # Whole seconds, and a look back: rows of the boundary second may still be arriving (H2).
    begin = state.since - timedelta(seconds=since.overlap_seconds)
    return {since.param: written(begin, since.format)}


def _slice(stream: Stream, slice_: str) -> dict[str, str]:
    cut = stream.slices
    if isinstance(cut, KeySlices):
        return {cut.param: slice_}
    if isinstance(cut, TimeSlices):
        begin, end = bounds(slice_)
        # APIs disagree on whether an edge belongs to the part; twice is harmless, never is not.
        return {
            cut.param_from: written(begin - timedelta(seconds=1), cut.format),
            cut.param_to: written(end, cut.format),
        }
    return {}


def _body(values: dict[str, Any]) -> bytes:
    """Dotted names become objects: `variables.after` is what GraphQL wants."""
    body: dict[str, Any] = {}
    for name, value in values.items():
        *parents, leaf = name.split(".")
        here = body
        for parent in parents:
            here = here.setdefault(parent, {})
        here[leaf] = value
    return msgspec.json.encode(body)


def _header(value: str) -> str:
    """A cursor is the source's text: it must not end a header and begin another."""
    if not value.isprintable():
        raise NeedsHuman(
            "The source's cursor cannot be sent in a header.",
            hint="Set pagination.in to query or body, as the API allows.",
        )
    return value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
