"""Cutting a page that does not decode, so that one record cannot block the rest."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.rest.salvage import Salvaged, salvage

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(JSON, max_size=6), st.sampled_from([None, 1]), st.booleans())
def test_a_sound_page_is_cut_into_its_elements(rows: list[Any], indent: Any, ascii_: bool) -> None:
    """Covers X5, R13: whatever is in them: strings full of brackets, nested arrays, any spacing."""
    page = {"data_": [1], "page": {"items": rows, "next": "]"}, "items": [2]}
    body = json.dumps(page, indent=indent, ensure_ascii=ascii_).encode()

    found = salvage(body, ["page.items"])

    assert found is not None
    assert [json.loads(record) for record in found.records] == rows
    assert json.loads(found.rest) == {**page, "page": {"items": [], "next": "]"}}


@given(st.lists(JSON, max_size=4), st.data())
def test_a_page_that_breaks_off_is_never_cut(rows: list[Any], data: Any) -> None:
    """Covers R10: at whatever byte it breaks off."""
    body = json.dumps({"data": rows}).encode()
    cut = data.draw(st.integers(0, len(body) - 1))

    assert salvage(body[:cut], ["data"]) is None


@pytest.mark.parametrize(
    ("body", "paths", "records"),
    [
        (b'{"data":[{"x":NaN}, {"y":1} ]}', ["data"], [b'{"x":NaN}', b'{"y":1}']),
        (b'[1, {"a":[2]}]', [""], [b"1", b'{"a":[2]}']),
        (b'{"items":[1]}', ["data", "items"], [b"1"]),
        (b'{"x":{"data":[1]},"data":[2]}', ["data"], [b"2"]),
        (b'{"x":["data",[1]],"data":[3]}', ["data"], [b"3"]),
        (b'{"data":[ ]}', ["data"], []),
    ],
)
def test_the_right_array(body: bytes, paths: list[str], records: list[bytes]) -> None:
    """Covers R13: the one at the path, not one that looks like it."""
    found = salvage(body, paths)

    assert isinstance(found, Salvaged)
    assert found.records == records


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":[1}]',
        b'{"data":[1,]}',
        b'{"data":[1,,2]}',
        b'{"data":7}',
        b"7",
        b"",
        b'{"data":["]}',
    ],
)
def test_what_cannot_be_cut(body: bytes) -> None:
    """Covers R10: unbalanced, misplaced commas, no array."""
    assert salvage(body, ["data"]) is None


def test_the_work_is_bounded() -> None:
    """Covers R11: a hostile page of 32 MB costs no more than one of a million marks."""
    began = time.process_time()

    assert salvage(b'{"data":' + b"[" * 32_000_000, ["data"]) is None
    assert time.process_time() - began < 10
