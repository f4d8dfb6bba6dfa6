"""Looking at what there is, and steering it: in words, and in JSON for programs."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cli.command import House

from headrace.engine import graph, intake
from headrace.engine.graph import Member
from headrace.mailbox.sample import OWNER_ADDRESS, write_sample_mbox
from headrace.settings import Settings
from headrace.store.database import connect

if TYPE_CHECKING:
    from tests.cli.conftest import Api

KEY = "the-right-key"


@pytest.fixture(scope="module")
def full(shared: House) -> House:
    """A house with a mailbox in it, and some mail that steers terminals."""
    write_sample_mbox(shared.folder / "mail.mbox", messages=600)
    with (shared.folder / "mail.mbox").open("ab") as file:
        file.write(b"From x Mon Jan  5 08:00:00 2026\nMessage-ID: <evil@x>\nFrom: e@example.org\n")
        file.write(
            b"Subject: Harmless \x1b[2J\x1b[31m[bold]subject[/bold] \xe2\x80\xae txt.exe\n\n"
        )
        file.write(b"zanzibar \x1b]0;owned\x07 [red]words[/red] \\[x]\n\n")
        for _ in range(3):
            file.write(b"From nobody Mon Jan  5 08:00:00 2026\n\n")
    shared.run("ingest", "mail.mbox", "--address", OWNER_ADDRESS).ok()
    return shared


def test_search(full: House) -> None:
    """The newest and best first, in words or as JSON; `--limit` is honoured. Under each stands its
    name, which `headrace why` takes as it is."""
    ran = full.look("search", "invoice", "--limit", "3").ok()
    assert 6 <= len(ran.out.splitlines()) <= 12
    name = ran.out.splitlines()[-1].strip()
    assert full.json("why", *shlex.split(name))["kind"] == "interaction"
    told = full.look("timeline", "--limit", "1").ok().out.splitlines()[-1].strip()
    assert full.json("why", *shlex.split(told))["kind"] == "timeline"
    hits = full.json("search", "invoice", "--limit", "3")
    assert len(hits) == 3
    assert all({"title", "occurred_at", "snippet"} <= hit.keys() for hit in hits)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "*",
        '"open',
        "a & | ! (b",
        "-only -without",
        "\x01\x02 🦊 日本語",
        "x" * 20_000,
        "'; DROP TABLE headrace.jobs; -- %s {0} [bold]",
    ],
    ids=lambda query: ascii(query)[:20],
)
def test_any_words_are_fine(full: House, query: str) -> None:
    assert isinstance(full.json("search", "--", query), list)


def test_bytes_that_are_no_text(full: House) -> None:
    command: list[str | bytes] = [sys.executable, "-m", "headrace.cli", "search", b"\xff\xfe"]
    ran = subprocess.run(command, env=full.environment, capture_output=True, cwd=full.folder)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.startswith(b"Nothing found for ")


def test_nothing_found(full: House) -> None:
    ran = full.look("search", "quetzalcoatl").ok()
    assert ran.out == "Nothing found for 'quetzalcoatl'.\n"
    assert full.json("search", "quetzalcoatl") == []


def test_somebody_elses_words_steer_no_terminal(full: House) -> None:
    """A subject can neither clear the screen nor turn round what is beside it, and what looks like
    markup is shown as it was written."""
    ran = full.look("search", "zanzibar").ok()
    assert "[bold]subject[/bold]" in ran.out
    assert "Harmless" in ran.out
    for steering in ("\x1b", "\x07", "\N{RIGHT-TO-LEFT OVERRIDE}"):
        assert steering not in ran.out
    assert full.json("search", "zanzibar")[0]["title"].startswith("Harmless")


def test_a_pipe_that_ends_early(full: House) -> None:
    """`headrace ... | head -1` is no error, and prints none."""
    line = f"{sys.executable} -m headrace.cli dead-letters list --json | head -c 10; echo; "
    line += f"{sys.executable} -m headrace.cli search the --limit 1000 | head -1"
    ran = subprocess.run(
        ["bash", "-c", line], env=full.environment, cwd=full.folder, capture_output=True, text=True
    )
    assert ran.stderr == ""
    assert len(ran.stdout.splitlines()) == 2


def test_what_there_is(full: House) -> None:
    """Every listing in words and in JSON; counts agree."""
    [box] = full.json("connections", "list")
    assert (box["provider"], box["health"]) == ("mailbox", "active")
    assert f"{box['records']:,}" in full.run("connections", "list").ok().out
    assert "credential" not in box
    [job] = full.json("jobs", "list", "--status", "succeeded")
    assert full.json("jobs", "list", "--status", "FAILED") == []
    assert full.run("jobs", "list", "--status", "failed").ok().out == "No failed jobs yet.\n"
    assert job["job_id"] in full.run("jobs", "list").ok().out
    shown = full.json("jobs", "show", job["job_id"])
    assert (shown["status"], shown["inserted"]) == ("SUCCEEDED", box["records"])
    words = full.run("jobs", "show", job["job_id"]).ok().out
    assert f"inserted       {box['records']}" in words
    house = full.json("check")
    assert house["database"] == "DATABASE_URL"
    assert {"mailbox", "rest"} <= set(house["providers"])
    assert full.run("check").ok().out.endswith("All is well.\n")
    assert full.run("migrate").ok().out == "The database is up to date.\n"
    assert full.json("migrate")["version"]


def test_a_database_with_nothing_in_it(house: House) -> None:
    """Covers A2.9: any command makes the tables; empty is a sentence, and an empty list."""
    assert house.look("jobs", "list").ok().out == "No jobs yet.\n"
    for line in ("jobs list", "connections list", "dead-letters list", "search anything"):
        assert house.json(*line.split()) == []


def test_dead_letters(full: House) -> None:
    """Covers A2.44: listed with the reason, shown with their bytes, retried and dropped."""
    letters = full.json("dead-letters", "list")
    assert letters
    assert all(one["reason"] and one["hint"] for one in letters)
    number = str(letters[0]["dead_letter_id"])
    assert full.json("dead-letters", "show", number)["reason"] == letters[0]["reason"]
    assert letters[0]["reason"] in full.look("dead-letters", "show", number).ok().out
    again = full.json("dead-letters", "retry", number)
    assert (again["state"], again["dead_letter_id"]) == ("open", int(number))
    assert full.json("dead-letters", "drop", number)["state"] == "dropped"
    over = full.look("dead-letters", "drop", number)
    over.refused(64, rf"^Dead letter {number} cannot be dropped\.$", "over already")
    full.look("dead-letters", "retry", number).refused(64, "cannot be retried", "over already")
    assert len(full.json("dead-letters", "list")) == len(letters) - 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("jobs show nonsense", r"^There is no job nonsense\.$"),
        ("jobs cancel nonsense", r"^There is no job nonsense\.$"),
        ("jobs retry nonsense", r"^There is no job nonsense\.$"),
        ("dead-letters show 99999", r"^There is no dead letter 99999\.$"),
        ("dead-letters retry 99999", r"^There is no dead letter 99999\.$"),
        ("dead-letters drop 99999999999999999999", r"99999999999999999999"),
        ("jobs list --status lost", r"'lost' is not one of"),
    ],
)
def test_what_there_is_not(full: House, line: str, message: str) -> None:
    """64, a sentence and a hint; nothing on standard output."""
    ran = full.look(*line.split(), "--json")
    ran.refused(64, message, r"list|--help")
    assert ran.out == ""


def test_steering_a_job(house: House, api: Api, tmp_path: Path) -> None:
    """Covers A2.34: cancelled, it stays so; retried, it goes on where it stopped."""
    api.wrong({"on": {"offset": 500}, "do": {"kind": "answer", "status": 403}})
    house.run("sync", "--spec", api.spec(house), SHOP_KEY=KEY).refused(77, "refused by", "allowed")
    [job] = house.json("jobs", "list")
    wrong = house.look("jobs", "cancel", job["job_id"])
    wrong.refused(64, "cannot be cancelled", "over already")
    assert house.json("jobs", "retry", job["job_id"])["status"] == "PENDING"
    assert house.json("jobs", "cancel", job["job_id"])["status"] == "CANCELLED"
    assert house.look("jobs", "retry", job["job_id"]).ok().out.startswith(job["job_id"])
    api.wrong()
    [done] = house.json("sync", "shop", SHOP_KEY=KEY)
    assert (done["job_id"], done["inserted"], done["status"]) == (job["job_id"], 1_000, "SUCCEEDED")


def test_jobs_that_wait(house: House, api: Api) -> None:
    """Covers A3.44: shown with what they wait for, drawn level by level, cancelled and retried as a
    tree; and a sync after another."""
    assert house.json("jobs", "list") == []
    with connect(house.environment["DATABASE_URL"]) as line, line.transaction():
        members = []
        for name, after in (("shop", []), ("orders", ["shop"])):
            wanted = intake.rest_spec(house.folder / api.spec(house, name=name))
            row = intake.connect(line, "default", "me", wanted, Settings(_env_file=None))
            member = Member(name, "me", "rest_sync", row["connection_id"], after=after)
            members.append(member)
        ids, _ = graph.submit(line, "default", members)
    shop, orders = ids["shop"], ids["orders"]
    assert house.json("jobs", "show", orders)["waiting_for"] == [shop]
    assert f"waiting_for    {shop}" in house.look("jobs", "show", orders).ok().out
    drawn = house.look("jobs", "graph", orders).ok().out
    assert drawn == f"{shop} shop: PENDING\n  {orders} orders: waits, after {shop[:8]}\n"
    assert len(house.json("jobs", "graph", shop)["edges"]) == 1
    assert sorted(house.json("jobs", "cancel", shop, "--tree")["jobs"]) == sorted([shop, orders])
    said = house.look("jobs", "retry", shop, "--tree").ok().out
    assert said.startswith("2 jobs are to go on")
    [after] = house.json("sync", "shop", "--after", orders, SHOP_KEY=KEY)
    assert (after["status"], after["unchanged"]) == ("SUCCEEDED", 1_000)
    assert house.json("jobs", "show", orders)["status"] == "SUCCEEDED"
    house.look("jobs", "graph", "nobody").refused(64, "There is no job", "jobs list")
