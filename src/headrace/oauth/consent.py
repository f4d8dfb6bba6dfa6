"""Sending the owner of an account to its issuer, and what comes back (RFC 6749, 7636, 9700).

`begin` gives the address to send a browser to. The issuer sends it back to the redirect address
with a code and the state: `returned` takes the state back, and `finish` turns the code into a grant
and the connections that were asked for. The state is good once and for ten minutes, and only its
hash is kept; the code is of no use without the verifier, which never leaves this service.
"""

from __future__ import annotations

import hashlib
import secrets

import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from psycopg.types.json import Json

from headrace.errors import BadInput
from headrace.oauth import endpoint
from headrace.oauth.connect import Wish, connect, issuer_of, scopes_of, scopes_of_providers
from headrace.oauth.issuers import issuer
from headrace.settings import Settings
from headrace.store import grants
from headrace.store.connections import ConnectionRow
from headrace.store.database import Database
from headrace.store.sql import query
from headrace.text import one_line
from headrace.vault import Vault

LIFETIME = 600.0
"""Seconds in which somebody has to come back from the issuer."""


class Asked(msgspec.Struct, kw_only=True):
    """What is remembered while somebody decides. `pages` says that it was begun on a page of the
    dashboard, which then says itself how it has ended; and only a browser that is signed in there
    may end it. Else somebody could send another the address, and have that one's account."""

    wishes: list[Wish]
    redirect_uri: str
    return_to: str | None = None
    hint: str | None = None
    trusted: bool = False
    pages: bool = False


class Returned(msgspec.Struct):
    """A consent that somebody has come back from, whatever it brings."""

    tenant: str
    user: str
    issuer: str
    verifier: str
    asked: Asked

    def __repr__(self) -> str:
        return "Returned(...)"


class Finished(msgspec.Struct):
    """What came of a consent. `refused` says of providers why they were not connected."""

    connections: list[ConnectionRow]
    refused: dict[str, str]


def begin(
    database: Database, vault: Vault, settings: Settings, tenant: str, user: str, asked: Asked
) -> str:
    """The address to send the account's owner to. The consent takes the place of the one before,
    so that it asks for what is connected already as well. Raises BadInput."""
    named = issuer_of(asked.wishes)
    there = issuer(named, settings)
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    values = {
        "tenant": tenant,
        "user": user,
        "state": _hash(state),
        "issuer": named,
        "asked": Json(msgspec.to_builtins(asked)),
        "verifier": vault.seal(verifier, tenant=tenant, connection=_bound(state)),
    }
    with database.transaction() as connection:
        connection.execute(query("consents", "ask"), values)
        account = asked.hint.lower() if asked.hint else None
        there_already = grants.connected(connection, tenant, user, named, account)
    also = scopes_of_providers(row["provider"] for row in there_already)
    address: str = prepare_grant_uri(
        there.auth_url,
        there.client_id,
        "code",
        redirect_uri=asked.redirect_uri,
        scope=list(dict.fromkeys([*scopes_of(asked.wishes), *also])),
        state=state,
        code_challenge=create_s256_code_challenge(verifier),  # type: ignore[no-untyped-call]
        code_challenge_method="S256",
        login_hint=asked.hint,
        **there.asks,
    )
    return address


def returned(
    database: Database,
    vault: Vault,
    state: str,
    *,
    tenant: str | None = None,
    user: str | None = None,
) -> Returned:
    """Take the state of a consent back. Whoever does it for a `tenant` or a `user` gets what was
    begun for them, and nothing else. Raises BadInput for one that is not known (any more)."""
    values = {"state": _hash(state), "seconds": LIFETIME, "tenant": tenant, "user": user}
    with database.transaction() as connection:
        row = connection.execute(query("consents", "take"), values).fetchone()
    if row is None:
        raise BadInput(
            "Nobody is waiting for this consent.",
            hint="It is good once, and for ten minutes: connect again from the beginning.",
        )
    return Returned(
        row["tenant_id"],
        row["user_id"],
        row["issuer"],
        vault.open(row["verifier"], tenant=row["tenant_id"], connection=_bound(state)),
        msgspec.convert(row["asked"], Asked),
    )


def finish(
    database: Database,
    vault: Vault,
    settings: Settings,
    back: Returned,
    *,
    code: str | None,
    error: str | None = None,
) -> Finished:
    """Make the grant and the connections. Blocks while the issuer is asked. Raises BadInput for a
    consent that was not given, Retry and NeedsHuman where the issuer or the provider refuses."""
    there = issuer(back.issuer, settings)
    if code is None:
        why = (
            "declined"
            if error == "access_denied"
            else f"not given ({one_line(error or 'no code', 100)})"
        )
        raise BadInput(
            f"The consent was {why}.", hint="Nothing was connected. Connect again, and allow it."
        )
    tokens = endpoint.for_code(there, code, back.verifier, back.asked.redirect_uri)
    made, refused = connect(
        database,
        vault,
        settings,
        tenant=back.tenant,
        user=back.user,
        tokens=tokens,
        wishes=back.asked.wishes,
        trusted=back.asked.trusted,
    )
    return Finished(made, refused)


def _hash(state: str) -> bytes:
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).digest()


def _bound(state: str) -> str:
    """What the verifier is sealed to: it opens for whoever brings the state, and nobody else."""
    return f"consent:{_hash(state).hex()}"
