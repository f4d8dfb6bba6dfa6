"""What surrounds the records of an answer. A 200 is no success before this has been read (R9)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from headrace.errors import Retry
from headrace.http import Nonsense
from headrace.http.answers import in_words
from headrace.rest.pagination import paths_of
from headrace.rest.paths import Getter, compile_paths, keys_of
from headrace.rest.stream_spec import Stream

GUESSES = ("data", "items", "results", "records")
"""Where records are looked for when the spec does not say."""


TOTALS = ("meta.total", "pagination.total", "total", "total_count", "totalCount")
"""Where it is looked for how many records there are in all."""


class Envelope(msgspec.Struct):
    """One decoded answer. `array` is the JSON array of records, `path` where it was ("": the answer
    itself), `values` the fields that a paginator asked for, `total` how many records there are in
    all, as far as it says."""

    array: bytes | msgspec.Raw
    path: str
    values: dict[str, Any]
    total: int | None = None


class EnvelopeReader:
    """Reads the answers of one stream."""

    def __init__(self, stream: Stream, secrets: tuple[str, ...] = ()) -> None:
        self._secrets = secrets
        self._declared = stream.records
        self._candidates = (stream.records,) if stream.records else GUESSES
        signals = paths_of(stream.pagination)
        paths: dict[str, Any] = dict.fromkeys([*self._candidates, *signals], msgspec.Raw)
        for name in ("error", "errors"):
            if not any(path.partition(".")[0] == name for path in paths):
                paths[name] = msgspec.Raw
        totals = [path for path in TOTALS if path not in paths and _fits(path, paths)]
        paths.update(dict.fromkeys(totals, msgspec.Raw))
        struct, getters = compile_paths("Envelope", paths, strict=False)
        self._decoder = msgspec.json.Decoder(struct)
        self._errors: list[Getter] = [getters[n] for n in ("errors", "error") if n in getters]
        self._records = [(path, getters[path]) for path in self._candidates]
        self._signals = [(path, getters[path]) for path in signals]
        self._totals = [getters[path] for path in totals]

    def read(self, body: bytes, host: str) -> Envelope:
        """The envelope of an answer. Raises Retry for one that is not what the spec says, or says
        itself that it failed; msgspec.DecodeError or RecursionError for one that is not JSON."""
        if body.lstrip()[:1] == b"[":
            if self._declared is not None:
                raise self._misshapen(body, host)
            return Envelope(body, "", {})
        try:
            fields = self._decoder.decode(body)
        except msgspec.ValidationError:
            raise self._misshapen(body, host) from None
        for getter in self._errors:
            self._refuse_error(getter(fields), host)
        values = {}
        for path, getter in self._signals:
            raw = getter(fields)
            if raw is not msgspec.UNSET:
                values[path] = msgspec.json.decode(raw)
        for path, getter in self._records:
            raw = getter(fields)
            if raw is msgspec.UNSET:
                continue
            if bytes(memoryview(raw)[:1]) == b"[":
                return Envelope(raw, path, values, self._total(fields))
            if bytes(raw) == b"null" and values:
                return Envelope(b"[]", path, values)  # how Go writes an empty list
        raise self._misshapen(body, host)

    def _total(self, fields: Any) -> int | None:
        for getter in self._totals:
            raw = getter(fields)
            if raw is not msgspec.UNSET and bytes(raw).isdigit() and len(raw) < 16:
                return int(bytes(raw))
        return None

    def _refuse_error(self, raw: Any, host: str) -> None:
        """Raise Retry when an answer with status 200 carries an error (H11)."""
        if raw is msgspec.UNSET:
            return
        error = msgspec.json.decode(raw)
        if error:
            said = in_words(error, self._secrets) or "it does not say which"
            raise Retry(
                f"{host} answered 200 with an error: {said}.",
                hint="If the request is wrong, correct the spec's path or params.",
            )

    def _misshapen(self, body: bytes, host: str) -> Retry:
        where = f"at {self._declared}" if self._declared else f"in {', '.join(GUESSES)}"
        return Nonsense(
            f"{host} sent no array of records {where}: its answer is {keys_of(body)}.",
            hint="Set `records` in the spec to the path of the array.",
        )


def _fits(path: str, others: Iterable[str]) -> bool:
    """Whether a field can be read beside those: none is the way to another."""
    return not any(f"{one}.".startswith(f"{path}.") or path.startswith(f"{one}.") for one in others)
