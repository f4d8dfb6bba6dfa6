"""HTML to text: what a reader sees, and no more time than its length deserves."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from headrace.mail.html import html_to_text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div>a<br>b<br/>c</div>", "a\nb\nc"),
        ("a <b>bold</b>word", "a boldword"),
        ("<style>p{}</style><script>x<y</script>text<!-- no -->", "text"),
        ("<html><head><title>T</title><meta x></head><body>b</body></html>", "b"),
        ("<head><title>T</title><body>never closed head", "never closed head"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\n\nc"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("&lt;p&gt; &amp; &nbsp;&#233;&#xe9;", "<p> & \xa0éé"),
        ("<a href=\"x>y\" title='>b'>link</a>", "link"),
        ("<!--[if mso]><p>Outlook</p><![endif]-->text", "text"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<p>spaces\n\n\n   and\tlines</p>", "spaces and lines"),
        ("&#99999999999999;x&#xffffffffffffffff;y", "xy"),
        ("<a never <b closed <p>text", "text"),
        ("<p", ""),
        ("<!-- never closed <p>text", "text"),
        ("", ""),
    ],
)
def test_text_of_html(source: str, expected: str) -> None:
    assert html_to_text(source) == expected


NEWSLETTER = (
    "<!DOCTYPE html><html><head><style>.a{color:red}</style></head><body style='margin:0'>"
    + "<table width=100%><tbody><tr><td align='center'><h1>Offers &amp; news</h1>"
    "<p>Dear <b>reader</b>, this week&#39;s <a href='https://x.example/?a=1&b=2'>letter</a>"
    " is about <i>rivers</i>.</p><ul><li>one</li><li>two</li></ul><img src=x alt=y></td></tr>"
    * 40
    + "</tbody></table></body></html>"
)


def test_a_browsers_parser_finds_the_same_words() -> None:
    """Beside lexbor, which builds the whole tree."""
    body = LexborHTMLParser(NEWSLETTER).body
    assert body is not None
    expected = re.findall(r"\w+", body.text(deep=True, separator=" "))
    assert re.findall(r"\w+", html_to_text(NEWSLETTER)) == expected


@given(st.text("<>/!-&;#x\"' pbdiv1", max_size=200))
def test_no_markup_survives_and_nothing_fails(source: str) -> None:
    assert isinstance(html_to_text(source), str)


@pytest.mark.parametrize(
    "unit",
    ["<", "<!--", "<p", "<div>", "<font size=1><p>", "<a '", '<a "', "<script", "<style>", "&#1",
     "&nbsp;", " ", "<p \"'", "</", "&", "<head", "\n", "<svg><title>", "<b><i></b>", "&#x"],
)  # fmt: skip
def test_hostile_html_takes_linear_time(unit: str) -> None:
    """Several of these take a tree builder minutes, or all the memory there is."""
    start = time.perf_counter()
    html_to_text(unit * (512 * 1024 // len(unit)))
    html_to_text("<p>" + unit * (512 * 1024 // len(unit)) + "</p>")
    assert time.perf_counter() - start < 5


def test_a_number_of_many_digits_is_no_character() -> None:
    """The standard library's unescape raises ValueError for these."""
    assert html_to_text("a&#" + "9" * 10_000 + ";b") == "ab"
