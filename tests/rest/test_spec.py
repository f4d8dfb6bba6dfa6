"""Reading specs: small ones work, wrong ones are answered with a place and a suggestion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headrace.errors import BadInput
from headrace.rest import RestSpec, load_spec, parse_spec
from headrace.rest.stream_spec import Part

WHOLE = """\
name: datasync
base_url: https://api.example.com
auth: {header: X-API-Key, env: DATASYNC_KEY}
headers: {X-Team: data}
params: {tenant: 7}
delay_ms: 100
timeout_s: 30
streams:
  events:
    path: [/events, /api/v1/events]
    records: data
    id: id
    time: timestamp
    params: {types: click, archived: false}
    pagination: {style: cursor, param: cursor, in: query, from: pagination.nextCursor,
                 has_more: pagination.hasMore}
    limit: {param: limit, value: 500}
    slices: {by: time, param_from: since, param_to: until, from: 2026-01-01, to: 2026-02-01,
             count: 4}
    project: {type: type, name: name, actor_id: userId, session_id: sessionId,
              properties: properties}
  users:
    path: /users
    time: updatedAt
    since: {param: updated_since, format: unix_ms, overlap_seconds: 30}
    limit: null
"""

SMALL = "name: a\nbase_url: http://x\nstreams:\n  events:\n    path: /events\n"


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "spec.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_every_key(tmp_path: Path) -> None:
    """Covers A2.19, A2.39: and a spec survives being stored as JSON."""
    spec = load_spec(write(tmp_path, WHOLE))

    assert RestSpec.model_validate_json(spec.model_dump_json()) == spec
    assert parse_spec(json.loads(spec.model_dump_json())) == spec
    short = spec.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    assert RestSpec.model_validate(json.loads(json.dumps(short))) == spec
    assert spec.streams["events"].pagination.source == "pagination.nextCursor"
    assert spec.streams["users"].limit is None


def test_the_smallest(tmp_path: Path) -> None:
    """Covers A2.6: an address and a path are enough."""
    spec = load_spec(write(tmp_path, SMALL))

    limit = spec.streams["events"].limit
    assert limit is not None
    assert (limit.param, limit.value) == ("limit", 100)


@pytest.mark.parametrize(
    ("added", "message"),
    [
        (
            "    pathh: 1\n",
            "line 6: there is no key 'pathh' in streams.events. Did you mean 'path'?",
        ),
        ("    since: {parm: a}\n", "'parm' in streams.events.since. Did you mean 'param'?"),
        (
            "    slices: {by: time, frm: 1}\n",
            "'frm' in streams.events.slices. Did you mean 'from'?",
        ),
        ("    pagination: {hasmore: a}\n", "Did you mean 'has_more'?"),
        ("bas_url: x\n", "line 6: there is no key 'bas_url'. Did you mean 'base_url'?"),
        ("zzz: x\n", "There are: name, base_url, auth, headers"),
        ("    limit: {value: many}\n", "line 6: streams.events.limit.value cannot be used"),
        ("    since: {param: a}\n", "since needs `time`"),
        ("    pagination: {style: cursor}\n", "style cursor needs `from`"),
        ("    pagination: {style: offset, resume: true}\n", "resume needs style cursor"),
        ("    slices: {by: key, param: a, values: [b, b]}\n", "each value must be there once"),
        ("    slices: {by: tme}\n", "slices cannot be used"),
        ("    id: a..b\n", "streams.events.id cannot be used: 'a..b' is not a path"),
        ("    id: a\n    time: a.b\n", "a cannot be used itself and as the way to a.b"),
        ("auth: {}\n", "name exactly one of header, bearer, basic, query"),
        ("auth: {bearer: true, header: X}\n", "name exactly one of"),
        ("auth: {bearer: true, env: A, key: b}\n", "by env or by key"),
        ("auth: {header: 'a b'}\n", "'a b' is not the name of a header"),
        ('headers: {X-A: "a\\r\\nX-B: b"}\n', "one line of printable text"),
        ("delay_ms: -1\n", "line 6: delay_ms cannot be used"),
    ],
)
def test_mistakes(tmp_path: Path, added: str, message: str) -> None:
    """Covers A2.36: file, line, key and the word that was probably meant."""
    path = write(tmp_path, SMALL + added)

    with pytest.raises(BadInput) as caught:
        load_spec(path)

    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a mapping"),
        ("[1]", "must be a mapping"),
        ("a: [", "line 1"),
        ("\tname: a", "line 1"),
        (b"\xff\xfe", "not UTF-8"),
        ("a\x01: b", "not YAML"),
        ("!!python/object/apply:os.system [ls]", "line 1"),
        ("name: a\n", "the key base_url is missing"),
        (SMALL.replace("http://x", "x"), "line 2: base_url cannot be used: write it as https"),
        (SMALL.replace("http://x", "http://u:p@x"), "give that under auth"),
        (SMALL.replace("http://x", "http://x?a=1"), "give the rest under params"),
        (SMALL.replace("/events", "http://evil/"), "must be a path below base_url"),
        (SMALL.replace("/events", "//evil/"), "must be a path below base_url"),
        (SMALL.replace("/events", "[]"), "name at least one path"),
        (SMALL.replace("events:", "ev ents:"), "'ev ents' is not a name"),
        ("name: a\nbase_url: http://x\nstreams: {}\n", "streams cannot be used"),
        (SMALL + "#" * (1 << 20), "larger than 1 MiB"),
    ],
)
def test_files_that_are_no_specs(tmp_path: Path, text: str | bytes, message: str) -> None:
    """Covers A2.36: unreadable YAML, wrong types, addresses that must not be."""
    with pytest.raises(BadInput, match="spec") as caught:
        load_spec(write(tmp_path, text))

    assert message in str(caught.value)


def test_no_such_file(tmp_path: Path) -> None:
    """Covers A2.36: a missing file, and a folder."""
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(BadInput, match="cannot be read"):
            load_spec(path)


def test_a_secret_in_a_mistake_is_not_shown(tmp_path: Path) -> None:
    """Covers O9: the message names the key, never its value."""
    text = SMALL + "auth: {bearer: true, key: [canary-secret]}\n"

    with pytest.raises(BadInput) as caught:
        load_spec(write(tmp_path, text))

    assert "canary" not in str(caught.value)


def test_every_key_is_documented() -> None:
    """Covers A2.39: the reference page is made from these descriptions."""

    def parts(kind: type[Any]) -> list[type[Any]]:
        return [kind, *(p for sub in kind.__subclasses__() for p in parts(sub))]

    for part in parts(Part):
        assert part.__doc__
        for name, field in part.model_fields.items():
            assert field.description, name
