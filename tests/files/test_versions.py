"""Documents when a stage's code changes, and when they are replayed: what is shown stays whole."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.files.conftest import Shelf, Web, put

from headrace import plugins
from headrace.chunking import chunk as cut
from headrace.documents import Parsers, Reading
from headrace.engine import replay
from headrace.engine.sweep import sweep
from headrace.stages import chunk as chunking

Raise = Callable[[str], None]


@pytest.fixture
def raised(monkeypatch: pytest.MonkeyPatch) -> Raise:
    """`raised("parse")`: the stage has a new version from now on."""

    def raise_(name: str) -> None:
        known = plugins.stages()
        newer = msgspec.structs.replace(known[name], version=known[name].version + 1)
        monkeypatch.setitem(known, name, newer)

    return raise_


@pytest.fixture
def old(shelf: Shelf, tmp_path: Path) -> Shelf:
    """Two files, one of them under two paths, worked through some time ago."""
    root = tmp_path / "docs"
    put(root / "a.txt", "Otters live in rivers. " * 60)
    put(root / "b.txt", "Beavers build dams.")
    put(root / "c.txt", "Beavers build dams.")
    assert shelf.ingest({"input": str(root)})["status"] == "SUCCEEDED"
    shelf.rows("UPDATE headrace.batches SET committed_at = now() - interval '1 hour' RETURNING 1 n")
    return shelf


def settle(shelf: Shelf, whole: Callable[[], bool]) -> None:
    """Have the background do its work; what is shown is `whole` at every moment."""
    lacking = (
        "SELECT 1 AS n FROM unnest(%s::text[], %s::int[]) AS w (stage, version) WHERE NOT EXISTS"
    )
    known = [plugins.stages()[name] for name in ("parse", "chunk", "embed")]
    values = [[one.name for one in known], [one.version for one in known]]
    end = time.monotonic() + 60
    sweep(shelf.database, quiet=0)
    while shelf.rows(
        f"{lacking} (SELECT FROM headrace.stage_runs r WHERE r.stage = w.stage"
        " AND r.version = w.version)",
        *values,
    ):
        assert whole()
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_new_parser_reads_again(
    old: Shelf, web: Web, raised: Raise, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found is found until the new text is cut and embedded; what is the same in both is
    not embedded again."""
    before = len(web.embedded)
    read = Parsers.read

    def reads_better(self: Parsers, *given: Any) -> Reading:
        found = read(self, *given)
        return msgspec.structs.replace(found, text=found.text.replace("Otters", "Sea otters"))

    monkeypatch.setattr(Parsers, "read", reads_better)
    raised("parse")
    settle(old, lambda: set(old.shown()) == {"a.txt", "b.txt", "c.txt"})
    assert old.shown()["a.txt"].startswith("Sea otters")
    assert old.shown()["b.txt"] == "Beavers build dams."
    assert web.embedded[before:]
    assert all("Sea otters" in text for text in web.embedded[before:])


def test_a_new_cutter_cuts_again(
    old: Shelf, web: Web, raised: Raise, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(web.embedded)
    monkeypatch.setattr(
        chunking, "cut", lambda text, **how: cut(text, **{**how, "size": 300, "overlap": 0})
    )
    chunks = old.rows("SELECT count(*) AS n FROM headrace.chunks")[0]["n"]
    raised("chunk")
    settle(old, lambda: set(old.shown()) == {"a.txt", "b.txt", "c.txt"})
    assert old.rows("SELECT count(*) AS n FROM headrace.chunks")[0]["n"] > chunks
    assert old.rows("SELECT DISTINCT cut_by FROM headrace.chunks") == [{"cut_by": 2}]
    assert "Beavers build dams." not in web.embedded[before:]


def test_a_new_embedder_embeds_again(old: Shelf, web: Web, raised: Raise) -> None:
    before = len(web.embedded)
    raised("embed")
    settle(old, lambda: set(old.shown()) == {"a.txt", "b.txt", "c.txt"})
    assert sorted(web.embedded[before:]) == sorted(web.embedded[:before])
    assert old.rows("SELECT DISTINCT embedded_by FROM headrace.chunks") == [{"embedded_by": 2}]


def test_a_replay_mends_texts_and_chunks(old: Shelf, web: Web) -> None:
    """Covers A3.31: read and cut again from the bytes; nothing is embedded that has been."""
    fresh, before = old.shown(), len(web.embedded)
    old.rows("UPDATE headrace.texts SET body = 'lies' RETURNING 1 AS n")
    old.rows("UPDATE headrace.chunks SET body = 'lies', headings = '{x}' RETURNING 1 AS n")
    old.rows("DELETE FROM headrace.documents WHERE source_id = 'c.txt' RETURNING 1 AS n")
    with old.database.people("acme", "ann") as session:
        job_id = replay.submit(session, "acme", "ann", replay.Wanted())["job_id"]
    end = time.monotonic() + 60
    while not old.rows(
        "SELECT 1 AS n FROM headrace.jobs WHERE job_id = %s AND status = 'SUCCEEDED'", job_id
    ):
        assert time.monotonic() < end, old.rows("SELECT * FROM headrace.jobs")
        time.sleep(0.05)
    assert old.shown() == fresh
    assert len(web.embedded) == before
