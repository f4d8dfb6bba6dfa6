"""What one process keeps of an allowance: arithmetic, without a clock and without a database."""

from __future__ import annotations

import random

from headrace.engine.lease import KEEP, Lease
from headrace.store.allowances import BURST, Drawn


def block(units: int, each: float = 0.1, starts: float = 0.0) -> Drawn:
    """A draw that was made."""
    return Drawn(True, units, each, starts, 0.0, False, None)


def test_units_are_paid_out_as_they_are_earned() -> None:
    """Covers G11: not all at once when the last of them is."""
    lease = Lease()
    lease.add(block(10, 0.1, starts=0.5), now=100.0)
    ready = [lease.pay(1, 100.0) for _ in range(10)]
    assert [round(one or 0, 6) for one in ready] == [round(100.6 + n / 10, 6) for n in range(10)]
    assert lease.pay(1, 100.0) is None


def test_what_is_not_used_is_gone_after_a_second() -> None:
    """Covers G11: a unit at a time where each is earned in its time, and all at once where nothing
    is known but their number."""
    lease = Lease()
    lease.add(block(20, 0.1), now=0.0)
    assert lease.pay(1, KEEP) is not None
    lease.pay(1, 1.55 + KEEP)  # those earned until 1.5 are gone
    assert lease.left == 20 - 15 - 1
    assert lease.pay(1, 2.0 + KEEP + 0.01) is None
    lease.add(block(20, 0.0), now=10.0)
    assert lease.pay(20, 10.0 + KEEP + 0.01) is None


def test_a_block_is_what_was_used_in_a_second() -> None:
    """Covers G11: at most four times as many as the last one, and for whoever is slow no more than
    that one needs."""
    lease = Lease()
    now, sizes = 0.0, []
    for _ in range(60):  # a call every 20 ms
        if lease.pay(1, now) is None:
            sizes.append(max(1, lease.wish(now)))
            lease.add(block(sizes[-1], 0.0), now)
            lease.pay(1, now)
        now += 0.02
    assert sizes[:3] == [1, 4, 16]
    assert all(49 <= size <= 50 for size in sizes[3:])
    lease.add(block(1, 0.0), now)
    lease.pay(1, now)
    assert lease.wish(now + 10) == 0


def test_what_is_left_is_not_kept_behind_a_long_wait() -> None:
    """Covers G11: else what was kept would be used in a minute in which it was not earned."""
    lease = Lease()
    lease.add(block(5), now=0.0)
    lease.add(block(5, starts=KEEP + 1), now=0.0)
    assert lease.left == 5
    lease.add(block(5, starts=0.5), now=0.0)
    assert lease.left == 10


def test_no_window_holds_more_than_is_earned_and_what_may_be_kept() -> None:
    """Covers G11: sixteen processes that draw from one bucket, use it by fits and starts, and stop
    now and then: in no window, however it is cut."""
    chance = random.Random(7)
    each, owed = 0.02, 0.0
    leases = [Lease() for _ in range(16)]
    used: list[float] = []
    now = 0.0
    while now < 40:
        now += chance.expovariate(60)
        lease = chance.choice(leases[: chance.choice([2, 16])])
        units = chance.choice([1, 1, 2, 5])
        ready = lease.pay(units, now)
        if ready is None:
            n = max(units, lease.wish(now))
            owed = max(owed, now - BURST)
            lease.add(block(n, each, owed - now), now)
            owed += n * each
            ready = lease.pay(units, now)
        assert ready is not None
        used += [ready] * units
    used.sort()
    for first in range(0, len(used), 7):
        for last in range(first, len(used), 5):
            allowed = used[last] - used[first] + BURST + KEEP + 5 * each + 16 * each
            assert (last - first + 1) * each <= allowed
