"""Words, and text that PostgreSQL takes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.text import MAX_TERM, MAX_TERMS, clean_json, clean_text, tokenize


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a\0b\0", "ab"),
        ("\ud800", "\ufffd"),
        ("ä\udfffö", "ä\ufffdö"),
        ("😀", "😀"),
        ("", ""),
    ],
)
def test_clean_text(text: str, expected: str) -> None:
    """Covers R12: NUL goes, half a surrogate becomes U+FFFD."""
    assert clean_text(text) == expected


@given(st.text(alphabet=st.characters() | st.sampled_from("\0\ud800\udfff")))
def test_clean_text_is_text_for_postgresql(text: str) -> None:
    """Covers R12: for any text, and cleaning twice changes nothing."""
    found = clean_text(text)

    assert "\0" not in found
    assert found.encode("utf-8")[:0] == b""
    assert clean_text(found) == found


@given(st.lists(st.text(alphabet='\0\ud800\udc00\\"u0a😀'), max_size=5))
def test_clean_json_changes_only_what_it_must(values: list[str]) -> None:
    """Covers R12: escapes are told from text that looks like one, and pairs stay whole."""
    found = json.loads(clean_json(json.dumps(values).encode()))

    # Joining halves that json wrote apart is what a decoder does.
    whole = [v.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for v in values]
    assert [f.replace("\ufffd", "") for f in found] == [
        "".join(c for c in w if c not in "\0\ufffd") for w in whole
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Add to Cart!", {"add", "to", "cart"}),
        ("page_view", {"page_view"}),
        ("Straße ÉCOLE 東京 2026", {"straße", "école", "東京", "2026"}),
        ("a-b.c/d", {"a", "b", "c", "d"}),
        ("", set()),
        (" ,;\0", set()),
    ],
)
def test_tokenize(text: str, expected: set[str]) -> None:
    """Covers A1.33: words in any script, in lower case."""
    assert tokenize(text) == expected


def test_bounds() -> None:
    """Covers R11: a term has a length, a text a number of terms."""
    assert tokenize("x" * 1000) == {"x" * MAX_TERM}
    assert len(tokenize(" ".join(map(str, range(5000))))) == MAX_TERMS
    assert tokenize("same " * 5000) == {"same"}
