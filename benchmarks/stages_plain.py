"""The stages of mail as one would write them in an afternoon: a statement a row, a commit a mail.

They understand mails with the same code, so that what is compared is how the work is organised.
"""

from __future__ import annotations

import json
import time
from typing import Any

import psutil
import psycopg

from benchmarks.letters import OWN
from benchmarks.stages import MAIL, Found

_IDENTITY = """
INSERT INTO plain_identities (kind, value, name, seen) VALUES (%s, %s, %s, %s)
ON CONFLICT (kind, value) DO UPDATE SET name = excluded.name, seen = excluded.seen
RETURNING id, xmax = 0 AS new
"""

_TABLES = """
CREATE TABLE plain_interactions (source_id text PRIMARY KEY, at timestamptz, kind text,
  subject text, sender text, body text, search tsvector);
CREATE INDEX ON plain_interactions USING gin (search);
CREATE TABLE plain_identities (id serial PRIMARY KEY, kind text, value text, name text,
  seen timestamptz, contact int, UNIQUE (kind, value));
CREATE INDEX ON plain_identities (name);
CREATE TABLE plain_participants (source_id text, identity int, role text,
  PRIMARY KEY (source_id, identity, role));
CREATE TABLE plain_contacts (id serial PRIMARY KEY, name text);
CREATE TABLE plain_timeline (source_id text PRIMARY KEY, at timestamptz, sentence text);
"""


def plain(url: str) -> Found:
    """Every mail through all stages, one after the other."""
    from headrace.plugins import stages
    from headrace.stage import RawEvent, StreamContext

    normalise = stages()["normalize_mail"].run
    context = StreamContext("mailbox", "m", MAIL, "{}", frozenset({OWN}))
    me, rss, done = psutil.Process(), [], 0
    with psycopg.connect(url, autocommit=True) as session, psycopg.connect(url) as reading:
        session.execute(_TABLES)
        [count] = session.execute("SELECT count(*) FROM headrace.raw_events").fetchone() or [0]
        began = time.perf_counter()
        with reading.cursor(name="mails") as mails:
            mails.execute(
                "SELECT source_id, version, occurred_at, payload FROM headrace.raw_events"
                " ORDER BY source_id"
            )
            for raw in mails:
                [row] = normalise(RawEvent(*raw), context)
                with session.transaction():
                    _one(session, row)
                done += 1
                if done % max(1, count // 10) == 0:
                    rss.append(me.memory_info().rss / 1e6)
        seconds = time.perf_counter() - began
    return Found(done, seconds, {}, [], [rss[0], rss[len(rss) // 2], rss[-1]])


def _one(session: psycopg.Connection[Any], row: Any) -> None:
    session.execute(
        "INSERT INTO plain_interactions VALUES (%s, %s, %s, %s, %s, %s,"
        " to_tsvector('english', %s)) ON CONFLICT DO NOTHING",
        [
            row.source_id,
            row.occurred_at,
            row.kind,
            row.subject,
            row.from_address,
            row.body,
            f"{row.subject} {row.body}",
        ],
    )
    for person in json.loads(row.people):
        values = [person["kind"], person["value"], person.get("name"), row.occurred_at]
        found = session.execute(_IDENTITY, values).fetchone()
        assert found is not None
        identity, new = found
        session.execute(
            "INSERT INTO plain_participants VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [row.source_id, identity, person["role"]],
        )
        if new:
            _link(session, identity, person)
    session.execute(
        "INSERT INTO plain_timeline VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [row.source_id, row.occurred_at, f"{row.from_name} wrote: {row.subject}"],
    )


def _link(session: psycopg.Connection[Any], identity: int, person: dict[str, Any]) -> None:
    """The contact of whoever has the same name, else a new one."""
    same = session.execute(
        "SELECT contact FROM plain_identities WHERE name = %s AND contact IS NOT NULL LIMIT 1",
        [person.get("name")],
    ).fetchone()
    if same is None:
        same = session.execute(
            "INSERT INTO plain_contacts (name) VALUES (%s) RETURNING id", [person.get("name")]
        ).fetchone()
    assert same is not None
    session.execute("UPDATE plain_identities SET contact = %s WHERE id = %s", [same[0], identity])
