"""`headrace insights`: made, listed and shown."""

from __future__ import annotations

import pytest
from tests.cli.command import House

from headrace.mailbox.sample import OWNER_ADDRESS, write_sample_mbox


@pytest.fixture(scope="module")
def full(shared: House) -> House:
    """A house with a mailbox in it, and insights of its conversations."""
    write_sample_mbox(shared.folder / "mail.mbox", messages=300)
    shared.run("ingest", "mail.mbox", "--address", OWNER_ADDRESS).ok()
    shared.run("insights", "make", "thread_summary").ok()
    return shared


def test_making_all_of_nothing_says_so(house: House) -> None:
    ran = house.run("insights", "make", "all").ok()
    assert ran.out == "0 insights.\n"
    assert house.look("insights", "list").ok().out == "No insights yet.\n"


def test_they_are_made_listed_and_shown(full: House) -> None:
    """Covers A3.14, A1.35: by hand, by rules, and each says so."""
    rows = full.json("insights", "list", "--kind", "thread_summary")
    assert len(rows) > 3
    one = rows[0]
    shown = full.look("insights", "show", str(one["insight_id"])).ok()
    assert one["title"] in shown.out
    assert "Made by rules, not by a language model." in shown.out
    assert " ".join(one["sources"][0]["quote"].split())[:40] in " ".join(shown.out.split())
    again = full.json("insights", "list", "--subject", one["subject"])
    assert [row["insight_id"] for row in again] == [one["insight_id"]]


def test_made_again_there_is_nothing_new(full: House) -> None:
    made = full.run("insights", "make", "thread_summary", "--json").ok().json
    assert made["summary"]["made"] == 0
    assert made["summary"]["known"] > 3
    assert made["items"] == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("make", "thread_sumary"), "Did you mean thread_summary?"),
        (("make", "lead_score", "bob"), "It is written like contact:"),
        (("make", "thread_summary", "thread:nowhere"), "There is nothing known of thread:nowhere."),
        (("make", "all", "week:2026-W01"), "A subject is of one kind."),
        (("show", "999999"), "There is no insight 999999."),
        (("list", "--kind", "lead_scor"), "Did you mean lead_score?"),
    ],
)
def test_mistakes_are_told(full: House, words: tuple[str, ...], says: str) -> None:
    ran = full.look("insights", *words)
    assert ran.code == 64
    assert says in ran.err
