"""Patterns over paths, as shells have them: `*` within a folder, `**` across folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import PurePosixPath

WILD = frozenset("*?[")
"""What makes a part of a path a pattern."""

_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]]+\]")
_MEANS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@lru_cache(maxsize=256)
def matcher(pattern: str) -> Callable[[str], object]:
    """What says whether a path matches."""
    out, at = [], 0
    for found in _PARTS.finditer(pattern):
        out.append(re.escape(pattern[at : found.start()]))
        piece = found[0]
        out.append(_MEANS.get(piece) or "[^" * piece.startswith("[!") + piece.replace("[!", ""))
        at = found.end()
    out.append(re.escape(pattern[at:]))
    return re.compile("".join(out), re.DOTALL).fullmatch


def hidden(path: str) -> bool:
    """Whether a path has a name in it that programs keep for themselves."""
    return any(name.startswith((".", "~$")) for name in path.split("/"))


class Selection:
    """Which paths below a root are taken. `wanted` are the endings of documents, such as ".pdf"
    (None: any will do); a pattern that names an ending itself decides instead. `exclude` are
    patterns to leave out."""

    def __init__(
        self, pattern: str | None, wanted: frozenset[str] | None, exclude: Sequence[str] = ()
    ) -> None:
        self._pattern = pattern
        self._wanted = wanted
        self._exclude = [matcher(one) for one in exclude]

    def takes(self, path: str) -> bool:
        """Whether the file at this path is taken."""
        if self._excluded(path):
            return False
        if self._pattern is None:
            return self._document(path)
        named = bool(_ending(self._pattern).strip(".*"))
        return bool(matcher(self._pattern)(path)) and (named or self._document(path))

    def opens(self, archive: str) -> bool:
        """Whether something in the archive at this path may be taken."""
        if self._excluded(archive):
            return False
        return self._pattern is None or "**" in self._pattern or self._names(archive)

    def takes_member(self, archive: str, path: str) -> bool:
        """Whether the member at this path, which begins with the archive's, is taken: a pattern may
        mean the archive or what is in it."""
        if hidden(path[len(archive) :]):
            return False
        if self._names(archive):
            return not self._excluded(path) and self._document(path)
        return self.takes(path)

    def _names(self, archive: str) -> bool:
        return self._pattern is not None and bool(matcher(self._pattern)(archive))

    def _excluded(self, path: str) -> bool:
        return any(excluded(path) for excluded in self._exclude)

    def _document(self, path: str) -> bool:
        return self._wanted is None or _ending(path).lower() in self._wanted


def _ending(path: str) -> str:
    return PurePosixPath(path).suffix
