"""The labelled pairs, and what the rules say of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from headrace.mail.direction import canonical
from headrace.people.keys import match_keys
from headrace.people.likeness import (
    AUTOMATIC,
    SUGGESTED,
    Identity,
    Likeness,
    likeness,
    together,
)

PAIRS = Path(__file__).with_suffix(".txt")

_LINE = re.compile(r"([=!]) (.*?>) \| (.*>)( together)?")
_SIDE = re.compile(r"(.*?) ?<([^<>]+)>")


class Labelled(NamedTuple):
    """Two identities, and whether they are one person's."""

    line: str
    kind: str
    same: bool
    one: Identity
    other: Identity
    together: bool

    def judged(self) -> Likeness | None:
        """What the rules say; nothing where they would not have met."""
        if self.together:
            return together(self.one, self.other, 1)
        keys = [set(match_keys("t", "u", each)) for each in (self.one, self.other)]
        return likeness(self.one, self.other) if keys[0] & keys[1] else None


class Score(NamedTuple):
    """How many pairs were named, rightly and wrongly, and how many there were to name."""

    right: int
    wrong: int
    of: int

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.of)


def labelled() -> Iterator[Labelled]:
    """Every pair of the set."""
    kind = ""
    for line in PAIRS.read_text("utf-8").splitlines():
        if line.startswith("## "):
            kind = line[3:]
        elif line[:1] in ("=", "!"):
            found = _LINE.fullmatch(line)
            assert found, line
            sides = _identity(found[2]), _identity(found[3])
            yield Labelled(line, kind, found[1] == "=", *sides, found[4] is not None)


def _identity(text: str) -> Identity:
    found = _SIDE.fullmatch(text)
    assert found, text
    value = found[2].lower()
    kind = "phone" if value.startswith("+") else "email" if "@" in value else "github"
    written = canonical(value) if kind == "email" else value
    return Identity(kind=kind, value=value, canonical=written, name=found[1] or None)


def score(pairs: list[Labelled], least: float, below: float = 2.0) -> tuple[Score, list[Labelled]]:
    """Of the pairs that get a score from `least` up to `below`; and those that are wrong."""
    found = [(one, one.judged()) for one in pairs]
    named = [one for one, said in found if said and least <= said.score < below]
    wrong = [one for one in named if not one.same]
    return Score(len(named) - len(wrong), len(wrong), sum(one.same for one in pairs)), wrong


def automatic(pairs: list[Labelled]) -> tuple[Score, list[Labelled]]:
    """Of what is done without asking."""
    return score(pairs, AUTOMATIC)


def suggested(pairs: list[Labelled]) -> Score:
    """Of what is suggested, for what is not done already."""
    done = automatic(pairs)[0].right
    found = score(pairs, SUGGESTED, AUTOMATIC)[0]
    return found._replace(of=found.of - done)
