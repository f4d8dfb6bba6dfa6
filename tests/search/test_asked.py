"""Queries as people type them, taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.out.asked import MAX_PARTS, Part, parse


def told(text: str) -> tuple[list[str], list[str]]:
    """What is wanted and what is not; phrases in quotes."""

    def show(part: Part) -> str:
        return f'"{part.text}"' if part.phrase else part.text

    asked = parse(text)
    return [show(part) for part in asked.wanted], [show(part) for part in asked.unwanted]


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("Flight to Lisbon", ["flight", "to", "lisbon"], []),
        ('"boundary layer" flow', ['"boundary layer"', "flow"], []),
        ("invoice -draft", ["invoice"], ["draft"]),
        ('invoice -"not this"', ["invoice"], ['"not this"']),
        ("e-mail a--b", ["e-mail", "a--b"], []),
        ("again again Again", ["again"], []),
        ('left "open at the end', ["left", '"open at the end' + '"'], []),
        ('a"b c"d', ["a", '"b c"', "d"], []),
        ("-only", [], ["only"]),
        ("", [], []),
        (' - -- "" -"" !?.,;: 💧', [], []),
        ("nul\0byte \ud800", ["nulbyte"], []),
        ("'; DROP TABLE events; --", ["';", "drop", "table", "events;"], []),
    ],
)
def test_a_query_is_words_phrases_and_exclusions(
    text: str, wanted: list[str], unwanted: list[str]
) -> None:
    found = told(text)
    # What has no letter or digit in it is no word.
    wanted = [one for one in wanted if any(letter.isalnum() for letter in one)]
    assert found == (wanted, unwanted)


@given(st.text(alphabet=st.characters() | st.sampled_from('"-\0 \t'), max_size=300))
def test_anything_can_be_taken_apart(text: str) -> None:
    asked = parse(text)
    parts = [*asked.wanted, *asked.unwanted]
    assert all(any(c.isalnum() or c == "_" for c in part.text) for part in parts)
    assert not any("\0" in part.text or '"' in part.text for part in parts)


def test_a_page_of_text_is_cut() -> None:
    asked = parse(" ".join(f"w{n}" for n in range(5_000)))
    assert len(asked.wanted) == MAX_PARTS
    assert parse("x" * 10_000).wanted[0].text == "x" * 1_000
