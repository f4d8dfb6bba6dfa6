"""Link headers, as RFC 8288 allows them to be written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.http.links import links, next_link


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('<https://a.example/x?after=7>; rel="next"', "https://a.example/x?after=7"),
        ("</x?after=7>; rel=next", "/x?after=7"),
        ("<?after=7>;rel=next", "?after=7"),
        ('</1>; rel="prev", </3>; rel="next"', "/3"),
        ('</3>; rel="last next"', "/3"),
        ('</3>; REL="NEXT"', "/3"),
        ('</1>; title="a, b; rel=next"; rel="prev", </3>; rel="next"', "/3"),
        (r'</1>; title="say \"x\", </9>; rel=next"; rel="prev", </3>; rel="next"', "/3"),
        ("</a,b;c>; rel=next", "/a,b;c"),
        ('</3> ; rel = "next" ; title=x', "/3"),
        ('</3>; rel="prev"; rel="next"', None),
        ('</3>; rel="nextish"', None),
        ('</3>; title="next"', None),
        ("</3>", None),
        ("rel=next", None),
        ("", None),
        ("<", None),
        (",,, </3>; rel=next,,", "/3"),
    ],
)
def test_next(header: str, expected: str | None) -> None:
    """Covers R5: commas and semicolons in quotes, several relations, relative addresses."""
    assert next_link([header]) == expected


def test_several_headers() -> None:
    """Covers R5: the field may come more than once."""
    assert next_link(["</1>; rel=prev", "</3>; rel=next"]) == "/3"


@given(st.text(alphabet='<>;,="\\ arelnxt/?', max_size=80))
def test_nonsense_ends(header: str) -> None:
    """Covers R5: any header is read to an end."""
    list(links(header))
