"""Covers secrets in texts that are written somewhere: those this process has held, and whatever
looks like one.

No text of ours has a secret in it; but what a source, a driver or a library says of what went wrong
may repeat what it was given.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from threading import Lock
from typing import Any
from urllib.parse import quote

COVER = "[covered]"

_MOST = 10_000
"""Secrets that are known at a time; a process that serves more accounts forgets the oldest."""
_SHORTEST = 8
"""Characters: what is shorter could be any word."""

_WORD = re.compile(r"[^\s\"'`&?,;()<>\[\]{}=\\|]+")

_NAMED = (
    r"password|passwd|pwd|secret|token|(?:access|refresh|id|session)[_-]?token|api[_-]?key"
    r"|client[_-]?secret|private[_-]?key|code[_-]?verifier|assertion|signature|x-amz-signature"
)
_PRIVATE_KEY = re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)")
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(\w://)[^\s/@\"']*@"), rf"\1{COVER}@"),
    (re.compile(r"(?i)\b(authorization\W{1,4}\w+\s+|bearer\s+)[\w.~+/=-]{8,}"), rf"\1{COVER}"),
    (re.compile(rf"(?i)\b((?:{_NAMED})[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;)}}]+"), rf"\1{COVER}"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"), COVER),
    (re.compile(r"\b(?:hr|gh[opsru]|github_pat|whsec|sk|xox[abpr])[_-][\w-]{16,}"), COVER),
    (re.compile(r"\b(?:ya29\.[\w.-]{8,}|1//[\w-]{16,}|GOCSPX-[\w-]{8,}|AKIA[A-Z0-9]{12,})"), COVER),
    # What PostgreSQL repeats of the rows that it refuses.
    (re.compile(r"(?m)^(\s*(?:DETAIL|CONTEXT|STATEMENT):).*$"), rf"\1 {COVER}"),
)


class Known:
    """Secrets that this process has held, by their words; of each, its beginnings as well, for
    texts that were cut off."""

    def __init__(self) -> None:
        self._words: OrderedDict[str, None] = OrderedDict()
        self._heads: dict[str, set[str]] = {}
        self._whole: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def add(self, secret: str) -> None:
        """Cover this from now on."""
        if len(secret) < _SHORTEST:
            return
        with self._lock:
            for form in {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}:
                if _WORD.fullmatch(form):
                    self._add(form)
                else:
                    self._whole[form] = None
            while len(self._whole) > _MOST // 100:
                self._whole.popitem(last=False)

    def _add(self, word: str) -> None:
        self._words[word] = None
        self._words.move_to_end(word)
        self._heads.setdefault(word[:_SHORTEST], set()).add(word)
        if len(self._words) > _MOST:
            old, _ = self._words.popitem(last=False)
            left = self._heads[old[:_SHORTEST]]
            left.discard(old)
            if not left:
                del self._heads[old[:_SHORTEST]]

    def cover(self, text: str) -> str:
        """The text without what is known."""
        with self._lock:
            for one in self._whole:
                text = text.replace(one, COVER)
            return _WORD.sub(self._covered, text) if self._words else text

    def _covered(self, found: re.Match[str]) -> str:
        word = found[0]
        if word in self._words:
            return COVER
        # In the midst of others, as in a path, or a beginning of one.
        for at in range(len(word) - _SHORTEST + 1):
            for secret in self._heads.get(word[at : at + _SHORTEST], ()):
                rest = word[at:]
                if rest.startswith(secret):
                    return word[:at] + COVER + rest[len(secret) :]
                if secret.startswith(rest.rstrip(".…:")):
                    return word[:at] + COVER
        return word


_known = Known()


def hide(*secrets: str | None) -> None:
    """This process holds these: they are covered wherever they stand."""
    for one in secrets:
        if one:
            _known.add(one)


def hide_sealed(text: str) -> None:
    """The same with what the vault holds: a key or token as it is, or several in JSON."""
    try:
        held = json.loads(text)
    except ValueError:
        held = None
    if isinstance(held, dict | list):
        hide(*_leaves(held))
    else:
        hide(text)


def _leaves(held: Any) -> list[str]:
    if isinstance(held, dict):
        return [leaf for value in held.values() for leaf in _leaves(value)]
    if isinstance(held, list):
        return [leaf for value in held for leaf in _leaves(value)]
    # Where a key may be used is said beside some, and is no secret.
    return [held] if isinstance(held, str) and "://" not in held else []


def cover(text: str) -> str:
    """The text, with what is secret in it covered."""
    # First, because one that is known begins as all of them do.
    text = _known.cover(_PRIVATE_KEY.sub(COVER, text))
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text
