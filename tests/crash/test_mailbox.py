"""Death in the middle of a mailbox: the file is gone on with from inside, every message once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.crash.processes import Commands, Running
from tests.crash.rounds import ROUNDS, rounds
from tests.crash.tally import Tally

from headrace.mailbox.sample import OWNER_ADDRESS, write_sample_mbox

Ingest = Callable[[], tuple[str, Callable[[str], Running]]]

MESSAGES = 14_000

_KEPT = {
    "raw": "SELECT source_id, version, content_hash, md5(payload), occurred_at"
    " FROM headrace.raw_events",
    "shown": "SELECT source_id, version, subject, from_address, direction, thread_id, md5(body),"
    " occurred_at FROM headrace.interactions",
    "refused": "SELECT stage, source_id, content_hash, reason FROM headrace.dead_letters",
    "books": "SELECT sum(fetched), sum(inserted), sum(unchanged), sum(dead_lettered)"
    " FROM headrace.batches",
}


@pytest.fixture(scope="module")
def mbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year of somebody's mail."""
    path = tmp_path_factory.mktemp("mail") / "sample.mbox"
    write_sample_mbox(path, messages=MESSAGES)
    return path


def _kept(database: str) -> dict[str, Counter[tuple[Any, ...]]]:
    with psycopg.connect(database) as connection:
        return {name: Counter(connection.execute(query)) for name, query in _KEPT.items()}


@pytest.fixture
def ingest(mbox: Path, databases: Callable[..., str], tmp_path: Path) -> Iterator[Ingest]:
    """A database of its own, and `headrace ingest` of the mailbox into it, to die at a point."""
    made: list[Commands] = []

    def make() -> tuple[str, Callable[[str], Running]]:
        database = databases()
        home = tmp_path / urlsplit(database).path.strip("/")
        home.mkdir()
        commands = Commands(home, database)
        made.append(commands)
        line = ("ingest", str(mbox), "--address", OWNER_ADDRESS)
        return database, lambda crash: commands.start(*line, crash=crash)

    yield make
    for commands in made:
        commands.end()


def test_every_message_is_there_once(ingest: Ingest, tally: Tally) -> None:
    """Covers A2.16, A2.34, A4.16, R16: what comes of a mailbox by way of some deaths is what comes
    of it by way of none, messages and dead letters alike."""
    untouched, start = ingest()
    start("").succeeds()
    wanted = _kept(untouched)
    assert wanted["books"] == Counter([(MESSAGES, *next(iter(wanted["books"]))[1:])])
    for number in rounds(1, 10):
        random = Random(number)
        database, start = ingest()
        for point in ("before-ack:2", "in-stage:1"):
            start(point).dies(point)
            tally.kills += 1
        if ROUNDS:
            running = start("")
            time.sleep(random.uniform(0.5, 3))
            tally.kills += running.kill()
        start("").succeeds()
        found = _kept(database)
        tally.lost += (wanted["raw"] - found["raw"]).total()
        tally.doubled += (found["raw"] - wanted["raw"]).total()
        assert found == wanted
        tally.rounds += 1
        tally.records += MESSAGES
