"""`Link` headers (RFC 8288), read as written: quoted commas and semicolons, several relations (R5).

<https://api.example.com/items?after=7>; rel="next last"; title="a, b; c"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_TARGET = re.compile(r"[\s,]*<([^<>]*)>")
_PARAMETER = re.compile(
    r"""\s*;\s*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?)?"""
)
_ESCAPE = re.compile(r"\\(.)")


def links(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each target with its parameters, names lower-cased. Reading stops at the first nonsense."""
    at = 0
    while target := _TARGET.match(header, at):
        at = target.end()
        parameters: dict[str, str] = {}
        while (found := _PARAMETER.match(header, at)) and found.end() > at:
            at = found.end()
            name, quoted, plain = found.groups()
            if name and name.lower() not in parameters:  # RFC 8288 3.3: the first one counts
                value = _ESCAPE.sub(r"\1", quoted) if quoted is not None else plain or ""
                parameters[name.lower()] = value
        yield target[1].strip(), parameters


def next_link(headers: Iterable[str]) -> str | None:
    """The target whose relations hold `next`: absolute or relative, as the server wrote it."""
    for header in headers:
        for target, parameters in links(header):
            if "next" in parameters.get("rel", "").lower().split():
                return target
    return None
