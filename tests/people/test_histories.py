"""Whatever happens, in whatever order: what was made step by step is what is made anew."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.people.conftest import OWN, TENANT, USER, letter

from headrace.errors import BadInput
from headrace.store import contacts

if TYPE_CHECKING:
    from tests.people.conftest import Letters

PEOPLE: list[tuple[str, str | None]] = [
    ("john.smith@acme.example", "John Smith"),
    ("jsmith@acme.example", "John Smith"),
    ("johnsmith@acme.example", None),
    ("john.smith@gmail.com", "John Smith"),
    ("john.smith+shop@gmail.com", "Smith, John"),
    ("jane.smith@acme.example", "Jane Smith"),
    ("jane.smith@acme.example", "J. Smith"),
    ("+49301234", "John Smith"),
    ("no-reply@acme.example", "Acme"),
    (OWN, "Me Myself"),
    ("zoe@else.example", "Zoe Adler"),
]

LATE = letter(("j.smith@acme.example", "John Smith"), PEOPLE[0], PEOPLE[1], day=2)

_numbers = count()

who = st.sampled_from(PEOPLE)
letters_ = st.builds(
    lambda sender, to, also, day, automated: letter(
        sender, *to, also=also, day=day, automated=automated
    ),
    who,
    st.lists(who, max_size=2),
    st.lists(st.just(PEOPLE[7]), max_size=1),
    st.integers(0, 30),
    st.sampled_from([None, None, None, "list", "auto-reply"]),
)
batches = st.dictionaries(st.sampled_from("abcdef"), st.none() | letters_, min_size=1, max_size=4)
steps = st.one_of(
    st.tuples(st.just("land"), batches),
    st.tuples(st.just("run"), st.integers(0, 9)),
    st.tuples(st.just("merge"), st.integers(0, 9)),
    st.tuples(st.just("split"), st.integers(1, 9)),
    st.tuples(st.just("split"), st.integers(1, 9)),
    st.tuples(st.just("answer"), st.integers(0, 9)),
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(steps, min_size=2, max_size=10))
def test_step_by_step_is_as_made_anew(letters: Letters, taken: list[tuple[str, Any]]) -> None:
    """Covers A1.42, A1.44, A1.52: landing, edits, deletions, batches worked through late and twice,
    merges, splits and answers; by a model that knows all links at once."""
    letters.bench.rows(
        "WITH a AS (DELETE FROM headrace.participants), b AS (DELETE FROM headrace.contacts),"
        " c AS (DELETE FROM headrace.contact_links), d AS (DELETE FROM headrace.interactions),"
        " e AS (DELETE FROM headrace.contact_identities) SELECT 1 AS n"
    )
    prefix, live = f"{next(_numbers)}-", dict[str, bytes | None]()
    waiting, done = list[int](), list[int]()
    everybody = letter(PEOPLE[0], *PEOPLE[1:], day=1)
    # Somebody for a person to decide on from the start; and a late one who joins what was parted.
    for what, how in [("land", {"z": everybody}), ("run", 0), *taken, ("land", {"y": LATE})]:
        if what == "land":
            waiting.append(letters.land(**{f"{prefix}{key}": how[key] for key in how}))
            live |= how
        elif what == "run" and waiting:
            done.append(waiting.pop(how % len(waiting)))
            letters.run(done[-1], *done[: how % 2])
        else:
            steer(letters, what, how)
    letters.run(*waiting)
    assert set(letters.identities()) == {
        person["value"]
        for told in live.values()
        if told is not None
        for person in json.loads(told)["people"]
    }
    assert letters.contacts() == model(letters)
    before = letters.tables()
    letters.rebuild()
    assert letters.tables() == before


def steer(letters: Letters, what: str, how: int) -> None:
    """Somebody decides; what cannot be decided so is refused."""
    with letters.bench.database.people(TENANT, USER) as session:
        rows = contacts.listing(session)
        open_ = contacts.suggestions(session)
        try:
            if what == "merge" and rows:
                ids = [
                    rows[how % len(rows)]["contact_id"],
                    rows[how // 2 % len(rows)]["contact_id"],
                ]
                contacts.merge(session, ids, USER)
            elif what == "split" and rows:
                row = contacts.one(session, rows[how % len(rows)]["contact_id"])
                assert row is not None
                apart = [each["identity_id"] for at, each in enumerate(row["of"]) if how >> at & 1]
                contacts.split(session, row["contact_id"], apart, USER)
            elif what == "answer" and open_:
                link = open_[how % len(open_)]["link_id"]
                contacts.answer(session, link, same=how % 2 == 0, by=USER)
        except BadInput:
            pass


def model(letters: Letters) -> set[frozenset[str]]:
    """All contacts from all links, written again and plainly."""
    found = letters.identities().values()
    values = {row["identity_id"]: row["value"] for row in found}
    fit = [row["identity_id"] for row in found if not row["own"] and row["automated"] is None]
    newest: dict[Any, Any] = {}
    for link in letters.bench.rows("SELECT * FROM headrace.contact_links ORDER BY link_id"):
        pair = (link["first_id"], link["second_id"])
        if link["decided_by"] != "rule" or newest.get(pair, link)["decided_by"] == "rule":
            newest[pair] = link
    sets = [{one} for one in fit]
    same = [(pair, link) for pair, link in newest.items() if link["decision"] == "same"]
    for pair, _ in sorted(same, key=lambda s: (s[1]["decided_by"] == "rule", -s[1]["score"], s[0])):
        parts = [each for each in sets if each & set(pair)]
        whole = set().union(*parts)
        parted = any(
            link["decision"] == "different" and {*two} <= whole for two, link in newest.items()
        )
        if len(parts) == 2 and not parted:
            sets = [each for each in sets if each not in parts] + [whole]
    return {frozenset(values[one] for one in each) for each in sets}
