"""What the page about schedules tells one to type is typed here."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable

import pytest
import structlog
from typer.testing import CliRunner

from headrace import telemetry
from headrace.cadence import learned, times
from headrace.cadence.spec import CEILING_SECONDS, FLOOR_SECONDS, LEAST_SECONDS, parse
from headrace.cli.app import app
from headrace.store import connections, schedules
from headrace.store.database import Database

PAGE = "docs/how-to/schedules.md"


def test_its_commands_do_what_they_say(
    blocks: Callable[[str, str], list[str]], engine_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A3.38."""
    database = Database(engine_database).open()
    with database.transaction() as session:
        connections.save(
            session, tenant="default", user="me", provider="rest", name="shop", config={}
        )

    monkeypatch.setenv("DATABASE_URL", engine_database)

    def run(line: str) -> str:
        telemetry.quiet()  # as the command itself
        done = CliRunner().invoke(app, shlex.split(line)[1:], catch_exceptions=False)
        structlog.reset_defaults()
        logging.disable(logging.NOTSET)
        assert done.exit_code == 0
        return done.output

    [text] = blocks(PAGE, "sh")
    said = [run(line) for line in text.splitlines()]
    assert said[0] == "shop is synced every 15 minutes.\n"
    assert "mondays" in said[3]
    assert said[4] == "1 job is on the queue.\n"
    assert said[-1] == "everything is not done any more.\n"
    with database.people("default", "me") as session:
        left = [row["spec"] for row in schedules.listing(session)]
    assert left == ["every 15m", "0 7 * * mon"]
    database.close()


def test_its_numbers_are_those_of_the_code(page: Callable[[str], str]) -> None:
    text = " ".join(page(PAGE).split())
    assert (LEAST_SECONDS, FLOOR_SECONDS, CEILING_SECONDS) == (60, 900, 3600)
    assert "every 60 seconds is the least" in text
    assert "15 minutes to an hour where nothing is said" in text
    assert f"The newest {times.MOST_MISSED};" in text
    assert f"its last {learned.KEPT} syncs" in text
    assert (times.SPREAD_SECONDS, times.TOGETHER_SECONDS) == (60, 900)
    assert "puts each of them off by up to 15 minutes" in text
    assert "in one minute where it is a sync by a cron" in text
    for spec in ("every 15m", "0 7 * * mon", "learned", "learned 5m to 4h", "learned 2m to 30m"):
        parse(spec)
        assert f"`{spec}`" in text
