"""What is shown of an event."""

from __future__ import annotations

import json

from headrace.out.snippet import snippet


def test_it_begins_near_the_first_word_that_was_found() -> None:
    text = json.dumps({"note": " ".join(f"w{n}" for n in range(200))})
    shown = snippet(text, {"w150"})
    assert "**w150**" in shown
    assert len(shown) <= 204
    assert not shown.startswith(" ")


def test_values_are_named_and_nested_ones_too() -> None:
    document = json.dumps({"a": {"b": [1, "two"]}, "c": None, "d": True})
    assert snippet(document, {"two"}) == "b: 1, b: **two**, d: True"


def test_what_is_no_json_is_shown_as_it_stands() -> None:
    assert snippet('{"note": "cut of', {"cut"}) == '{"note": "**cut** of'
    assert snippet("", {"x"}) == ""
    assert snippet("[" * 5_000, {"x"}) == "[" * 200
