"""Allowances of providers, shared by all workers: each draws from the same row (rule G11).

One is a token bucket kept as one moment: `spent_until`, when all that was drawn so far has
been earned again. Drawing moves it; whoever finds it in the future waits until then. One statement
does both, so any number of workers share an allowance fairly, by the database's clock. A refusal
that one of them meets moves it for all.
"""

from __future__ import annotations

from headrace.store.database import Connection

BURST = 1.0
"""Seconds' worth of an allowance that may be drawn at once after a pause."""

LONGEST = 30.0
"""Seconds: nothing is drawn that would have to be waited for longer than this, unless nobody else
has drawn anything that is not earned yet: what alone costs more must be had some day."""

_TAKE = """
INSERT INTO headrace.allowances AS b (tenant_id, allowance, user_id, spent_until)
VALUES (%(tenant)s, %(allowance)s, %(user)s,
  clock_timestamp() + make_interval(secs => %(cost)s - %(burst)s))
ON CONFLICT (tenant_id, allowance) DO UPDATE
SET spent_until = greatest(b.spent_until, clock_timestamp() - make_interval(secs => %(burst)s))
  + make_interval(secs => %(cost)s)
WHERE b.spent_until <= clock_timestamp() OR b.spent_until
  < clock_timestamp() + make_interval(secs => %(longest)s) - make_interval(secs => %(cost)s)
RETURNING extract(epoch FROM spent_until - clock_timestamp())::float8 AS wait
"""

_HOLD_OFF = """
INSERT INTO headrace.allowances AS b (tenant_id, allowance, user_id, spent_until)
VALUES (%(tenant)s, %(allowance)s, %(user)s, clock_timestamp() + make_interval(secs => %(wait)s))
ON CONFLICT (tenant_id, allowance) DO UPDATE
SET spent_until = greatest(b.spent_until, excluded.spent_until)
"""

_WAIT = """
SELECT extract(epoch FROM spent_until - clock_timestamp())::float8 AS wait FROM headrace.allowances
WHERE tenant_id = %(tenant)s AND allowance = %(allowance)s
"""


def take(
    connection: Connection, tenant: str, user: str, allowance: str, units: float, per_minute: float
) -> tuple[bool, float]:
    """Draw units. Whether they were, and how many seconds to wait: before using them, or before
    asking again."""
    keys = {"tenant": tenant, "allowance": allowance}
    cost = 60.0 * units / per_minute
    values = {**keys, "user": user, "cost": cost, "burst": BURST, "longest": LONGEST}
    drawn = connection.execute(_TAKE, values).fetchone()
    if drawn is not None:
        return True, max(0.0, float(drawn["wait"]))
    found = connection.execute(_WAIT, keys).fetchone()
    return False, max(0.0, float(found["wait"]) if found else 0.0)


def hold_off(
    connection: Connection, tenant: str, user: str, allowance: str, seconds: float
) -> None:
    """Nobody draws for so long: the source has refused one of those who share the allowance."""
    values = {"tenant": tenant, "user": user, "allowance": allowance, "wait": seconds}
    connection.execute(_HOLD_OFF, values)
