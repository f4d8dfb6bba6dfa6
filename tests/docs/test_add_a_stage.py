"""The guide to a stage: its file is written, installed beside the provider's, and makes rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg

PAGE = "docs/how-to/add-a-stage.md"
PROVIDER = "docs/how-to/add-a-provider.md"


def test_the_stage_makes_rows_that_are_found(
    files: Callable[[str], Path],
    plugin: Callable[[str], None],
    python: Callable[..., str],
    database: str,
) -> None:
    """Covers A1.29, A1.49, A1.54: one file, no other edit; a bad record goes alone."""
    folder = files(PAGE)
    files(PROVIDER)
    plugin(PAGE)
    plugin(PROVIDER)
    checked = json.loads(python("-m", "headrace.cli", "check", "--json"))
    assert "normalize_doors" in checked["stages"]
    (folder / "doors").mkdir()
    (folder / "doors" / "east.jsonl").write_text(
        '{"id": "a", "door": "north gate", "count": 3}\n{"id": "b", "door": 7}\n'
    )
    python("connect_doors.py")
    python("-m", "headrace.cli", "sync", "doors")
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT type, name, properties FROM headrace.events").fetchall()
        letters = connection.execute(
            "SELECT stage, source_id FROM headrace.dead_letters"
        ).fetchall()
    assert rows == [("door", "north gate", {"id": "a", "door": "north gate", "count": 3})]
    assert letters == [("normalize_doors", "b")]
    found = json.loads(python("-m", "headrace.cli", "search", "gate", "--json"))
    assert [hit["source_id"] for hit in found] == ["a"]
