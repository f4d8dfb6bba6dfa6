"""Who may be one person: why, in words; answered, and taken back."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import House
from tests.api.test_contacts import identity, suggest
from tests.dashboard.data.conftest import EVIL
from tests.dashboard.serving import signed_in

from headrace.dashboard.evidence import evidence


@pytest.fixture
def link(house: House) -> int:
    """A suggestion: three people, of whom two may be one."""
    one, other = (
        identity(house, "c@a.example", f"Carol {EVIL}"),
        identity(house, "c@b.example", "C"),
    )
    identity(house, "dan@a.example", "Dan")
    return suggest(house, one, other)


def people(house: House) -> int:
    """How many there are."""
    return len(house.execute("SELECT DISTINCT contact_id FROM headrace.contact_identities"))


@pytest.mark.parametrize(("same", "then", "back"), [("true", 2, 3), ("false", 3, 2)])
def test_an_answer_is_taken_back(
    ann: TestClient, house: House, link: int, same: str, then: int, back: int
) -> None:
    """Covers A3.22: what was joined is parted, what was kept apart is joined; and once."""
    assert "70 % sure" in ann.get("/contacts").text
    page = ann.post(f"/contacts/suggestions/{link}", data={"same": same}).text
    assert people(house) == then
    assert 'id="suggestions"' not in page
    undo = re.search(r'action="(/contacts/links/\d+/undo)"', page)
    assert undo
    assert "<script>alert" not in page
    for stranger in (signed_in(house, "acme", "bob", "bob"), signed_in(house, "other", "zoe")):
        assert stranger.post(undo[1]).status_code == 404
    assert people(house) == then
    again = ann.post(undo[1])
    assert "again." in again.text
    assert people(house) == back
    assert "taken back already" in ann.post(undo[1]).text
    assert people(house) == back


def test_a_merge_is_undone_as_it_was(ann: TestClient, house: House, link: int) -> None:
    """Covers A3.22: three made one, of which one stands aside again and two stay together."""
    ann.post(f"/contacts/suggestions/{link}", data={"same": "true"})
    ids = [row["contact_id"] for row in house.execute("SELECT contact_id FROM headrace.contacts")]
    page = ann.post("/contacts/merge", data={"contact": [str(one) for one in ids]})
    assert people(house) == 1
    assert page.text.count("/undo") >= 2
    newest = max(int(one) for one in re.findall(r"/contacts/links/(\d+)/undo", page.text))
    ann.post(f"/contacts/links/{newest}/undo")
    assert people(house) == 2
    [dan] = house.execute(
        "SELECT contact_id FROM headrace.contact_identities WHERE value = 'dan@a.example'"
    )
    of = "SELECT 1 AS one FROM headrace.contact_identities WHERE contact_id = %s"
    assert len(house.execute(of, dan["contact_id"])) == 1


def test_no_rule_is_taken_back_and_nothing_that_is_not_there(
    ann: TestClient, house: House, link: int
) -> None:
    for number in (link, 10**9):
        assert ann.post(f"/contacts/links/{number}/undo").status_code == 404
    assert people(house) == 3


def test_evidence_in_words() -> None:
    told = {"name": "loose", "similarity": 0.787, "domain": "a.example", "local": ["cw", "carol"]}
    said = "names that may be short for each other (79% alike); both at a.example; cw and carol"
    assert evidence(told) == said
    assert (
        evidence({"records": 1200, "name": "unlike"})
        == "a source names both as one in 1,200 records"
    )
    assert evidence(None) == evidence({}) == evidence({"local": ["", "x"]}) == ""
