"""The guide to a provider of accounts: its service is started, and a provider keeps in step."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

PAGE = "docs/how-to/add-a-provider.md"

Python = Callable[..., str]

_LIVE = """
SELECT source_id, payload FROM (
  SELECT DISTINCT ON (source_id) source_id, payload, content_hash FROM headrace.raw_events
  ORDER BY source_id, version DESC) newest
WHERE content_hash <> ''
"""


@pytest.fixture
def service(
    files: Callable[[str], Path],
    plugin: Callable[..., None],
    python: Python,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """The service of the guide at its work, connected. Yields the log of what happens to notes."""
    folder = files(PAGE)
    plugin(PAGE, 2)
    log = folder / "notes.log"
    log.write_text("")
    with subprocess.Popen(
        [sys.executable, "notes_service.py"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as started:
        try:
            assert started.stdout is not None
            monkeypatch.setenv("NOTES_BASE_URL", started.stdout.readline().strip())
            python("connect_notes.py")
            yield log
        finally:
            started.kill()


def write(log: Path, **notes: str | None) -> None:
    """Something happens to these notes; those without a text are deleted."""
    with log.open("a") as file:
        for name, text in notes.items():
            change = len(log.read_text().splitlines()) + 1
            file.write(json.dumps({"id": name, "change": change, "text": text}) + "\n")
            file.flush()


def sync(python: Python) -> dict[str, int]:
    """The counts of one sync."""
    said = json.loads(python("-m", "headrace.cli", "sync", "my-notes", "--json"))
    counts: dict[str, int] = said[0]
    return counts


def live(database: str) -> dict[str, str]:
    """The notes that are here, and their texts."""
    with psycopg.connect(database) as connection:
        rows = connection.execute(_LIVE).fetchall()
    return {name: json.loads(bytes(payload))["text"] for name, payload in rows}


def test_it_is_listed_and_then_kept_in_step(service: Path, python: Python, database: str) -> None:
    """Covers A0.7, A0.30: the pages of the list, what has changed, and the list again when
    the service has forgotten; what that does not name is gone."""
    write(service, a="one", b="two", c="three", d="four", e="five")
    assert sync(python)["inserted"] == 5
    write(service, a="One", b=None, f="six")
    assert sync(python)["fetched"] == 3
    assert live(database) == {"a": "One", "c": "three", "d": "four", "e": "five", "f": "six"}
    assert sync(python)["fetched"] == 0
    service.write_text("")
    write(service, c="three", e="five")
    sync(python)
    assert live(database) == {"c": "three", "e": "five"}
