"""People merge, part and answer, and take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from tests.people.conftest import OWN, TENANT, USER, letter

from headrace.errors import BadInput
from headrace.people.likeness import AUTOMATIC
from headrace.store import contacts

if TYPE_CHECKING:
    from tests.people.conftest import Letters

WORK, SHORT = ("john.smith@acme.example", "John Smith"), ("jsmith@acme.example", "John Smith")
HOME, OTHER = ("john.smith@gmail.com", "John Smith"), ("zoe@x.example", "Zoe Adler")


@pytest.fixture
def sent(letters: Letters) -> Letters:
    """One John with two addresses, one who may be the same, and Zoe."""
    letters.send(a=letter(WORK, SHORT), b=letter(HOME, (OWN, None)), c=letter(OTHER, WORK, day=9))
    assert letters.contacts() == sets([WORK, SHORT], [HOME], [OTHER])
    return letters


def sets(*groups: list[tuple[str, str]]) -> set[frozenset[str]]:
    return {frozenset(value for value, _ in each) for each in groups}


def ask(letters: Letters, what: Any, *given: Any, **more: Any) -> Any:
    with letters.bench.database.people(TENANT, USER) as session:
        return what(session, *given, **more)


def of(letters: Letters, who: tuple[str, str]) -> UUID:
    found: UUID = letters.identities()[who[0]]["identity_id"]
    return found


def test_merged_and_parted_again(sent: Letters) -> None:
    """Covers A1.44: nothing is lost, and whatever is sent later, a person's word counts."""
    before = sent.tables()
    ask(sent, contacts.merge, [of(sent, WORK), of(sent, OTHER)], USER)
    assert sent.contacts() == sets([WORK, SHORT, OTHER], [HOME])
    ask(sent, contacts.split, of(sent, WORK), [of(sent, OTHER)], USER)
    assert sent.tables() == before
    ask(sent, contacts.split, of(sent, WORK), [of(sent, SHORT)], USER)
    assert sent.contacts() == sets([WORK], [SHORT], [HOME], [OTHER])
    # Whoever is linked to both of them by rule joins one of them, and does not join them.
    late = ("johnsmith@acme.example", "John Smith")
    sent.send(d=letter(WORK, SHORT), e=letter(late, WORK))
    assert len(sent.contacts()) == 4
    assert {frozenset({WORK[0]}), frozenset({SHORT[0]})} & sent.contacts()
    ask(sent, contacts.merge, [of(sent, WORK), of(sent, SHORT)], USER)
    assert sent.contacts() == sets([WORK, SHORT, late], [HOME], [OTHER])


def test_suggestions_are_answered(sent: Letters) -> None:
    """Covers A3.12: what names alone say is suggested, with the reasons, and never done."""
    found = ask(sent, contacts.suggestions)
    assert {row["rule"] for row in found} == {"fuzzy"}
    assert all(row["score"] < AUTOMATIC for row in found)
    assert found[0]["evidence"]["names"] == ["John Smith", "John Smith"]
    ask(sent, contacts.answer, found[0]["link_id"], same=True, by=USER)
    assert sent.contacts() == sets([WORK, SHORT, HOME], [OTHER])
    assert ask(sent, contacts.suggestions) == []
    assert ask(sent, contacts.answer, found[0]["link_id"], same=True, by=USER) is None


def test_dismissed_it_is_not_asked_again(sent: Letters) -> None:
    for row in ask(sent, contacts.suggestions):
        ask(sent, contacts.answer, row["link_id"], same=False, by=USER)
    assert sent.contacts() == sets([WORK, SHORT], [HOME], [OTHER])
    sent.send(d=letter(HOME, WORK, SHORT))
    assert ask(sent, contacts.suggestions) == []


def test_the_same_is_said_once(sent: Letters) -> None:
    links = "SELECT count(*) FROM headrace.contact_links"
    before = sent.bench.one(links)
    for batch in sent.trail.batches():
        sent.run(batch["batch_id"])
    assert sent.bench.one(links) == before


def test_what_if(sent: Letters) -> None:
    """Another threshold is tried on what is known, and changes nothing."""
    before = sent.tables()
    assert ask(sent, contacts.what_if, AUTOMATIC).joined == []
    lower = ask(sent, contacts.what_if, 0.7)
    assert (lower.contacts_now, lower.contacts_then, len(lower.joined)) == (3, 2, 1)
    higher = ask(sent, contacts.what_if, 1.0)
    assert len(higher.parted) == 1
    assert sent.tables() == before


def test_found_by_any_of_it(sent: Letters) -> None:
    for words, hits in {"smith": 2, "JSMITH@": 1, "adler": 1, "%": 0, "_": 0, "nobody": 0}.items():
        assert len(ask(sent, contacts.listing, words)) == hits, words
    row = ask(sent, contacts.one, of(sent, SHORT))
    assert row["identities"] == 2
    assert {each["value"]: each["interactions"] for each in row["of"]} == {WORK[0]: 2, SHORT[0]: 1}
    assert [link["rule"] for link in row["links"]] == ["domain"]


def test_what_cannot_be_is_refused(sent: Letters) -> None:
    with pytest.raises(BadInput, match="one contact already"):
        ask(sent, contacts.merge, [of(sent, WORK), of(sent, SHORT)], USER)
    for ids in ([of(sent, HOME)], [of(sent, WORK), of(sent, SHORT)]):
        with pytest.raises(BadInput, match="not some of"):
            ask(sent, contacts.split, of(sent, WORK), ids, USER)
    assert ask(sent, contacts.merge, [of(sent, WORK), UUID(int=1)], USER) is None
    assert ask(sent, contacts.split, UUID(int=1), [of(sent, WORK)], USER) is None
