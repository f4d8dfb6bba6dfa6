"""What issues, comments, commits and releases say: put together from short lists by number."""

from __future__ import annotations

from hashlib import blake2b

_VERBS = ("Fix", "Explain", "Remove", "Speed up", "Rework", "Test", "Rename", "Guard", "Log")
_THINGS = (
    "the retry budget",
    "cursor expiry",
    "the login page",
    "large uploads",
    "time zones",
    "the search index",
    "empty pages",
    "Unicode file names (Zürich, 東京)",
    "the release notes",
    "memory use",
    "the worker's shutdown",
)
_REASONS = (
    "It happens about once a week.",
    "A customer asked for it.",
    "See the log below.",
    "It worked in the last release.",
    "Nobody remembers why it is so.",
)
LABELS = ("bug", "docs", "good first issue", "performance")


def draw(seed: int, *parts: object) -> bytes:
    """Eight bytes that follow from the seed and what they are for."""
    return blake2b(repr(parts).encode(), key=b"%d" % seed, digest_size=8).digest()


def title(chance: bytes) -> str:
    """A line that could be an issue's title or a commit's message."""
    return f"{_VERBS[chance[0] % len(_VERBS)]} {_THINGS[chance[1] % len(_THINGS)]}"


def sentence(chance: bytes) -> str:
    """A line that could be somebody's comment."""
    return f"{_REASONS[chance[2] % len(_REASONS)]} It is about {_THINGS[chance[3] % len(_THINGS)]}."
