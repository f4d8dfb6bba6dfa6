"""From what a person or program names to a connection and its job."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel, ValidationError

from headrace.documents.endings import DOCUMENTS
from headrace.engine.jobs import submit
from headrace.errors import BadInput
from headrace.files import check_input, open_place
from headrace.files.config import DocumentsConfig
from headrace.plugins import provider
from headrace.settings import Settings
from headrace.store import connections
from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection
from headrace.store.jobs import JobRow
from headrace.vault import Vault


class Wanted(msgspec.Struct):
    """A connection somebody wants: its provider and config, and a credential to seal if it has."""

    provider: str
    name: str
    config: dict[str, Any]
    secret: str | None = None
    addresses: Sequence[str] = ()


def rest_spec(path: Path) -> Wanted:
    """The REST API a YAML file describes. Raises BadInput naming the line and a near word."""
    from headrace.rest.specfile import load_spec

    return _rest(load_spec(path))


def rest_environment(settings: Settings) -> Wanted:
    """The REST API that API_BASE_URL and its companions name (A2.4-A2.7)."""
    from headrace.rest.environment import spec_from_environment

    wanted = _rest(spec_from_environment(settings))
    if settings.api_key is not None:
        wanted.secret = settings.api_key.get_secret_value()
    return wanted


def _rest(spec: Any) -> Wanted:
    spec, secret = spec.without_key()
    return Wanted("rest", spec.name, _plain(spec), secret)


def mailbox(path: Path, addresses: Sequence[str]) -> Wanted:
    """A mailbox on this machine. Raises BadInput, before anything is made of it, when there is
    nothing at that path or no mail in it, and for an address that is none."""
    from headrace.mailbox.detect import find

    full = _full(path)
    if full is None or not os.path.lexists(full):
        raise BadInput(f"There is nothing at {path}.", hint="Check the path.")
    try:
        str(full).encode()
    except UnicodeEncodeError:
        raise BadInput(
            f"The name of {path} is not text, so nothing can be called by it.", hint="Rename it."
        ) from None
    find(full)
    try:
        made = provider("mailbox").Config.model_validate(
            {"path": str(full), "addresses": list(addresses)}
        )
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise BadInput(f"{said}.", hint="Write it as you@example.org.") from None
    config = _plain(made)
    return Wanted("mailbox", str(full), config, addresses=config.get("addresses", ()))


def documents(config: DocumentsConfig) -> Wanted:
    """Documents of this machine, as a job's config names them."""
    return Wanted("documents", config.name(), _plain(config))


_MAIL = ("**/*.eml",)


def files(path: Path, addresses: Sequence[str]) -> list[Wanted]:
    """What lies at a path on this machine: mail, documents, or a folder with both. Raises BadInput
    when there is neither."""
    try:
        mail = [mailbox(path, addresses)]
    except BadInput as no_mail:
        found = _documents(path, ())
        if found is None:
            raise no_mail from None
        return [found]
    found = _documents(path, _MAIL) if path.expanduser().is_dir() else None
    return mail if found is None else [*mail, found]


def _documents(path: Path, exclude: Sequence[str]) -> Wanted | None:
    named = os.path.abspath(path.expanduser())  # noqa: PTH100 - a pattern cannot be resolved
    try:
        place = open_place(named, DOCUMENTS, None, exclude)
        if next(place.items(""), None) is None:
            return None
    except BadInput:
        return None
    return documents(DocumentsConfig(input=[named], exclude=list(exclude)))


def check_documents(config: DocumentsConfig, settings: Settings) -> None:
    """Refuse at once what an API caller may not name. Raises BadInput."""
    roots, private_hosts = settings.document_roots, settings.headrace_private_hosts
    for named in config.input:
        check_input(named, config.aws.endpoint_url, roots, private_hosts=private_hosts)


def _full(path: Path) -> Path | None:
    """The path from the root; None where it begins with the home of somebody who has none."""
    try:
        return path.expanduser().resolve()
    except (RuntimeError, OSError, ValueError):
        return None


def _plain(config: BaseModel) -> dict[str, Any]:
    return config.model_dump(mode="json", exclude_defaults=True, by_alias=True)


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
    for called in (name, str(_full(Path(name)))):
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
