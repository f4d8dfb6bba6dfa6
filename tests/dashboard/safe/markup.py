"""A page as a browser reads it: what in it could run or reach elsewhere, and what it shows."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlsplit

_REACHES = {"src", "href", "action", "formaction", "data", "poster", "srcset", "data-live"}
_RUNS = {"script", "style", "iframe", "object", "embed", "base", "link", "meta", "img"}


class Read(HTMLParser):
    """What is in a page. `wrong` are the things that no page of ours has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.shown, self.tags, self.forms = "", list[str](), list[dict[str, str]]()
        self.addresses, self.wrong = list[str](), list[str]()
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.tags.append(tag)
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(given)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.wrong.append(f"<{tag}> with something in it")
        for name, value in given.items():
            if name == "style" or name.startswith("on"):
                self.wrong.append(f"{tag} {name}={value}")
            if name in _REACHES:
                self._reaches(tag, value)

    def _reaches(self, tag: str, address: str) -> None:
        self.addresses.append(address)
        parts = urlsplit(address)
        loads = tag in _RUNS
        if parts.scheme or parts.netloc or (loads and not address.startswith("/static/")):
            self.wrong.append(f"{tag} reaches {address}")

    def handle_data(self, data: str) -> None:
        self.shown += data
        if self._open == "script" and data.strip():
            self.wrong.append(f"script {data}")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""
