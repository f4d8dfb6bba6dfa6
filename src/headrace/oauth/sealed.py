"""Tokens kept in our own table, sealed."""

from __future__ import annotations

import msgspec

from headrace.errors import NeedsHuman
from headrace.oauth.endpoint import Tokens
from headrace.oauth.held import Held
from headrace.store import grants
from headrace.store.database import Connection
from headrace.store.grants import GrantRow
from headrace.vault import Vault


class Kept(msgspec.Struct):
    """What is sealed in a grant."""

    access: str
    refresh: str | None = None

    def __repr__(self) -> str:
        return "Kept(...)"


class Sealed:
    """The place of grants that Headrace has asked for itself: nobody else writes there."""

    again = renewable = "Connect the account again."

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def read(self, connection: Connection, row: GrantRow) -> Held:  # noqa: ARG002 - in the row
        """The tokens of the row."""
        if row["tokens"] is None:
            raise NeedsHuman(
                f"The consent of {row['account']} has ended.", hint=self.again, reauth=True
            )
        kept = unseal(self._vault, row)
        return Held(kept.access, kept.refresh, row["seconds"], row["lifetime"])

    def write(self, connection: Connection, row: GrantRow, held: Held, made: Tokens) -> Held:
        """Keep them in the row."""
        kept = Kept(made.access, made.refresh or held.refresh)
        grants.keep(
            connection,
            row["tenant_id"],
            row["grant_id"],
            seal(self._vault, row["tenant_id"], row["grant_id"], kept),
            seconds=made.seconds,
            scopes=made.scopes,
        )
        return Held(kept.access, kept.refresh, made.seconds, made.seconds)

    def newer(self, connection: Connection, row: GrantRow, held: Held) -> Held | None:  # noqa: ARG002
        """Nothing: whoever refreshes holds the row."""
        return None


def seal(vault: Vault, tenant: str, grant_id: str, tokens: Kept) -> bytes:
    """Tokens as a grant keeps them: they open in that grant's row and nowhere else."""
    text = msgspec.json.encode(tokens).decode()
    return vault.seal(text, tenant=tenant, connection=grant_id)


def unseal(vault: Vault, row: GrantRow) -> Kept:
    """The tokens of a row that has some. Raises NeedsHuman where no key opens them."""
    text = vault.open(row["tokens"], tenant=row["tenant_id"], connection=row["grant_id"])
    return msgspec.json.decode(text, type=Kept)
