"""Steps of workflows that wait for PostgreSQL."""

from __future__ import annotations

from functools import partial

import psycopg
from dbos import DBOS
from psycopg_pool import PoolClosed


def _away(error: BaseException) -> bool:
    # Closed is not away: the process ends, and must not try again for minutes on its way out.
    return isinstance(error, psycopg.OperationalError) and not isinstance(error, PoolClosed)


# A step's error is final to DBOS, but PostgreSQL being away is not: such a step is tried again for
# some minutes, and after that the sweeper finds the job.
durable = partial(
    DBOS.step,
    retries_allowed=True,
    should_retry=_away,
    interval_seconds=0.5,
    backoff_rate=1.5,
    max_attempts=16,
)
