"""What the two sides of an address say: whose it is, and whether it spells a name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal

from headrace.people.names import Name, fold
from headrace.people.words import FREEMAIL, ROLES

if TYPE_CHECKING:
    from tldextract import TLDExtract

Spelling = Literal["full", "initial", "part"]
"""How a local part spells a name: all of it, with an initial, or one word only."""

_GITHUB = re.compile(r"(?:\d+\+)?([^@+]+)@users\.noreply\.github\.com")
_PARTS = re.compile(r"[._-]+")
_DIGITS = re.compile(r"\d+")
_MAILISH = frozenset(
    ("", "mail", "email", "mx", "corp", "ad", "exchange", "office", "intern", "hq")
)


@lru_cache(maxsize=8192)
def registrable(host: str) -> str | None:
    """What somebody has registered of a host's name: acme.co.uk of mail.acme.co.uk. Under an ending
    that nobody has listed, as inside a company, its last two words."""
    found = _suffixes().extract_str(host)
    if found.suffix or found.ipv4 or "." not in host or "[" in host:
        return found.top_domain_under_public_suffix or None
    return ".".join(host.split(".")[-2:])


def organisation(address: str) -> str | None:
    """The domain that an address's organisation has registered; None where everybody can have an
    address."""
    domain = registrable(address.rpartition("@")[2])
    return None if domain is None or domain in FREEMAIL else domain


def github_login(address: str) -> str | None:
    """Whose address it is that GitHub puts in the place of a real one."""
    found = _GITHUB.fullmatch(address)
    return found[1] if found else None


class Local:
    """The part of a canonical address before the @."""

    def __init__(self, address: str) -> None:
        text, _, self.host = address.rpartition("@")
        folded = fold(text)
        self.digits = "".join(_DIGITS.findall(folded))
        self.parts = [one for one in _PARTS.split(_DIGITS.sub("", folded)) if one]
        self.letters = "".join(self.parts)
        self.role = self.letters in ROLES or bool(ROLES.intersection(self.parts))

    def same(self, other: Local) -> bool:
        """Whether they differ by what separates the words only, or by the words' order."""
        if self.digits != other.digits or not self.letters:
            return False
        return self.letters == other.letters or sorted(self.parts) == sorted(other.parts)

    def spells(self, name: Name) -> Spelling | None:
        """How much of a name it spells."""
        for spelling, letters in spellings(name):
            if letters == self.letters:
                return spelling
        return None


def spellings(name: Name) -> Iterator[tuple[Spelling, str]]:
    """The local parts that people make of a name, without separators: the fullest first."""
    tokens = [token for token in name.tokens if len(token) > 1]
    if name.role or not tokens:
        return
    if len(tokens) == 1:
        yield "part", tokens[0]
        return
    yield "full", "".join(name.tokens)
    first, last = tokens[0], tokens[-1]
    for one, two in ((first, last), (last, first)):
        yield "full", one + two
    for one, two in ((first, last), (last, first)):
        yield "initial", one[0] + two
        yield "initial", one + two[0]
    yield "part", first
    yield "part", last


def related_hosts(one: str, other: str) -> bool:
    """Whether one host is the organisation's own and the other no department of it."""
    return one == other or (_prefix(one) in _MAILISH and _prefix(other) in _MAILISH)


def _prefix(host: str) -> str:
    return host.removesuffix(registrable(host) or host).rstrip(".")


@cache
def _suffixes() -> TLDExtract:
    from tldextract import TLDExtract  # half a second that only matching needs

    # The list that came with the library: nothing is fetched and nothing is kept.
    return TLDExtract(suffix_list_urls=(), cache_dir=None)
