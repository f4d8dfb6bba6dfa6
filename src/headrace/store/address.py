"""A database's address for SQLAlchemy, in a file of its own: every worker needs it, and should not
have to load the models and Alembic for it, which take longer than anything else at its start."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url


def engine_url(url: str) -> URL:
    """A libpq URL as SQLAlchemy wants it: psycopg 3 is the one driver."""
    return make_url(url).set(drivername="postgresql+psycopg")
