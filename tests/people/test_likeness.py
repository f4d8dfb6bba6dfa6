"""The rules, held against pairs that were labelled by hand; and what comparing costs."""

from __future__ import annotations

import time

import pytest
from benchmarks.contact_pairs import Labelled, automatic, labelled, suggested

from headrace.people.addresses import organisation, registrable
from headrace.people.likeness import Identity, likeness
from headrace.people.names import compare, read_name


@pytest.fixture(scope="module")
def pairs() -> list[Labelled]:
    return list(labelled())


def test_what_is_done_is_right(pairs: list[Labelled]) -> None:
    """Covers A1.42: of the links that nobody is asked about, 99 of 100 are right."""
    assert len(pairs) >= 300
    found, _ = automatic(pairs)
    assert found.precision >= 0.99
    assert found.recall >= 0.7
    assert suggested(pairs).recall >= 0.75


def test_names_alone_decide_nothing(pairs: list[Labelled]) -> None:
    said = [(one, one.judged()) for one in pairs]
    assert {found.rule for one, found in said if found and found.score >= 0.95} == {
        *("exact", "domain", "together")
    }


def test_likeness_has_no_sides(pairs: list[Labelled]) -> None:
    for one in pairs:
        there, back = likeness(one.one, one.other), likeness(one.other, one.one)
        assert (there and there.score) == (back and back.score), one.line


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        ("Lee, Ann", "Ann Lee", "equal"),
        ("Lee, Ann, PhD", "Ann Lee", "equal"),
        ("Ольга Иванова", "Olga Ivanova", "equal"),
        ("山田 太郎", "山田太郎", "equal"),
        ("Bob Miller", "Robert Miller", "compatible"),
        ("J. Smith", "John Smith", "loose"),
        ("Alex Stone", "Alexandra Stone", "loose"),
        ("John Hart Sr.", "John Hart Jr.", "unlike"),
        ("John Hart", "John Hart Jr.", "similar"),
        ("Jon Park", "John Park", "similar"),
        ("Ann Lee", "Tom Reed", "unlike"),
        ("Sales Team", "Sales Team", "unknown"),
        ("ann@x.example", "Ann Lee", "unknown"),
        (None, "Ann Lee", "unknown"),
    ],
)
def test_names(one: str | None, other: str, relation: str) -> None:
    assert compare(read_name(one), read_name(other))[0] == relation


def test_domains() -> None:
    assert registrable("mail.acme.co.uk") == "acme.co.uk"
    assert registrable("mail.acme.intern") == "acme.intern"
    assert [organisation(one) for one in ("a@gmail.com", "a@[10.0.0.1]", "a@localhost")] == [
        *(None, None, None)
    ]


def test_whatever_a_name_is_it_is_compared_soon() -> None:
    """Bounded, however long and odd."""
    odd = ["(" * 200_000, ", " * 100_000, "a " * 100_000, "\u0301" * 100_000, " via" * 50_000]
    began = time.perf_counter()
    for name in odd:
        one = Identity(kind="email", value="a@x.example", canonical="a@x.example", name=name)
        likeness(one, Identity(kind="email", value="b@x.example", canonical="b@x.example"))
    assert time.perf_counter() - began < 1
