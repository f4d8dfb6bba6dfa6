"""Somebody who was let in, by an API key or a session, and what they may see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from headrace.settings import Settings
from headrace.store.database import Connection, Database
from headrace.store.keys import TENANT, Caller

# Times are told in UTC; no question of one caller may keep the others waiting for long; and each is
# planned for what it asks: lists are narrowed to anything, and a plan for all of that is a bad one.
_MANNERS = """
SELECT set_config('TimeZone', 'UTC', true), set_config('statement_timeout', '5s', true),
  set_config('plan_cache_mode', 'force_custom_plan', true)
"""


class Visit(msgspec.Struct):
    """A caller who was let in, the database they came for, and how the service is set up."""

    caller: Caller
    database: Database
    settings: Settings

    @property
    def acts_for_all(self) -> bool:
        """Whether the caller is the installation's own, with which services for many tenants call,
        and which sees what is nobody else's business."""
        return self.caller.tenant == TENANT and self.caller.key_user is None

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """One transaction that sees the caller's rows and no others."""
        with self.database.people(self.caller.tenant, self.caller.key_user) as connection:
            connection.execute(_MANNERS)
            yield connection

    @contextmanager
    def acting_for(self, tenant: str) -> Iterator[Connection]:
        """One transaction that sees another tenant's rows. Who may have it, the route knows."""
        with self.database.people(tenant, None) as connection:
            connection.execute(_MANNERS)
            yield connection
