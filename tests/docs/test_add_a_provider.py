"""The guide to a provider: its file is written, installed, and brought to land records."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg

PAGE = "docs/how-to/add-a-provider.md"

Files = Callable[[str], Path]
Install = Callable[[str], None]
Python = Callable[..., str]


def test_the_provider_is_found_as_an_entry_point(
    files: Files, plugin: Install, python: Python
) -> None:
    """Covers A0.9, A0.30: one file, and no other edit."""
    files(PAGE)
    plugin(PAGE)
    assert "jsonl" in json.loads(python("-m", "headrace.cli", "check", "--json"))["providers"]


def test_the_provider_is_found_in_the_folder(files: Files, python: Python) -> None:
    """Covers A0.30: dropped among the others, it is one of them."""
    folder = files(PAGE)
    (folder / "extra").mkdir()
    (folder / "headrace_jsonl.py").rename(folder / "extra" / "jsonl.py")
    (folder / "look.py").write_text(
        "from headrace import plugins, providers\n"
        "providers.__path__.append('extra')\n"
        "print(sorted(plugins.providers()), plugins.sync_kinds()['jsonl_import'].__name__)\n"
    )
    assert python("look.py").strip().endswith("'mailbox', 'rest'] Jsonl")


def test_a_page_of_it_is_what_the_guide_shows(
    files: Files, page: Callable[[str], str], python: Python
) -> None:
    files(PAGE)
    assert f"    {python('try_it.py').strip()}\n" in page(PAGE)


def test_it_lands_what_is_new_and_nothing_twice(
    files: Files, plugin: Install, python: Python, database: str
) -> None:
    """Covers A0.7, A0.30, A2.27, R18: rows and cursor; the next run goes on there; a file that was
    replaced expires its cursor and is read again."""
    folder = files(PAGE)
    plugin(PAGE)
    python("try_it.py")
    python("connect.py")
    log = folder / "doors" / "east.jsonl"
    first = sync(python)
    assert (first["fetched"], first["inserted"], first["dead_lettered"]) == (2, 2, 0)
    with log.open("a") as file:
        file.write('{"id": "c", "count": 1}\n{"count": 2}\n{"id": "half a li')
    second = sync(python)
    assert (second["fetched"], second["inserted"], second["dead_lettered"]) == (2, 1, 1)
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT source_id FROM headrace.raw_events ORDER BY 1").fetchall()
        letters = connection.execute("SELECT raw, hint FROM headrace.dead_letters").fetchall()
        shown = connection.execute("SELECT count(*) FROM headrace.events").fetchone()
    assert [row[0] for row in rows] == ["a", "b", "c"]
    assert shown == (3,)
    assert letters == [(b'{"count": 2}', "Mend the line.")]
    log.write_text('{"id": "b", "count": 5}\n')
    replaced = sync(python)
    assert (replaced["fetched"], replaced["unchanged"]) == (1, 1)


def sync(python: Python) -> dict[str, int]:
    counts: dict[str, int] = json.loads(python("-m", "headrace.cli", "sync", "doors", "--json"))[0]
    return counts
