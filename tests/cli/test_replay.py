"""`headrace replay` and `headrace why`, as a person runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from tests.cli.command import House

MAIL = """From ann@example.org Mon Jan  5 10:00:00 2026
From: Ann Lee <ann@example.org>
To: me@example.org
Subject: Tea at four
Message-ID: <tea@example.org>
Date: Mon, 5 Jan 2026 10:00:00 +0000

Come.
"""


def test_tables_are_made_again_and_explained(house: House) -> None:
    """Covers A3.31, C5: a dry run shows what somebody has changed by hand, the replay mends it, and
    the row says where it came from."""
    house.write("mail.mbox", MAIL)
    house.run("ingest", "mail.mbox").ok()
    with psycopg.connect(house.environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("UPDATE headrace.interactions SET subject = 'Coffee'")
    said = house.run("replay", "--dry-run").ok().out
    assert "subject: Coffee -> Tea at four" in said
    assert house.run("replay", "--provider", "mailbox").ok().out.startswith("Replayed 1 records")
    [job] = [one for one in house.json("jobs", "list") if one["payload"].get("dry_run") is False]
    shown = house.json("jobs", "show", job["job_id"])
    assert (shown["batches"], shown["of"], shown["records"]) == (1, 1, 1)
    [hit] = house.json("search", "tea")
    name = f"{hit['kind']}:{hit['stream_id']}:{hit['source_id']}"
    said = house.look("why", name).ok().out
    assert "Tea at four" in said
    assert "made by normalize_mail" in said
    assert "mailbox_import" in said
    back = house.json("why", "raw", f"{hit['stream_id']}:{hit['source_id']}")
    assert back["made"]["interactions"]
    stages = house.json("stages", "--left")
    assert {one["batches_left"] for one in stages if not one["apart"]} == {0}


def test_a_retry_of_many_letters_says_how_far_it_is(house: House) -> None:
    """It lands nothing, and `dead-letters retry --all` sends people to `jobs show`."""
    house.look("jobs", "list").ok()
    with psycopg.connect(house.environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "INSERT INTO headrace.jobs (tenant_id, user_id, job_id, kind, payload, summary)"
            " VALUES ('default', 'me', 'j1', 'dead_letter_retry', '{}',"
            """ '{"of": 2400, "until": 9, "at": 7, "retried": 1000, "still_open": 3}')"""
        )
    shown = house.json("jobs", "show", "j1")
    assert (shown["of"], shown["retried"], shown["still_open"]) == (2400, 1000, 3)
    assert "retried        1000" in house.look("jobs", "show", "j1").ok().out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["replay", "--all", "--days", "3"], "contradict"),
        (["replay", "--connection", "nowhere"], "no connection"),
        (["why", "interaction:1:x"], "no interaction 1:x"),
        (["why", "nothing"], "names no row"),
    ],
)
def test_mistakes_are_told(house: House, line: list[str], said: str) -> None:
    code = house.look(*line)
    assert code.code != 0
    assert said in code.err
