"""What one account may use of its source, drawn together with every other worker (rule G11)."""

from __future__ import annotations

from headrace.engine import governor
from headrace.provider import Standing
from headrace.store.connections import ConnectionRow
from headrace.store.database import Database


class Allowance:
    """The allowance of a connection's account, of so many units a minute; None: only what its
    answers say is known of it, and until they say something it costs nothing.

    Who is `patient` leaves what is not earned yet to those who are not.
    """

    def __init__(self, database: Database, row: ConnectionRow, per_minute: float | None) -> None:
        self._database = database
        self._name = str(row["name"])
        self._per_minute = per_minute
        self._whose = (str(row["tenant_id"]), str(row["user_id"]), name_of(row))
        self.patient = False

    async def spend(self, units: int) -> None:
        """Wait until they may be used. Raises Retry where that would take long."""
        account = self._account()
        if self._per_minute is not None or await account.governed():
            await account.spend(units, self._per_minute, self._name, self.patient)

    async def hold_off(self, seconds: float) -> None:
        """The source has refused this one; nobody else has to meet that."""
        await self._account().hold_off(seconds)

    async def heard(self, said: Standing | None, refused: bool) -> None:
        """An answer says how the account stands, or refuses without a reason in its numbers."""
        account = self._account()
        if refused and self._per_minute is not None:
            await account.lower(self._name)
        if said is not None:
            await account.heard(said)

    def _account(self) -> governor.Account:
        return governor.account(self._database, self._whose)


def name_of(row: ConnectionRow) -> str:
    """What a connection's allowance is called: connections of one grant share it."""
    return f"{row['provider']}:{row['grant_id'] or row['connection_id']}"
