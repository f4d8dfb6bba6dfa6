"""Accounts at a twin: connected as if their owner had consented, and synced in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from headrace.engine import jobs
from headrace.engine.sync import Outcome, Source
from headrace.engine.walk import Budget
from headrace.oauth.sealed import Kept, seal
from headrace.plugins import provider
from headrace.settings import Settings
from headrace.store import connections, grants
from headrace.store.connections import ConnectionRow
from headrace.store.database import Database
from headrace.twin.google import Google
from headrace.vault import Vault

TENANT, USER = "acme", "ann"
VAULT = Vault(bytes(32))


def at_google(url: str, **more: Any) -> Settings:
    """Settings under which Google is the twin at `url`."""
    values = {
        "gmail_base_url": url,
        "google_calendar_base_url": url,
        "google_token_url": f"{url}/token",
        "google_client_id": "headrace.apps.googleusercontent.com",
        "google_client_secret": "GOCSPX-twin",
        **more,
    }
    return Settings(_env_file=None, **values)


def connect(
    database: Database,
    google: Google,
    name: str,
    *,
    scopes: Iterable[str] | None = None,
    email: str = "",
    called: str = "",
    vault: Vault = VAULT,
    **config: Any,
) -> ConnectionRow:
    """A connection of the provider of that name, with a grant of the account's owner. It is
    `called` like its provider."""
    made = provider(name)
    wanted = made.scopes if scopes is None else tuple(scopes)
    account = google.account(email).email
    tokens = google.grant(account, wanted)
    with database.transaction() as session:
        grant = grants.save(
            session, tenant=TENANT, user=USER, issuer="google", account=account, scopes=wanted
        )
        kept = Kept(str(tokens["access_token"]), str(tokens["refresh_token"]))
        sealed = seal(vault, TENANT, grant, kept)
        seconds = float(str(tokens["expires_in"]))
        grants.keep(session, TENANT, grant, sealed, seconds=seconds)
        row = connections.save(
            session, tenant=TENANT, user=USER, provider=name, name=called or name, config=config
        )
        session.execute(
            "UPDATE headrace.connections SET grant_id = %s WHERE connection_id = %s",
            [grant, row["connection_id"]],
        )
    return fresh(database, row)


def fresh(database: Database, connection: ConnectionRow) -> ConnectionRow:
    """The connection's row as it is now."""
    with database.connection() as session:
        row = connections.get(session, connection["connection_id"])
    assert row is not None
    return row


def configure(database: Database, connection: ConnectionRow, **config: Any) -> None:
    """Another config for the connection; everything else stays."""
    with database.transaction() as session:
        connections.save(
            session,
            tenant=TENANT,
            user=USER,
            provider=connection["provider"],
            name=connection["name"],
            config=config,
        )


def submit(database: Database, connection: ConnectionRow) -> str:
    """The id of a job that syncs the connection; whatever job there was is over."""
    with database.transaction() as session:
        session.execute(
            "UPDATE headrace.jobs SET status = 'SUCCEEDED', completed_at = now()"
            " WHERE connection_id = %s AND completed_at IS NULL",
            [connection["connection_id"]],
        )
        row, _ = jobs.submit(
            session,
            tenant=TENANT,
            user=USER,
            kind=provider(connection["provider"]).kind,
            connection_id=connection["connection_id"],
        )
    return str(row["job_id"])


async def run(
    database: Database, settings: Settings, connection: ConnectionRow, *, seconds: float = 600
) -> list[Outcome]:
    """One job's walk of every stream until it ends, without the engine around it: what its durable
    steps do. A walk that says that it begins again is begun again."""
    job_id = await asyncio.to_thread(submit, database, connection)
    source = Source(database, settings, VAULT, fresh(database, connection))
    try:
        outcomes = []
        for part in await source.plan():
            while True:
                left = await asyncio.to_thread(source.left, job_id)
                ended = await source.walk(job_id, part, Budget(seconds, left))
                if ended.state != "retry" or ended.after != 0:
                    break
            outcomes.append(ended)
        return outcomes
    finally:
        await source.aclose()
