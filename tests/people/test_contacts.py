"""Who took part, exactly, whatever happens to the records and in whatever order."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from tests.people.conftest import OWN, letter

from headrace.engine import extract
from headrace.mail.direction import canonical
from headrace.people import identities

if TYPE_CHECKING:
    from tests.people.conftest import Letters

JOHN = ("john.smith@acme.example", "John Smith")
SHORT = ("jsmith@acme.example", "John Smith")
EVE = ("eve@other.example", "Eve Moss")
ME = (OWN, "Me Myself")


def test_who_took_part(letters: Letters) -> None:
    """Covers A1.41, A1.43, A3.12, A3.13, A3.23."""
    letters.send(a=letter(JOHN, ME, EVE, day=1), b=letter(ME, JOHN, day=2))
    rows = letters.bench.rows(
        "SELECT p.source_id, p.role, i.value FROM headrace.participants p"
        " JOIN headrace.contact_identities i USING (identity_id) ORDER BY 1, 2, 3"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("a", "from", JOHN[0]),
        ("a", "to", EVE[0]),
        ("a", "to", OWN),
        ("b", "from", OWN),
        ("b", "to", JOHN[0]),
    ]
    assert letters.contacts() == {frozenset({JOHN[0]}), frozenset({EVE[0]})}
    assert letters.identities()[OWN]["own"]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_in_any_order_of_batches(letters: Letters, order: tuple[int, ...]) -> None:
    """Covers A1.52: edited so that others take part, edited so that nobody does, deleted, and
    everything run twice: the same rows whichever batch comes first."""
    batches = [
        letters.land(
            a=letter(JOHN, EVE, day=1),
            b=letter((EVE[0], "E. Moss"), JOHN, day=2),
            c=letter(("gone@x.example", "Gone"), day=3),
            d=letter(("void@x.example", "Void"), JOHN, day=9),
        ),
        letters.land(a=letter(SHORT, EVE, day=1), c=None),
        letters.land(d=letter(None)),
        letters.land(e=letter(JOHN, ("zoe@x.example", "Zoe"), day=5)),
    ]
    for at in (*order, *order):
        letters.run(batches[at])
    found = letters.identities()
    assert set(found) == {JOHN[0], SHORT[0], EVE[0], "zoe@x.example"}
    assert [found[EVE[0]][k].day for k in ("first_seen_at", "last_seen_at")] == [2, 3]
    assert found[EVE[0]]["name"] == "E. Moss"
    assert found[JOHN[0]]["last_seen_at"].day == 6
    assert frozenset({JOHN[0], SHORT[0]}) in letters.contacts()
    before = letters.tables()
    letters.rebuild()
    assert letters.tables() == before


def test_programs_and_owners_are_no_contacts(letters: Letters) -> None:
    """Whoever has written by hand once is a person, in any order; a reason that speaks of the
    message alone says nothing of the sender."""
    letters.send(
        a=letter(("news@shop.example", "Shop"), ME, automated="list"),
        b=letter(("no-reply@shop.example", "Shop"), ME),
        c=letter(("ci[bot]", "CI"), ME),
        d=letter(("ann.lee@shop.example", "Ann Lee"), ME, automated="list"),
        e=letter(("bob.ray@shop.example", "Bob Ray"), ME, automated="auto-reply"),
    )
    assert letters.contacts() == {frozenset({"bob.ray@shop.example"})}
    letters.send(f=letter(("ann.lee@shop.example", "Ann Lee"), ME))
    assert frozenset({"ann.lee@shop.example"}) in letters.contacts()
    letters.send(f=None)
    assert letters.contacts() == {frozenset({"bob.ray@shop.example"})}


def test_canonical_is_the_same_in_sql(letters: Letters) -> None:
    values = ["A.b+x@Gmail.com", "a.b@googlemail.com", "+x@e.example", "c.d+y@e.example", "a@b@c.d"]
    letters.send(a=letter(("s@e.example", None), *[(one, None) for one in values]))
    for value in values:
        assert letters.identities()[value.lower()]["canonical"] == canonical(value)


def test_a_number_in_a_signature(letters: Letters) -> None:
    """The one who signs with it has it; a switchboard is nobody's; the owner's own is left out."""
    number, board, mine = "+4930111", "+4930999", "+4930555"
    letters.send(
        a=letter(JOHN, ME, also=[(number, "John Smith"), (board, "John Smith")]),
        b=letter(EVE, ME, also=[(board, "Eve Moss")]),
        c=letter(ME, JOHN, also=[(mine, "Me Myself")]),
        d=letter(("john@private.example", "John Smith"), ME, also=[(number, None)]),
    )
    assert letters.contacts() == {
        frozenset({JOHN[0], number, "john@private.example"}),
        frozenset({EVE[0]}),
        frozenset({board}),
    }


def test_by_hand_only(letters: Letters) -> None:
    """Covers X6, A3.36: with `manual` the stage does nothing by itself."""
    letters.settings(headrace_extract_contacts="manual")
    letters.send(a=letter(JOHN, EVE))
    assert not letters.identities()


def test_who_asks_for_all_is_through_with_what_names_nobody(
    letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of which nobody can be made is gone through once, however short the legs are."""
    letters.settings(headrace_extract_contacts="manual")
    letters.send(a=letter(("", "Nobody"), ("", None)))
    letters.send(b=letter(JOHN, EVE))
    monkeypatch.setattr(extract, "LEG_SECONDS", 0.0)
    with letters.bench.database.transaction() as session:
        job_id = extract.submit(session, "acme", "ann")["job_id"]
    letters.bench.rows("UPDATE headrace.jobs SET status = 'RUNNING' RETURNING 1 AS n")
    legs = [extract.leg(letters.bench.database, job_id, 1).state for _ in range(3)]
    assert legs == ["more", "more", "done"]
    assert {JOHN[0], EVE[0]} <= set(letters.identities())


def test_a_replay_leaves_identities_as_they_were(letters: Letters) -> None:
    """Covers A1.52: what somebody has changed by hand is made anew, and what nobody named goes."""
    batches = [
        letters.send(a=letter(("ann.lee@acme.example", "Ann Lee"), ME)),
        letters.send(
            b=letter(("bob@acme.example", "Bob Ray"), ME, day=2), c=letter(("x@y.example", ""), ME)
        ),
    ]
    before = letters.tables()
    letters.bench.rows(
        "UPDATE headrace.contact_identities SET name = 'Junk', last_seen_at = now()"
        " RETURNING 1 AS n"
    )
    letters.bench.rows("DELETE FROM headrace.contacts RETURNING 1 AS n")
    letters.bench.rows(
        "INSERT INTO headrace.contact_identities (tenant_id, identity_id, user_id, kind, value,"
        " canonical, batch_id) VALUES ('acme', md5('junk')::uuid, 'ann', 'email', 'j@junk.example',"
        " 'j@junk.example', 1) RETURNING 1 AS n"
    )
    letters.run(*batches)
    with letters.bench.database.transaction() as session:
        identities.rebuild(session, "acme", None)
    assert letters.tables() == before
