"""From an answer to a page: decode, judge, and find where the walk goes on."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headrace.errors import NeedsHuman, Retry
from headrace.http import Answer, Nonsense, require_json
from headrace.provider import BadRecord, Record
from headrace.rest.cursor import At
from headrace.rest.envelope import GUESSES, Envelope, EnvelopeReader
from headrace.rest.pagination import Following, Seen, following
from headrace.rest.paths import look
from headrace.rest.records import RecordReader, decode_any
from headrace.rest.salvage import salvage
from headrace.rest.stream_spec import Stream
from headrace.text import one_line

_BOM = b"\xef\xbb\xbf"
_NOT_JSON = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
_SHOWN = 20  # keys of a record named in a message


class Read(msgspec.Struct):
    """One answer, read: its records, where to go on, and how many records the walk has, if it
    says."""

    records: Sequence[Record]
    bad: Sequence[BadRecord]
    next: Following
    total: int | None = None


class PageReader:
    """Reads the answers of one stream; made once, it holds the compiled decoders."""

    def __init__(self, stream: Stream, secrets: tuple[str, ...] = ()) -> None:
        """`secrets` are blotted out of what the source says about its errors."""
        self._stream = stream
        self._envelope = EnvelopeReader(stream, secrets)
        self._records = RecordReader(stream.id, stream.time)
        self._limit = stream.limit.value if stream.limit else None

    def read(self, answer: Answer, at: At | None, *, begins: bool) -> Read:
        """The page in an answer; `begins` says that it is the first of a walk.

        Raises Retry for an answer that is broken or not what the spec says, and NeedsHuman when
        the first page shows that the spec cannot be right.
        """
        require_json(answer)
        body = answer.body.removeprefix(_BOM)
        try:
            envelope = self._envelope.read(body, answer.host)
            records, bad = self._records.read(envelope.array)
        except _NOT_JSON as problem:
            envelope, records, bad = self._salvage(body, answer.host, problem)
        count = len(records) + len(bad)
        if begins and bad and not records:
            self._check_ids(bad)
        seen = Seen(
            values=envelope.values,
            url=answer.url,
            links=answer.links,
            count=count,
            full=self._limit is None or count >= self._limit,
            body=body,
        )
        return Read(records, bad, following(self._stream.pagination, seen, at), envelope.total)

    def _salvage(
        self, body: bytes, host: str, problem: Exception
    ) -> tuple[Envelope, list[Record], list[BadRecord]]:
        """The page without the records that spoil it. Raises Retry when it cannot be cut."""
        declared = self._stream.records
        paths = [declared] if declared else [""] if body.lstrip()[:1] == b"[" else GUESSES
        found = salvage(body, paths)
        if found is not None:
            try:
                envelope = self._envelope.read(found.rest, host)
            except _NOT_JSON:
                found = None
        if found is not None and envelope.path == found.path:
            records, bad = self._records.one_by_one(found.records)
            return envelope, records, bad
        if isinstance(problem, RecursionError):
            raise Nonsense(f"{host} sent a page that is nested too deep.")
        raise Retry(f"{host} sent a page that is not whole JSON ({problem}).")

    def _check_ids(self, bad: Sequence[BadRecord]) -> None:
        """Raise NeedsHuman when no record of a first page has the id: the path must be wrong."""
        path = self._stream.id
        keys: set[str] = set()
        for one in bad:
            try:
                value = decode_any(one.raw)
            except ValueError:
                return
            if not isinstance(value, dict) or look(value, path) is not msgspec.UNSET:
                return
            keys.update(value)
        shown = one_line(", ".join(sorted(keys)[:_SHOWN])) or "no fields at all"
        raise NeedsHuman(
            f"No record of the first page has its id at {path!r}; there is: {shown}.",
            hint="Set `id` in the spec to the path of the id.",
        )
