"""Patterns over paths, as shells have them: `*` within a folder, `**` across folders."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

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
