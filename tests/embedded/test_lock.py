"""The locks that the users of one server agree by."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headrace.errors import Unavailable
from headrace.store.embedded.lock import Lock


def test_shares_exclude_an_exclusive_hold_and_the_last_one_gets_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with Lock(path) as first, Lock(path) as second:
        first.share()
        second.share()
        assert not first.try_exclusive()
        second.close()
        assert first.try_exclusive()


def test_waiting_ends_with_a_clear_error(tmp_path: Path) -> None:
    with Lock(tmp_path / "lock") as holder, Lock(tmp_path / "lock") as waiter:
        held, refused = holder.exclusive(), pytest.raises(Unavailable, match="stuck")
        with held, refused, waiter.exclusive(seconds=0):
            pass
        with waiter.exclusive(seconds=0):
            pass


def test_no_program_that_is_started_inherits_it(tmp_path: Path) -> None:
    with Lock(tmp_path / "lock") as lock:
        assert not os.get_inheritable(lock._fd)


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    lock.close()
    lock.close()
    assert lock.closed
