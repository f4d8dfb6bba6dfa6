"""What goes between PostgreSQL and the streams of a Redis, and must not depend on it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Identity, Integer, LargeBinary

from headrace.model.base import ID, Table, col, key, time


class RedisEntry(Table, table=True):
    """An entry of the stream that jobs were made of, or answered by those under way: read again,
    it makes no other. `digest` tells it from another one of the same id."""

    __tablename__ = "redis_entries"
    entry_id: str = key()
    digest: bytes = key(LargeBinary)
    job_ids: list[str] = col(ARRAY(ID), null=False)
    taken_at: datetime = time(null=False)


class RedisCompletion(Table, table=True):
    """That a job is over, until the stream of completions has been told."""

    __tablename__ = "redis_completions"
    number: int = key(BigInteger, server_default=Identity(always=True))
    job_id: str = col(ID, null=False)
    turn: int = col(Integer, null=False)
    noted_at: datetime = time(null=False)


class RedisOffer(Table, table=True):
    """A sync that the schedule has asked for through the stream, until the entry is read."""

    __tablename__ = "redis_offers"
    connection_id: str = key()
    kind: str = col(null=False)
    offered_at: datetime = time(null=False)


class RedisServer(Table, table=True):
    """A Redis that workers were told of, and when one last was: while that is not long ago, the
    ends of jobs are kept for it."""

    __tablename__ = "redis_servers"
    address: str = key()
    named_at: datetime = time(null=False)
