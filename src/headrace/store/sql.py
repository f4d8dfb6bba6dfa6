"""Named queries: every .sql file in `queries/` holds some, each under a line `-- name: ...`."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def query(file: str, name: str) -> LiteralString:
    """The text of one query. LiteralString is honest: the files are part of the program."""
    parts = _NAME.split((Path(__file__).parent / "queries" / f"{file}.sql").read_text("utf-8"))
    texts = dict(zip(parts[1::2], parts[2::2], strict=True))
    return cast("LiteralString", texts[name].strip())


def escaped(text: str) -> str:
    """A text as LIKE takes it to mean itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
