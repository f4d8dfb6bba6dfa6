"""From what a person or program names to a connection and its job."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headrace import vectordb
from headrace.engine.jobs import submit
from headrace.engine.wanted import Wanted, full_path, plain
from headrace.errors import BadInput
from headrace.files import check_input
from headrace.files.config import DocumentsConfig
from headrace.plugins import provider
from headrace.rest.spec import RestSpec
from headrace.settings import Settings
from headrace.store import connections
from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection
from headrace.store.jobs import JobRow
from headrace.vault import Vault


def rest_spec(path: Path) -> Wanted:
    """The REST API a YAML file describes. Raises BadInput naming the line and a near word."""
    from headrace.rest.specfile import load_spec

    return rest(load_spec(path))


def rest_environment(settings: Settings) -> Wanted:
    """The REST API that API_BASE_URL and its companions name (A2.4-A2.7)."""
    from headrace.rest.environment import spec_from_environment

    wanted = rest(spec_from_environment(settings))
    if settings.api_key is not None:
        wanted.secret = settings.api_key.get_secret_value()
    return wanted


def rest(spec: RestSpec) -> Wanted:
    """The REST API that a spec describes; its key, if it has one, apart."""
    spec, secret = spec.without_key()
    return Wanted("rest", spec.name, plain(spec), secret)


def documents(config: DocumentsConfig) -> Wanted:
    """Documents of this machine, as a job's config names them."""
    bare, secret = config.without_key()
    return Wanted("documents", bare.name(), plain(bare), secret)


def check_documents(config: DocumentsConfig, settings: Settings) -> None:
    """Refuse at once what an API caller may not name. Raises BadInput."""
    roots, private_hosts = settings.document_roots, settings.headrace_private_hosts
    for named in config.input:
        check_input(named, config.aws.endpoint_url, roots, private_hosts=private_hosts)
    vectordb.check(config.vector_db, private_hosts=private_hosts)


def connect(
    connection: Connection,
    tenant: str,
    user: str,
    wanted: Wanted,
    settings: Settings,
    *,
    trusted: bool = True,
) -> ConnectionRow:
    """Make the connection, or bring it up to date, and seal its credential. What the operator wants
    is trusted; what an API caller wants must not be."""
    row = connections.save(
        connection,
        tenant=tenant,
        user=user,
        provider=wanted.provider,
        name=wanted.name,
        config=wanted.config,
        addresses=wanted.addresses,
        trusted=trusted,
    )
    if wanted.secret is not None:
        vault = Vault.from_settings(settings)
        sealed = vault.seal(wanted.secret, tenant=tenant, connection=row["connection_id"])
        connections.seal(connection, row["connection_id"], sealed)
    return row


def named(connection: Connection, tenant: str, user: str, name: str | None) -> list[ConnectionRow]:
    """The user's connection of that name, or all of them. Raises BadInput where there is none.

    A mailbox's connection is called by its path from the root; a path from here does as well.
    """
    rows = connection.execute(
        "SELECT * FROM headrace.connections WHERE tenant_id = %s AND user_id = %s ORDER BY name",
        [tenant, user],
    ).fetchall()
    if not rows:
        raise BadInput(
            f"There is no connection {name!r}." if name else "There is nothing to sync yet.",
            hint="Name a spec (headrace sync --spec my-api.yaml) or bring files in"
            " (headrace ingest mail.mbox).",
        )
    if name is None:
        return rows
    by_name = {row["name"]: row for row in rows}
    for called in (name, str(full_path(Path(name)))):
        if called in by_name:
            return [by_name[called]]
    raise BadInput(f"There is no connection {name!r}.", hint=_meant(name, list(by_name)))


def _meant(name: str, known: Sequence[str]) -> str:
    """What to do about a connection that is not there."""
    if Path(name).suffix.lower() in {".yaml", ".yml"}:
        return f"To sync what a spec describes: headrace sync --spec {name}"
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"Did you mean {near[0]}?"
    if os.path.lexists(name):
        return f"To bring a file in: headrace ingest {name}"
    return "`headrace connections list` shows them."


def submit_sync(connection: Connection, row: ConnectionRow, **more: Any) -> JobRow:
    """The connection's sync job: the one under way, or a new one."""
    job, _ = submit(
        connection,
        tenant=row["tenant_id"],
        user=row["user_id"],
        kind=provider(row["provider"]).kind,
        connection_id=row["connection_id"],
        **more,
    )
    return job
