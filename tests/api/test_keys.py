"""API keys: strong, kept as hashes, narrowed, revoked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from headrace.errors import BadInput
from headrace.store import keys
from headrace.store.database import Database
from headrace.store.keys import Caller


def test_a_key_speaks_for_its_user(store: Database) -> None:
    with store.transaction() as session:
        whole = keys.issue(session, "acme", "ann", "laptop")
        narrow = keys.issue(session, "acme", "ann", "phone", "bob")
        assert keys.accept(session, whole) == Caller("acme", "ann", None)
        assert keys.accept(session, narrow) == Caller("acme", "bob", "bob")


def test_keys_are_strong_and_only_their_hashes_are_kept(store: Database) -> None:
    """Covers Keys."""
    with store.transaction() as session:
        made = {keys.issue(session, "acme", "ann", str(n)) for n in range(20)}
        kept = session.execute("SELECT k::text AS row FROM headrace.api_keys k").fetchall()
    assert len(made) == 20
    assert all(key.startswith("hr_") and len(key) == 46 for key in made)
    for key in made:
        assert not any(key in row["row"] or key[10:] in row["row"] for row in kept)


def test_anything_else_opens_nothing(store: Database) -> None:
    with store.transaction() as session:
        keys.issue(session, "acme", "ann", "laptop")
        for wrong in ["", "hr_", "hr_" + "a" * 43, "x" * 600, "\0", "\ud800", "ключ"]:
            assert keys.accept(session, wrong) is None, wrong


def test_a_revoked_key_opens_nothing(store: Database) -> None:
    """Covers Keys."""
    with store.transaction() as session:
        key = keys.issue(session, "acme", "ann", "laptop")
        [listed] = keys.listing(session, "acme")
        assert not keys.revoke(session, "other", listed["prefix"])
        assert keys.accept(session, key) is not None
        assert keys.revoke(session, "acme", listed["prefix"])
        assert keys.accept(session, key) is None
        assert not keys.revoke(session, "acme", listed["prefix"])


def test_its_last_use_is_noted_once_a_minute(store: Database) -> None:
    with store.connection() as session:
        key = keys.issue(session, "acme", "ann", "laptop")
        seen = []
        for age in (None, "30 seconds", "2 minutes"):
            if age:
                session.execute(
                    "UPDATE headrace.api_keys SET last_used_at = now() - %s::interval", [age]
                )
            before = session.execute("SELECT last_used_at FROM headrace.api_keys").fetchone()
            keys.accept(session, key)
            after = session.execute("SELECT last_used_at FROM headrace.api_keys").fetchone()
            seen.append(before != after)
    assert seen == [True, False, True]


def test_people_cannot_read_keys(store: Database) -> None:
    with store.people("acme", None) as session, pytest.raises(Exception, match="permission denied"):
        session.execute("SELECT * FROM headrace.api_keys")


def test_the_first_key_is_made_once(store: Database) -> None:
    with store.transaction() as session:
        made = keys.ensure_first(session, None)
        assert made is not None
        assert keys.ensure_first(session, None) is None
        assert keys.accept(session, made) == Caller("default", "me", None)


def test_processes_that_start_together_make_one(store: Database) -> None:
    def start(_: int) -> str | None:
        with store.transaction() as session:
            return keys.ensure_first(session, None)

    with ThreadPoolExecutor(6) as pool:
        made = [key for key in pool.map(start, range(6)) if key]
    assert len(made) == 1


def test_an_operator_may_choose_it(store: Database) -> None:
    chosen = "a key of my own, long enough"
    for _ in range(2):
        with store.transaction() as session:
            assert keys.ensure_first(session, chosen) is None
    with store.transaction() as session:
        assert keys.accept(session, chosen) == Caller("default", "me", None)
        assert len(keys.listing(session, "default")) == 1
        assert keys.ensure_first(session, None) is None, "there is one"


def test_a_chosen_key_that_was_revoked_stays_so(store: Database) -> None:
    chosen = "a key of my own, long enough"
    with store.transaction() as session:
        keys.ensure_first(session, chosen)
        keys.revoke(session, "default", chosen[:4])
        keys.ensure_first(session, chosen)
        assert keys.accept(session, chosen) is None


def test_a_chosen_key_must_not_be_guessed(store: Database) -> None:
    for chosen in ["", "secret", "x" * 15, "x" * 600, " " + "x" * 20]:
        with store.transaction() as session, pytest.raises(BadInput, match="HEADRACE_API_KEY"):
            keys.ensure_first(session, chosen)
