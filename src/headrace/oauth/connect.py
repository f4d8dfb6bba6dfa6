"""From tokens to connections: whose account it is, what it allows, and what is made of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from pydantic import ValidationError

from headrace.errors import BadInput, HeadraceError
from headrace.oauth.endpoint import Tokens
from headrace.oauth.sealed import Kept, seal, unseal
from headrace.plugins import provider, providers
from headrace.provider import Owner, Provider
from headrace.settings import Settings
from headrace.store import connections, found, grants
from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection, Database
from headrace.vault import Vault

EVERY_SECONDS = 900
"""How often accounts are synced unless somebody says otherwise (A0.22)."""

WAITS = ("It waits for its owner's approval.", "Approve its first sync, or resume it.")
"""Why a connection is paused whose first sync nobody has approved (A3.18)."""


class Wish(msgspec.Struct):
    """A connection somebody wants of an account. Without a name it is called by provider and
    account; `approve` has it wait for an approval before anything is fetched, and with `keeps` it
    is synced as often as before."""

    provider: str
    name: str | None = None
    config: dict[str, Any] = {}
    every_seconds: int | None = EVERY_SECONDS
    approve: bool = False
    keeps: bool = False


def check(wish: Wish) -> type[Provider]:
    """The provider that is wished for. Raises BadInput, also for what its config cannot be."""
    made = provider(wish.provider)
    if made.issuer is None:
        raise BadInput(
            f"The provider {made.name} has no accounts to connect.",
            hint="`headrace sync --spec` and `headrace ingest` bring such sources in.",
        )
    try:
        made.Config.model_validate(wish.config)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        known = ", ".join(made.Config.model_fields)
        raise BadInput(
            f"{made.name} cannot be configured so: {where}: {first['msg']}.",
            hint=f"It knows: {known}." if known else "It has nothing to configure.",
        ) from None
    return made


def issuer_of(wishes: Sequence[Wish]) -> str:
    """The one issuer of all these. Raises BadInput."""
    named = {check(wish).issuer for wish in wishes}
    if len(named) != 1:
        raise BadInput(
            "One consent is of one issuer.",
            hint="Connect providers of one issuer at a time: gmail with google_calendar, github.",
        )
    return str(named.pop())


def scopes_of(wishes: Sequence[Wish]) -> list[str]:
    """Everything that has to be consented to, each once."""
    return list(dict.fromkeys(scope for wish in wishes for scope in check(wish).scopes))


def scopes_of_providers(names: Iterable[str]) -> list[str]:
    """The same of connections that there are; a provider that is no longer installed has none."""
    found = [providers()[name].scopes for name in names if name in providers()]
    return list(dict.fromkeys(scope for scopes in found for scope in scopes))


def connect(
    database: Database,
    vault: Vault,
    settings: Settings,
    *,
    tenant: str,
    user: str,
    tokens: Tokens,
    wishes: Sequence[Wish],
    trusted: bool,
) -> tuple[list[ConnectionRow], dict[str, str]]:
    """Make the grant of the account that the tokens open, and the connections that its owner has
    allowed; why not, of the others (rule O7). Raises BadInput where nothing was allowed, and what
    the provider raises that is asked whose account it is."""
    issuer = issuer_of(wishes)
    allowed, refused = _allowed(wishes, tokens)
    owners = {
        wish.provider: asyncio.run(_owner(wish, settings, token=tokens.access)) for wish in allowed
    }
    account = owners[allowed[0].provider].account
    with database.transaction() as connection:
        grant_id = grants.save(
            connection,
            tenant=tenant,
            user=user,
            issuer=issuer,
            account=account,
            scopes=tokens.scopes or scopes_of(wishes),
        )
        refresh = tokens.refresh or _known_refresh(connection, vault, tenant, grant_id)
        sealed = seal(vault, tenant, grant_id, Kept(tokens.access, refresh))
        grants.keep(connection, tenant, grant_id, sealed, seconds=tokens.seconds)
        made = []
        for wish in allowed:
            theirs = owners[wish.provider]
            row = _save(connection, wish, theirs, tenant=tenant, user=user, trusted=trusted)
            made.append(
                connections.of_account(
                    connection,
                    row["connection_id"],
                    grant_id=grant_id,
                    account=theirs.account,
                    every_seconds=wish.every_seconds,
                    keeps=wish.keeps,
                )
            )
            if wish.approve and row["synced_at"] is None:
                connections.health(connection, row["connection_id"], "paused", *WAITS)
        for row in grants.connected(connection, tenant, user, issuer, account):
            _uncovered(connection, row, tokens)
    return made, refused


def connect_with_key(
    database: Database,
    vault: Vault,
    settings: Settings,
    *,
    tenant: str,
    user: str,
    wish: Wish,
    key: str,
    trusted: bool,
) -> ConnectionRow:
    """Make a connection of the account that a key opens: a personal token, an App's private key.
    Raises what the provider raises that is asked whose account it is."""
    check(wish)
    theirs = asyncio.run(_owner(wish, settings, secret=key))
    with database.transaction() as connection:
        row = _save(connection, wish, theirs, tenant=tenant, user=user, trusted=trusted)
        sealed = vault.seal(key, tenant=tenant, connection=row["connection_id"])
        connections.seal(connection, row["connection_id"], sealed)
        return connections.of_account(
            connection,
            row["connection_id"],
            grant_id=None,
            account=theirs.account,
            every_seconds=wish.every_seconds,
        )


def _known_refresh(connection: Connection, vault: Vault, tenant: str, grant_id: str) -> str | None:
    """The refresh token of the consent before: one that brings none leaves it good (rule O4)."""
    row = grants.get(connection, tenant, grant_id)
    if row is None or row["tokens"] is None:
        return None
    return unseal(vault, row).refresh


def _save(
    connection: Connection, wish: Wish, owner: Owner, *, tenant: str, user: str, trusted: bool
) -> ConnectionRow:
    """The connection, new or as it is wished for now. Raises BadInput for another's account."""
    named = {
        "tenant": tenant,
        "user": user,
        "provider": wish.provider,
        "name": wish.name or f"{wish.provider}:{owner.account}",
    }
    found.adopt(connection, account=owner.account, **named)
    row = connections.save(
        connection,
        **named,
        config=wish.config,
        addresses=owner.addresses,
        trusted=trusted,
    )
    if row["account"] not in (None, owner.account):
        raise BadInput(
            f"The connection {row['name']} is of {row['account']}, not of {owner.account}.",
            hint="Sign in as that account, or connect this one under another name.",
        )
    return row


def _uncovered(connection: Connection, row: dict[str, Any], tokens: Tokens) -> None:
    """A connection of the account that the new consent does not allow any more needs another."""
    wanted = scopes_of_providers([row["provider"]])
    if tokens.scopes is not None and not set(wanted) <= set(tokens.scopes):
        connections.health(
            connection,
            row["connection_id"],
            "needs_reauth",
            "It was not allowed when the account was connected again.",
            "Connect the account again, and tick the boxes on the consent page.",
        )


def _allowed(wishes: Sequence[Wish], tokens: Tokens) -> tuple[list[Wish], dict[str, str]]:
    """What the owner has allowed. An issuer that does not say what was allowed allowed all."""
    granted = None if tokens.scopes is None else set(tokens.scopes)
    allowed, refused = [], {}
    for wish in wishes:
        lacking = [one for one in check(wish).scopes if granted is not None and one not in granted]
        if lacking:
            refused[wish.provider] = "It was not allowed: its box was not ticked."
        else:
            allowed.append(wish)
    if not allowed:
        raise BadInput(
            f"Reading {' and '.join(refused)} was not allowed.",
            hint="Connect again, and tick the boxes on the consent page.",
        )
    return allowed, refused


async def _owner(
    wish: Wish, settings: Settings, *, token: str | None = None, secret: str | None = None
) -> Owner:
    made = check(wish)
    asking = made(made.Config.model_validate(wish.config), secret=secret)
    lend_account(asking, settings)
    if token is not None:
        access = token

        async def given(_refused: str | None) -> str:
            return access

        asking.token = given
    try:
        return await asking.owner()
    finally:
        with contextlib.suppress(HeadraceError):
            await asking.aclose()


def lend_account(made: Provider, settings: Settings) -> None:
    """Tell a provider of accounts where its API is: where the operator says, or its own code."""
    name = f"{made.name}_base_url"
    made.base_url = getattr(settings, name, made.base_url)
    made.private_hosts |= name in settings.model_fields_set
