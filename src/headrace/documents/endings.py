"""Which files of a folder are taken for documents, by their names alone; what they are is found out
when they are read. A file that is named itself, or whose ending is, is always taken."""

from __future__ import annotations

from headrace.documents.kinds import BY_ENDING

_TEXT = ("txt", "text", "rst", "adoc", "org", "tex", "log", "srt", "vtt")

PICTURES = frozenset(f".{one}" for one, kind in BY_ENDING.items() if kind.startswith("image/"))
DOCUMENTS = frozenset(f".{one}" for one in (*BY_ENDING, *_TEXT)) - PICTURES
