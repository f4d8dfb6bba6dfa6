"""The records of a page: the whole page in one typed pass, one by one only where that fails.

A record that cannot be used becomes a `BadRecord`, alone; the page goes on (R13, ruling X5).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from headrace.provider import BadRecord, Record
from headrace.rest.ids import MAX_ID, canonical_id
from headrace.rest.paths import compile_paths, look
from headrace.rest.times import moment, quick_moment
from headrace.text import clean_json

_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_HINT = "Correct the spec's id or time, or the record at its source, then retry the dead letter."


class RecordReader:
    """Reads the records of one stream. `id_path` and `time_path` are dotted paths."""

    def __init__(self, id_path: str, time_path: str | None) -> None:
        self._id_path = id_path
        self._time_path = time_path
        paths: dict[str, Any] = {id_path: int | str}
        if time_path is not None:
            paths[time_path] = int | float | str | None
        struct, getters = compile_paths("Fields", paths, strict=True)
        self._page = msgspec.json.Decoder(list[struct])  # type: ignore[valid-type]
        self._id = getters[id_path]
        self._time = getters[time_path] if time_path is not None else None

    def read(self, array: bytes | msgspec.Raw) -> tuple[list[Record], list[BadRecord]]:
        """The records of a JSON array. Raises msgspec.DecodeError or RecursionError when the array
        as a whole is beyond msgspec: see `salvage`."""
        raws = _RAW_LIST.decode(array)
        try:
            return self._typed(raws, self._page.decode(array)), []
        except (msgspec.ValidationError, ValueError):
            return self.one_by_one([bytes(raw) for raw in raws])

    def _typed(self, raws: list[msgspec.Raw], typed: list[Any]) -> list[Record]:
        """Raises ValueError at the first record that is not plain."""
        ident, time = self._id, self._time
        records: list[Record] = []
        add = records.append
        for raw, fields in zip(raws, typed, strict=True):
            source_id = ident(fields)
            if type(source_id) is not str or not 0 < len(source_id) <= MAX_ID or "\0" in source_id:
                source_id = canonical_id(source_id)
            at = None
            if time is not None:
                value = time(fields)
                if value is not None and value is not msgspec.UNSET:
                    at = quick_moment(value)
            add(Record(source_id, bytes(raw), at))
        return records

    def one_by_one(self, raws: Sequence[bytes]) -> tuple[list[Record], list[BadRecord]]:
        """The same for records that are already apart; each is judged for itself."""
        records: list[Record] = []
        bad: list[BadRecord] = []
        for raw in raws:
            one = self.judge(raw)
            if isinstance(one, Record):
                records.append(one)
            else:
                bad.append(one)
        return records, bad

    def judge(self, raw: bytes) -> Record | BadRecord:
        """What one record's bytes are worth."""
        try:
            value = decode_any(raw)
        except ValueError as error:
            return BadRecord(raw, f"The record {error}.", _HINT)
        if not isinstance(value, dict):
            return BadRecord(raw, "The record is not an object.", _HINT)
        found = look(value, self._id_path)
        try:
            source_id = canonical_id(None if found is msgspec.UNSET else found)
        except ValueError as error:
            return BadRecord(raw, f"The record's id ({self._id_path}) {error}.", _HINT)
        at = None
        if self._time_path is not None:
            when = look(value, self._time_path)
            if when is not None and when is not msgspec.UNSET:
                try:
                    at = moment(when)
                except ValueError as error:
                    reason = f"The record's time ({self._time_path}) {error}."
                    return BadRecord(raw, reason, _HINT, source_id)
        return Record(source_id, raw, at)


def decode_any(raw: bytes) -> Any:
    """One JSON value. Raises ValueError, its message going on from "The record".

    msgspec refuses lone surrogates, which APIs written in JavaScript do send; the standard library
    takes them, but it also takes NaN, so it is asked only when surrogates are all that is wrong.
    """
    try:
        return msgspec.json.decode(raw)
    except RecursionError:
        raise ValueError("is nested too deep") from None
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None
    except msgspec.DecodeError as error:
        try:
            msgspec.json.decode(clean_json(raw))
            return json.loads(raw)
        except (ValueError, RecursionError):
            raise ValueError(f"is not JSON ({error})") from None
