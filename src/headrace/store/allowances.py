"""Allowances of providers, shared by all workers: each draws from the same row (rule G11).

One is a token bucket kept as one moment: `spent_until`, when all that was drawn so far has been
earned again. Drawing moves it; whoever finds it in the future waits until then. One statement does
both, so any number of workers share an allowance fairly, by the database's clock, and none can
freeze while it holds the row. A refusal that one of them meets moves it for all.

What a source says of its own window goes before that: what it says is left is counted down by
draws, used evenly when less than a reserve of it is left, and never overdrawn. See
docs/decisions/0037.
"""

from __future__ import annotations

import msgspec

from headrace.store.database import Connection
from headrace.store.sql import query

BURST = 1.0
"""Seconds' worth of an allowance that may be drawn at once after a pause."""

LONGEST = 30.0
"""Seconds: nothing is drawn that would have to be waited for longer than this, unless nobody else
has drawn anything that is not earned yet: what alone costs more must be had some day."""

AHEAD = 2.0
"""Seconds: a block is drawn whole only if it is earned so soon; else what is needed at once."""

PATIENT = 1.0
"""Seconds: what a backfill draws is earned so soon. The others may borrow up to `LONGEST`, so they
wait for little more than this behind any number of backfills."""

RESERVE, SHORT_RESERVE = 0.5, 0.1
"""Of a source's window: what is used evenly until the reset, by backfills and by the others."""

PACE = 5.0
"""Seconds a unit: where a reserve would last to the reset only more slowly than this, it is not
worth keeping: it is used up, and the reset is waited for."""

LOWERED, LEAST_SHARE = 0.7, 0.05
"""What a refusal that its source's numbers do not explain makes of the rate; and the least."""

CREEP = 0.02
"""How much of the configured rate comes back in a minute."""

LOWER_AGAIN = 10.0
"""Seconds in which refusals count as one: many calls meet the same wall."""

SAME_WINDOW = 2.0
"""Seconds that two answers about one window may differ by in its end: they are rounded."""

_NUMBERS = {
    "burst": BURST,
    "longest": LONGEST,
    "ahead": AHEAD,
    "patience": PATIENT,
    "reserve": RESERVE,
    "short_reserve": SHORT_RESERVE,
    "pace": PACE,
    "lowered": LOWERED,
    "least_share": LEAST_SHARE,
    "creep": CREEP,
    "again": LOWER_AGAIN,
    "same": SAME_WINDOW,
}


class Window(msgspec.Struct, frozen=True):
    """What a source allows until it counts anew: of `most` units `remaining`, for `seconds`."""

    most: float
    remaining: float
    seconds: float


class Drawn(msgspec.Struct, frozen=True):
    """A draw. If it was `made`, the first of `units` is earned `each` seconds after `starts`, which
    is seconds from now, and so on; if not, `wait` is how many seconds to wait before asking again.
    `evenly` says that the source's window is what sets the pace."""

    made: bool
    units: float
    each: float
    starts: float
    wait: float
    evenly: bool
    window: Window | None


def draw(
    connection: Connection,
    tenant: str,
    user: str,
    allowance: str,
    units: float,
    per_minute: float | None,
    *,
    want: float = 0.0,
    patient: bool = False,
) -> Drawn:
    """Draw units: as many as are wanted if that is soon enough, else those that are needed.

    `per_minute` is the configured rate, None for an account of which only the source knows it.
    """
    values = {"tenant": tenant, "user": user, "allowance": allowance, **_NUMBERS}
    values |= {"units": units, "want": max(units, want), "per_minute": per_minute}
    values |= {"patient": patient}
    while (row := connection.execute(query("allowances", "draw"), values).fetchone()) is None:
        connection.execute(query("allowances", "begin"), values)
    window = None
    if row["counted"]:
        window = Window(row["most"], row["remaining"], row["reset"])
    return Drawn(
        row["made"], row["n"], row["each"], row["starts"], row["wait"], row["evenly"], window
    )


def hold_off(
    connection: Connection, tenant: str, user: str, allowance: str, seconds: float
) -> None:
    """Nobody draws for so long: the source has refused one of those who share the allowance."""
    values = {"tenant": tenant, "user": user, "allowance": allowance, "wait": seconds}
    connection.execute(query("allowances", "hold_off"), values)


def forget(connection: Connection, tenant: str, allowance: str) -> None:
    """Begin anew, as one of which nothing is known."""
    connection.execute(query("allowances", "forget"), {"tenant": tenant, "allowance": allowance})


def learn(
    connection: Connection,
    tenant: str,
    user: str,
    allowance: str,
    said: Window,
    *,
    more: bool = False,
) -> Window:
    """Keep what the source says; of the window that is known, the lesser number. With `more`, also
    a greater one, but for what may still be on its way. What is kept then."""
    values = {"tenant": tenant, "user": user, "allowance": allowance, **_NUMBERS}
    values |= {"most": said.most, "remaining": said.remaining, "seconds": said.seconds}
    values |= {"more": more, "margin": margin(said.most)}
    row = connection.execute(query("allowances", "learn"), values).fetchone()
    assert row is not None, "an INSERT that may UPDATE returns its row"
    return Window(row["most"], row["remaining"], row["reset"])


def margin(most: float) -> float:
    """Units that may have been drawn and not yet been counted by the source."""
    return max(16.0, 0.1 * most)


def lower(connection: Connection, tenant: str, user: str, allowance: str) -> float | None:
    """Use less of the rate: it was refused. The share from now on; None where that has just been
    done."""
    values = {"tenant": tenant, "user": user, "allowance": allowance, **_NUMBERS}
    row = connection.execute(query("allowances", "lower"), values).fetchone()
    return None if row is None else float(row["share"])


def is_governed(connection: Connection, tenant: str, allowance: str) -> bool:
    """Whether anything is known that holds now: of an account without a configured rate."""
    values = {"tenant": tenant, "allowance": allowance}
    return connection.execute(query("allowances", "governed"), values).fetchone() is not None
