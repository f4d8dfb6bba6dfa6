"""HTML mail to plain text: by tokens, not by building a tree, in time linear in its length.

A tree is what hostile HTML attacks. Measured with selectolax 1.0.2 (lexbor): half a megabyte of
`<div>` takes 9 seconds, half a megabyte of `<font size=N><p>` more memory than 20 GB. Text for
searching needs neither the tree nor its repairs.
"""

from __future__ import annotations

import html
import re

CAP = 512 * 1024
"""Characters of HTML that are looked at."""

_HIDDEN = re.compile(r"<(?:!--|(script|style|head|title|template|svg)\b)", re.IGNORECASE)
_CLOSED_BY = {
    "": re.compile(r"-->"),
    # The body's start ends the head even if nobody closed it.
    "head": re.compile(r"</head\b[^<>]*>?|(?=<body\b)", re.IGNORECASE),
} | {
    name: re.compile(rf"</{name}\b[^<>]*>?", re.IGNORECASE)
    for name in ("script", "style", "title", "template", "svg")
}
_SPACES = re.compile(r"\s+")
# Inside a tag: plain characters, quoted values, a quote that never closes. Possessive, because a
# retry could only fail again; a `<` ends every tag, so no stretch is looked at more than twice.
_INSIDE = r"(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+'|[\"'])*+>?"
_BREAK = re.compile(
    r"<(?:/?(?:p|div|tr|table|ul|ol|h[1-6]|blockquote|pre|section|article|header|footer|dl|dt|dd"
    r"|center|form|hr|address)|br|li)\b" + _INSIDE,
    re.IGNORECASE,
)
_CELL = re.compile(r"</t[dh]\b" + _INSIDE, re.IGNORECASE)
_QUOTE = re.compile(r"<(/?)blockquote\b(" + _INSIDE + ")", re.IGNORECASE)
# Where a quotation opens and closes: no entity means either, and they are no white space.
_OPEN, _CLOSE = "\x0e", "\x0f"
_EITHER = str.maketrans("", "", _OPEN + _CLOSE)
# What Gmail makes of "indent more".
_INDENT = re.compile(r"margin:\s?0(?:px)? 0(?:px)? 0(?:px)? 40px", re.IGNORECASE)
# What the two above leave behind: still an end for a tag before it that nobody closed.
_GONE = "<>"
_TAG = re.compile(r"<(?:>|[a-zA-Z/!?]" + _INSIDE + ")")
# The standard library's unescape raises ValueError for a number of more than 4,300 digits.
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")
_EDGE = " \t\r\f\v\xa0\u00ad\u034f\u200b\u200c\u200d\ufeff"
_BLANK_LINES = re.compile(r"\n{3,}")


def html_to_text(source: str) -> str:
    """The text a reader would see, a line per block, at most one blank line in a row; what is
    quoted has `> ` before each line."""
    source = _SPACES.sub(" ", _without_hidden(source[:CAP]).translate(_EITHER))
    source = _QUOTE.sub(_edge, source)
    source = _CELL.sub(_GONE + " ", _BREAK.sub(_GONE + r"\n", source))
    source = _TAG.sub("", source)
    text = html.unescape(_LONG_NUMBER.sub("", source))
    return tidy(_quoted(text) if _OPEN in text else text)


def _edge(tag: re.Match[str]) -> str:
    if tag[1]:
        return f"{_GONE}\n{_CLOSE}\n"
    # One that only indents is closed by the same tag as the others: it opens nothing, and the
    # close of what it is in comes early.
    return f"{_GONE}\n" if _INDENT.search(tag[2][:500]) else f"{_GONE}\n{_OPEN}\n"


def _quoted(text: str) -> str:
    """Lines between the edges marked as quoted, however deep."""
    depth, lines = 0, []
    for line in text.split("\n"):
        if line == _OPEN:
            depth += 1
        elif line == _CLOSE:
            depth = max(0, depth - 1)
        else:
            line = line.strip(_EDGE)
            lines.append(f"> {line}" if depth and line else line)
    return "\n".join(lines)


def tidy(text: str) -> str:
    """Blanks at both ends of lines, and all but one of several blank lines, taken out."""
    text = "\n".join([line.strip(_EDGE) for line in text.split("\n")])
    return _BLANK_LINES.sub("\n\n", text).strip("\n")


def _without_hidden(source: str) -> str:
    """Comments, scripts, styles and the head taken out. One that is never closed hides nothing."""
    kept: list[str] = []
    unclosed: set[str] = set()
    at = scan = 0
    while (opening := _HIDDEN.search(source, scan)) is not None:
        name = (opening[1] or "").lower()
        scan = opening.end()
        closing = None if name in unclosed else _CLOSED_BY[name].search(source, scan)
        if closing is None:
            unclosed.add(name)
            continue
        kept.append(source[at : opening.start()])
        at = scan = closing.end()
    kept.append(source[at:])
    return " ".join(kept)
