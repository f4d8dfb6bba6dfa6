"""What people have said, and their meetings, found by what they mean; and how that is mixed with
what their words find."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, get_args

from psycopg.sql import SQL
from psycopg.sql import Literal as Constant

from headrace.out.look import Key
from headrace.out.meant import POOL, SPARE, Meant, as_arrays
from headrace.out.meant import Key as ChunkKey
from headrace.out.passages import LEAST, conditions, mix, widely
from headrace.out.terms import Terms
from headrace.store.database import Connection
from headrace.store.sql import query

FEW = 5_000
"""Candidates in a time that are looked at one by one; of more, the index of vectors finds the
nearest. Of a person, the newest so many are looked at."""

Said = Literal["interactions", "calendar_events"]
SAID: tuple[Said, ...] = get_args(Said)
"""What is found so."""

Near = dict[Key, tuple[float, ChunkKey]]
"""Interactions, or events of a calendar, with how near they are and which chunk that says."""


def near(
    connection: Connection,
    meant: Meant,
    terms: Terms,
    scope: dict[str, Any],
    kinds: Collection[str],
) -> dict[Said, Near]:
    """The nearest of each kind. `connection` is the owner's, for a moment: see search.sql."""
    asked = [one for one in SAID if one in kinds]
    meetings = None if len(asked) != 1 else asked == ["calendar_events"]
    values = {**scope, **conditions(terms), "meetings": meetings, "few": FEW}
    wanted = SQL(query("said", "wanted"))
    timed = scope["since"] is not None or scope["until"] is not None
    of_people = scope["identities"] is not None
    candidates = "of_people" if of_people else "meetings" if meetings else "in_time"
    mine = SQL(query("said", candidates)).format(wanted=wanted)
    one_by_one = of_people or ((timed or meetings) and _how_many(connection, mine, values) <= FEW)
    # What is unwanted is left out afterwards: there is more than enough.
    values |= {"filtered": bool(timed or meetings), "pool": SPARE * POOL}
    widely(connection)
    statement = SQL(query("said", "among" if one_by_one else "nearest")).format(
        mine=mine,
        wanted=wanted,
        dimensions=Constant(len(meant.vector)),
        model=Constant(meant.model),
        vector=Constant("[" + ",".join(map(str, meant.vector.tolist())) + "]"),
    )
    rows = connection.execute(statement, values, prepare=False).fetchall()
    rows.sort(key=lambda row: -row["score"])  # the index answers nearly in order
    chunks = [(row["stream_id"], row["content_hash"], row["position"]) for row in rows]
    statement = SQL(query("said", "who")).format(wanted=wanted)
    found: dict[Said, Near] = {kind: {} for kind in asked}
    values |= as_arrays(chunks)
    for said in connection.execute(statement, values, prepare=False).fetchall():
        of = found.get("calendar_events" if said["meeting"] else "interactions")
        if of is not None:
            score = rows[said["at"] - 1]["score"]
            of.setdefault((said["stream_id"], said["source_id"]), (score, chunks[said["at"] - 1]))
    return found


def _how_many(connection: Connection, mine: Any, values: dict[str, Any]) -> int:
    statement = SQL(query("said", "how_many")).format(mine=mine)
    row = connection.execute(statement, values, prepare=False).fetchone()
    assert row is not None, "a count answers"
    return int(row["n"])


def mixed(worded: Mapping[Key, float], meaning: Near) -> dict[Key, float]:
    """Both ways in one, as of documents: from 0 to 2, and above 1 where everything that was asked
    for is in it. Without meaning, the scores of the words as they are."""
    if not meaning:
        return dict(worded)
    whole = {key for key, score in worded.items() if score >= 1}
    words = {key: score - (key in whole) for key, score in worded.items()}
    close = {key: one for key, (one, _) in meaning.items() if key in words or one >= LEAST}
    return {key: score + (key in whole) for key, score in mix(words, close).items()}
