"""HTML to Markdown by tokens, without a tree: depth costs nothing, time is linear.

Kreuzberg 4.10 leaves out what is nested some dozens of elements deep, writes the head's metadata
into the text, and takes every file for UTF-8. The standard library's parser takes quadratic time
on tags that nobody closes, and fails on marked sections as Word writes them.
"""

from __future__ import annotations

import html
import re

# A `<` ends every tag, so that no stretch is looked at more than twice; possessive, because a
# retry could only fail again.
_TAG = re.compile(
    r"<(?:(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*)|[/!?])"
    r"(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+'|[\"'])*+>?"
)
_CODE_ENDS = {
    name: re.compile(rf"</{name}\b[^<>]*>?", re.IGNORECASE) for name in ("script", "style")
}
_HIDDEN = frozenset({"head", "template", "noscript", "svg"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = _HEADINGS | {
    *("address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt"),
    *("fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "li", "main", "nav"),
    *("ol", "p", "pre", "section", "table", "tr", "ul"),
}
_SPACES = re.compile(r"[ \t\n\r\f\v]+")
# The standard library's unescape raises ValueError for a number of more than 4,300 digits.
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")


def page_to_markdown(source: str) -> tuple[str, str | None]:
    """The text of an HTML page as Markdown, a blank line between blocks, and its title."""
    page = _Page()
    at, comments = 0, True
    while (tag := source.find("<", at)) >= 0:
        page.text(source[at:tag])
        if comments and source.startswith("<!--", tag):
            end = source.find("-->", tag + 4)
            comments = end >= 0  # one that is never closed hides nothing
            at = end + 3 if comments else tag + 4
            continue
        found = _TAG.match(source, tag)
        if found is None:
            page.text("<")
            at = tag + 1
            continue
        at = found.end()
        name = (found["name"] or "").lower()
        if found["end"]:
            page.end(name)
        elif name in _CODE_ENDS:
            closing = _CODE_ENDS[name].search(source, at)
            at = closing.end() if closing else len(source)
        else:
            page.start(name)
    page.text(source[at:])
    page.end_block()
    title = _SPACES.sub(" ", "".join(page.title)).strip()
    return "\n\n".join(page.blocks), title or None


class _Page:
    """Collects blocks: each is a prefix ("# ", "- ") and pieces of text."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.title: list[str] = []
        self._pieces: list[str] = []
        self._prefix = ""
        self._hidden = ""
        self._hidden_depth = 0
        self._in_title = False
        self._in_pre = False

    def start(self, tag: str) -> None:
        """An element begins."""
        if self._hidden == "head" and tag in _BLOCKS:
            self._hidden = ""  # nobody closed the head
        if tag == "title":
            self._in_title = not self.title
        elif self._hidden:
            self._hidden_depth += tag == self._hidden
        elif tag in _HIDDEN:
            self._hidden, self._hidden_depth = tag, 1
        elif tag == "br":
            self._pieces.append("\n")
        elif tag in ("td", "th"):
            if self._pieces:
                self._pieces.append(" | ")
        elif tag in _BLOCKS:
            self.end_block()
            self._in_pre = tag == "pre"
            if tag in _HEADINGS:
                self._prefix = "#" * int(tag[1]) + " "
            elif tag == "li":
                self._prefix = "- "

    def end(self, tag: str) -> None:
        """An element ends; one that never began does so too."""
        if tag == "title":
            self._in_title = False
        elif self._hidden:
            self._hidden_depth -= tag == self._hidden
            if self._hidden_depth == 0:
                self._hidden = ""
        elif tag in _BLOCKS:
            self.end_block()
            self._prefix = ""

    def text(self, source: str) -> None:
        """Text between two tags, its entities not yet resolved."""
        if not source or (self._hidden and not self._in_title):
            return
        if "&" in source:
            source = html.unescape(_LONG_NUMBER.sub("", source))
        if self._in_title:
            self.title.append(source)
        else:
            self._pieces.append(source if self._in_pre else _SPACES.sub(" ", source))

    def end_block(self) -> None:
        """Close the block that is being collected, if there is text in it."""
        text = "".join(self._pieces)
        if self._in_pre:
            if text.strip():
                self.blocks.append("```\n" + text.strip("\r\n") + "\n```")
        else:
            heading = self._prefix.startswith("#")
            lines = [line for one in text.split("\n") if (line := one.strip(" "))]
            if not heading:
                lines = ["\\" + line if line.startswith("#") else line for line in lines]
            if lines:
                self.blocks.append(self._prefix + (" " if heading else "\n").join(lines))
                self._prefix = ""
        self._pieces.clear()
        self._in_pre = False
