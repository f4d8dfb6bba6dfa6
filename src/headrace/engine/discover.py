"""Finding the accounts of an application's users, where Better Auth keeps them (A0.23).

Every account whose owner has allowed enough gets a grant and, for each provider that can read it, a
connection, once. One that is no longer there is paused, and goes on when it is back; so is one of
another tenant than the application's users now belong to. Nothing is asked about one user at a
time: the whole list is held against ours.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headrace import telemetry
from headrace.cadence import spec
from headrace.errors import HeadraceError
from headrace.oauth.connect import EVERY_SECONDS
from headrace.plugins import providers
from headrace.provider import Provider
from headrace.settings import Settings
from headrace.store.better_auth import AccountRow, Accounts
from headrace.store.database import Connection, Database
from headrace.store.found import GONE, MOVED
from headrace.store.sql import query

LOOK_SECONDS = 60.0

_LOCK = 0x4852_4449_5343_4F01

_GOOGLE = "https://www.googleapis.com/auth/"
_WIDER = {
    f"{_GOOGLE}gmail.readonly": (f"{_GOOGLE}gmail.modify", "https://mail.google.com/"),
    f"{_GOOGLE}calendar.readonly": (f"{_GOOGLE}calendar",),
    "notifications": ("repo",),
}
"""Scopes that allow what another does, and more: applications ask for what they need themselves."""


class Discovered(msgspec.Struct, frozen=True):
    """How many connections were made, went on, and were paused."""

    connected: int = 0
    back: int = 0
    gone: int = 0


def look(database: Database, settings: Settings) -> None:
    """Discover, and log what came of it. What a person has to mend is said each time."""
    try:
        found = discover(database, settings)
    except HeadraceError as error:
        telemetry.undiscovered(error.message, error.hint)
        return
    if found != Discovered():
        telemetry.discovered(found.connected, found.back, found.gone)


def discover(database: Database, settings: Settings) -> Discovered:
    """Hold the application's accounts against our grants and connections, and bring these up to
    date. Raises NeedsHuman where the table cannot be read."""
    readers = [one for one in providers().values() if one.issuer is not None]
    issuers = sorted({str(one.issuer) for one in readers})
    with database.transaction() as connection:
        # Every worker looks, and one at a time is enough.
        mine = connection.execute(
            "SELECT pg_try_advisory_xact_lock(%s) AS mine", [_LOCK]
        ).fetchone()
        if not (mine and mine["mine"]):
            return Discovered()
        _stage(connection, Accounts(settings).listing(connection, issuers), readers)
        return _apply(connection, settings.better_auth_tenant)


def _stage(connection: Connection, rows: list[AccountRow], readers: list[type[Provider]]) -> None:
    connection.execute(query("better_auth", "make_found"))
    with connection.cursor().copy(query("better_auth", "copy_found")) as copy:
        for row in rows:
            scopes = row["scope"].replace(",", " ").split()
            names = [one.name for one in readers if _reads(one, row["issuer"], scopes)]
            if names:
                who = (row["id"], row["user"], row["issuer"], row["account"])
                copy.write_row((*who, scopes, row["changed"], names))
    connection.execute(query("better_auth", "analyze_found"))


def _apply(connection: Connection, tenant: str) -> Discovered:
    values: dict[str, Any] = {"tenant": tenant}
    values |= {"reason": GONE[0], "hint": GONE[1], "moved": MOVED[0], "moved_hint": MOVED[1]}

    def run(name: str, **more: Any) -> int:
        return connection.execute(query("better_auth", name), {**values, **more}).rowcount

    run("add_grants")
    renewed = connection.execute(query("better_auth", "renew_grants"), values).fetchall()
    run("end_gone")
    # Grants before connections: whoever finds a consent ended goes the same way.
    connected = run("add_connections", spec=spec.every(EVERY_SECONDS).text, every=EVERY_SECONDS)
    back = run("bring_back", grants=[row["grant_id"] for row in renewed]) if renewed else 0
    back += run("bring_home")
    gone = run("pause_gone") + run("pause_elsewhere")
    return Discovered(connected, back, gone)


def _reads(reader: type[Provider], issuer: str, scopes: list[str]) -> bool:
    """Whether an account of this issuer, with these scopes, is one that the provider can read."""
    return reader.issuer == issuer and all(
        one in scopes or any(wider in scopes for wider in _WIDER.get(one, ()))
        for one in reader.scopes
    )
