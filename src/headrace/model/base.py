"""What all tables share: their schema, who owns their rows, and the kinds of column."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import (
    DateTime,
    MetaData,
    Text,
)
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType
from sqlmodel import Field, SQLModel

SCHEMA = "headrace"


class HalfVector(UserDefinedType[Any]):
    """pgvector's vector of half-precision numbers, of any length."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Its name in PostgreSQL."""
        return "halfvec"


ischema_names["halfvec"] = HalfVector
metadata = MetaData(schema=SCHEMA)

# Identifiers are compared byte by byte: half the cost of a locale's rules in a large index.
ID = Text(collation="C")


def key(kind: Any = ID, **more: Any) -> Any:
    """A column of the primary key."""
    return Field(primary_key=True, nullable=False, sa_type=kind, sa_column_kwargs=more)


def col(kind: Any = Text, *, null: bool = True) -> Any:
    """Any other column."""
    return Field(nullable=null, sa_type=kind)


def time(*, null: bool = True) -> Any:
    """A moment, with its zone."""
    return col(DateTime(timezone=True), null=null)


class Table(SQLModel):
    """What every row has: who owns it."""

    metadata: ClassVar[MetaData] = metadata

    tenant_id: str = key()
    user_id: str = col(ID, null=False)
