"""Everything that is sealed, and sealing it with the newest key."""

from __future__ import annotations

from typing import Any

from psycopg.sql import SQL, Identifier

from headrace.errors import NeedsHuman
from headrace.store.database import Database
from headrace.vault import Vault

# Table, column, and what the seal is bound to besides the tenant. A consent's verifier lives for
# ten minutes: it is left alone.
_SEALED = (
    ("connections", "credential", "connection_id"),
    ("grants", "tokens", "grant_id"),
    ("vector_indexes", "credential", "connection_id"),
    ("webhooks", "secrets", "webhook_id"),
)

_OLD = SQL(
    "SELECT DISTINCT tenant_id, {bound} AS bound, {column} AS sealed FROM {table}"
    " WHERE {column} IS NOT NULL AND substring({column} FOR %(length)s) <> %(newest)s"
    " AND (tenant_id, {bound}) > (%(tenant)s, %(bound)s)"
    " ORDER BY tenant_id, {bound} LIMIT 1000"
)
_ANEW = SQL(
    "UPDATE {table} SET {column} = %(sealed)s"
    " WHERE tenant_id = %(tenant)s AND {bound} = %(bound)s AND {column} = %(old)s"
)


def seal_anew(database: Database, vault: Vault) -> tuple[int, int]:
    """Seal with the newest key what an older one has sealed. How many that were, and how many no
    key opens. What somebody else writes meanwhile is left as that wrote it."""
    done = left = 0
    for table, column, bound in _SEALED:
        names = {
            "table": Identifier("headrace", table),
            "column": Identifier(column),
            "bound": Identifier(bound),
        }
        old, anew = _OLD.format(**names), _ANEW.format(**names)
        values: dict[str, Any] = {"tenant": "", "bound": "", "newest": vault.header}
        values["length"] = len(vault.header)
        while True:
            with database.connection() as connection:
                rows = connection.execute(old, values).fetchall()
            if not rows:
                break
            for row in rows:
                values |= {"tenant": row["tenant_id"], "bound": row["bound"]}
                try:
                    text = vault.open(
                        row["sealed"], tenant=row["tenant_id"], connection=row["bound"]
                    )
                except NeedsHuman:
                    left += 1
                    continue
                sealed = vault.seal(text, tenant=row["tenant_id"], connection=row["bound"])
                with database.connection() as connection:
                    given = {**values, "sealed": sealed, "old": row["sealed"]}
                    done += connection.execute(anew, given).rowcount
    return done, left
