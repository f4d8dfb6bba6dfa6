"""Names of people as tokens that can be compared, whatever their order, script and spelling."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import Literal

import msgspec

from headrace.people.words import (
    AMBIGUOUS,
    CYRILLIC,
    DEGREES,
    FORMAL,
    GENERATIONS,
    LETTERS,
    ROLES,
    TITLES,
)

Relation = Literal["equal", "compatible", "loose", "similar", "unlike", "unknown"]
"""`equal`: the same words. `compatible`: one is a longer or more formal way of the other. `loose`:
they might be, but an initial or a short name stands for others too. `similar`: a slip of the pen
apart. `unknown`: one of them says too little."""

_SIMILAR = 0.9
_LONGEST = 120
_ASIDE = re.compile(
    r"\([^()]*\)|\[[^\[\]]*\]|\s(?:via|c/o)\s.*$|\s[|@/\u2013\u2014-]\s.*$", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019`][^\W\d_]+)*")
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_UMLAUT = re.compile(r"([aou])e")
_DOUBLE = re.compile(r"(.)\1+")


class Name(msgspec.Struct, frozen=True):
    """The words of a name, folded, in their order, the family name last where a comma told.
    `generation` is jr, sr, ii or iii; `role` says that it names a function and no person."""

    tokens: tuple[str, ...] = ()
    generation: str | None = None
    role: bool = False

    @property
    def full(self) -> bool:
        """Whether it says enough to tell one person from most others."""
        written = [token for token in self.tokens if len(token) > 1]
        return not self.role and (len(written) > 1 or any(map(_IDEOGRAPHS.match, written)))

    @property
    def key(self) -> str:
        """The same for names that differ in order, initials and short forms only."""
        return " ".join(sorted(formal(token) for token in self.tokens if len(token) > 1))

    @property
    def skeleton(self) -> str:
        """The same for names that sound alike."""
        return " ".join(sorted(_skeleton(formal(one)) for one in self.tokens if len(one) > 1))


@lru_cache(maxsize=8192)
def read_name(text: str | None) -> Name:
    """The name in what a mail program shows; an empty one where there is none."""
    text = _ASIDE.sub(" ", (text or "")[:_LONGEST])
    if "@" in text:
        return Name()
    family, comma, given = text.partition(",")
    if comma and not {*_words(given)} & (DEGREES | {*GENERATIONS}) and "," not in given:
        text = f"{given} {family}"
    words = _words(text)
    generation = next((GENERATIONS[word] for word in words[1:] if word in GENERATIONS), None)
    tokens = tuple(w for w in words if w not in TITLES | DEGREES and w not in GENERATIONS)
    return Name(tokens, generation, bool(ROLES.intersection(tokens)))


def fold(text: str) -> str:
    """Lower case, without accents, in Latin letters where a letter has one that stands for it."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = "".join(CYRILLIC.get(one, LETTERS.get(one, one)) for one in text).replace("_", "")
    plain = unicodedata.normalize("NFKD", text)
    # Hangul falls apart under NFKD: put together again what is no accent.
    plain = unicodedata.normalize("NFKC", "".join(c for c in plain if not unicodedata.combining(c)))
    return _UMLAUT.sub(r"\1", plain)


def compare(one: Name, other: Name) -> tuple[Relation, float]:
    """How two names relate, and how similar they are, from 0 to 1."""
    if one.role or other.role or not one.tokens or not other.tokens:
        return "unknown", 0.0
    likeness = similarity(one, other)
    if one.generation != other.generation:
        both = one.generation is not None and other.generation is not None
        return ("unlike" if both or one.key != other.key else "similar"), likeness
    if sorted(one.tokens) == sorted(other.tokens):
        return ("equal" if one.full else "unknown"), 1.0
    if one.full and other.full and (found := _within(one, other)):
        return found, likeness
    if not (one.full and other.full):
        loose = _within(one, other) if min(len(one.tokens), len(other.tokens)) > 1 else None
        if loose:
            return "loose", likeness
        fits = set(one.tokens) <= set(other.tokens) or set(other.tokens) <= set(one.tokens)
        return ("unknown" if fits else "unlike"), likeness
    return ("similar" if likeness >= _SIMILAR else "unlike"), likeness


def similarity(one: Name, other: Name) -> float:
    """Of the words, whatever their order, from 0 to 1."""
    from rapidfuzz.distance import JaroWinkler  # only where something is matched

    return round(JaroWinkler.similarity(_sorted(one), _sorted(other)), 3)


def formal(token: str) -> str:
    """The long form of a short name."""
    return _formal().get(token, token)


@cache
def _formal() -> dict[str, str]:
    return {fold(short): fold(name) for short, name in FORMAL.items()}


@cache
def _ambiguous() -> dict[str, set[str]]:
    return {fold(short): {fold(name) for name in names} for short, names in AMBIGUOUS.items()}


def _sorted(name: Name) -> str:
    return " ".join(sorted(name.tokens))


def _words(text: str) -> list[str]:
    folded = fold(text)
    # Whether there is a space between the two parts of such a name is a matter of taste.
    ideographs = "".join(_IDEOGRAPHS.findall(folded))
    if ideographs:
        return [ideographs]
    return [re.sub(r"['\u2019`]", "", word) for word in _WORD.findall(folded)]


def _within(one: Name, other: Name) -> Relation | None:
    """Whether each word of the shorter name is one of the longer name's, and how surely."""
    short, long = sorted((list(one.tokens), list(other.tokens)), key=len)
    left, surely, written = list(long), True, 0
    for token in sorted(short, key=len, reverse=True):
        found = next((match for match in left if formal(match) == formal(token)), None)
        if found is None:
            found = next((match for match in left if _may_be(token, match)), None)
            surely = False
        else:
            written += len(token) > 1
        if found is None:
            return None
        left.remove(found)
    if not written:
        return None
    return "compatible" if surely and written > 1 else "loose"


def _may_be(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(short) == 1:
        return long.startswith(short)
    return long in _ambiguous().get(short, ())


def _skeleton(token: str) -> str:
    for written, sound in (("ph", "f"), ("ck", "k"), ("c", "k"), ("z", "s"), ("y", "i"), ("h", "")):
        token = token[:1] + token[1:].replace(written, sound)
    bare = token[:1] + re.sub("[aeiou]", "", token[1:])
    return _DOUBLE.sub(r"\1", bare)
