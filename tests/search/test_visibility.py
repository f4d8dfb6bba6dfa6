"""Nothing of others is found, whatever the query forgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.search.conftest import ANN, BOB, STRANGER

from headrace.out import look
from headrace.out.search import search
from headrace.store.sql import query

if TYPE_CHECKING:
    from tests.search.conftest import Shelf

_WORDS = ("checkout error", "teapot", "saffron", "click nowhere", "click")


@pytest.mark.parametrize("words", _WORDS)
def test_each_finds_their_own(shelf: Shelf, words: str) -> None:
    """Covers A4.8."""
    assert shelf.ids(words, BOB) == ["of-bob"]
    assert shelf.ids(words, STRANGER) == ["of-zoe"]
    assert not [one for one in shelf.ids(words, ANN) if one.startswith("of-")]


def test_a_key_of_the_tenant_finds_all_of_it(shelf: Shelf) -> None:
    assert {"of-bob", "checkout-error"} <= set(shelf.ids("checkout error", ("acme", None)))
    assert "of-zoe" not in shelf.ids("checkout error", ("acme", None))


@pytest.mark.parametrize("who", [("nobody", None), ("", None), ("", "ann"), ("other", "ann")])
def test_nobody_finds_nothing(shelf: Shelf, who: tuple[str, str | None]) -> None:
    for words in _WORDS:
        assert shelf.ids(words, who) == []


def test_outside_of_people_there_is_nothing_to_find(shelf: Shelf) -> None:
    """The owner of the tables, with no tenant set, is nobody."""
    with shelf.store.transaction() as session:
        assert search(session, "checkout error") == []


def test_row_level_security_has_the_last_word(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers RLS: with the tenant and the user taken out of its queries, it finds no more."""

    def forgetful(file: str, name: str) -> str:
        text = query(file, name)
        for known in (
            "tenant_id = %(tenant)s",
            "user_id = %(user)s",
            "= ANY(%(streams)s::bigint[])",
        ):
            changed = "IS NOT NULL" if known.startswith("=") else "true"
            text = text.replace(known, changed)
        return text

    monkeypatch.setattr(look, "query", forgetful)
    with shelf.store.connection() as session:
        [plan] = session.execute("SELECT count(*) AS n FROM headrace.events").fetchall()
    assert plan["n"] > 2
    assert shelf.ids("checkout error", BOB) == ["of-bob"]
    assert shelf.ids("click", STRANGER) == ["of-zoe"]


def test_the_session_is_the_people_s_again_afterwards(shelf: Shelf) -> None:
    with shelf.store.people(*BOB) as session:
        for words in _WORDS:
            search(session, words)
            row = session.execute(
                "SELECT current_user AS who, current_setting('enable_seqscan') AS seqscan,"
                " current_setting('enable_indexscan') AS indexscan"
            ).fetchone()
            assert row == {"who": "headrace_people", "seqscan": "on", "indexscan": "on"}
        assert len(session.execute("SELECT 1 FROM headrace.events").fetchall()) == 1
