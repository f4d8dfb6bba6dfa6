"""`headrace schedules`: as a person keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.cli.command import House

from headrace.store import connections
from headrace.store.database import Database


@pytest.fixture
def shop(house: House) -> Iterator[House]:
    """A home with a connection called shop."""
    store = Database(house.environment["DATABASE_URL"]).open()
    with store.transaction() as session:
        connections.save(
            session, tenant="default", user="me", provider="rest", name="shop", config={}
        )
    yield house
    store.close()


def test_added_listed_paused_run_and_removed(shop: House) -> None:
    """Covers A3.38, A0.22."""
    told = shop.look("schedules", "add", "sync", "every 15m", "--connection", "shop").ok()
    assert told.out.startswith("shop, every 15 minutes: ")
    made = shop.json(
        *("schedules", "add", "weekly_digest", "0 7 * * mon"),
        *("--timezone", "Europe/Berlin", "--name", "mondays"),
    )
    assert len(made["next_runs"]) == 3
    listed = shop.look("schedules", "list").ok().out
    assert "mondays" in listed
    assert "every 15 minutes" in listed
    assert shop.look("schedules", "pause", "mondays").ok().out == "mondays is paused.\n"
    assert shop.json("schedules", "list")[1]["next_runs"] == []
    assert "in Europe/Berlin: Mon" in shop.look("schedules", "resume", "mondays").ok().out
    assert shop.look("schedules", "run", "shop").ok().out == "1 job is on the queue.\n"
    jobs: list[dict[str, Any]] = shop.json("jobs", "list")
    assert [job["kind"] for job in jobs] == ["rest_sync"]
    gone = shop.look("schedules", "remove", made["schedule_id"]).ok()
    assert gone.out == "mondays is not done any more.\n"
    assert [row["connection"] for row in shop.json("schedules", "list")] == ["shop"]


@pytest.mark.parametrize(
    ("line", "says", "hint"),
    [
        (["add", "sync", "0 0 30 2 *"], "never comes", "30 February"),
        (["add", "sync", "every 1s"], "more often than anything", "every 1m"),
        (["add", "sync", "1h", "--connection", "shpo"], "no connection 'shpo'", "shop"),
        (["add", "sync", "1h", "--missed", "never"], "not one of 'once'", "--help"),
        (["add", "replay", "1h", "--payload", "[1]"], "no JSON object", "days"),
        (["pause", "nothing"], "There is no schedule 'nothing'", "list"),
    ],
)
def test_what_cannot_be(shop: House, line: list[str], says: str, hint: str) -> None:
    shop.look("schedules", *line).refused(64, says, hint)


def test_an_unknown_kind_is_refused(shop: House) -> None:
    told = shop.look("schedules", "add", "gmial_sync", "every 1h")
    assert (told.code, told.err.splitlines()) == (
        64,
        ["Unknown job kind: gmial_sync", "  Did you mean gmail_sync?"],
    )
