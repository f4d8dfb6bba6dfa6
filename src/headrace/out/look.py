"""Looking for candidates in one table, and scoring them. Reads a bounded number of rows, always."""

from __future__ import annotations

from typing import Any

from psycopg.sql import SQL, Identifier

from headrace.out.terms import Term, Terms
from headrace.store.database import Connection
from headrace.store.sql import query

FEW = 10_000
"""Rows one look into the index may bring. A word that is in more is sought newest first instead.
The limits in search.sql are the same number."""

POOL = 1_000
"""Candidates that are scored, the newest ones."""

TELLING = 16
"""Words of a query that order what was found: the rarest, the others hardly would."""

Key = tuple[int, str]
"""A row of the table: stream_id, source_id."""


class Look:
    """The rows found so far, with their scores: 1 to 2 where everything asked for is in them, 0 to
    1 where only some of it is."""

    def __init__(
        self, connection: Connection, table: str, terms: Terms, scope: dict[str, Any]
    ) -> None:
        self._connection = connection
        self._table = Identifier("headrace", table)
        # A meeting is found as an event of its calendar.
        meetings = "AND source NOT IN ('calendar', 'google_calendar')"
        self._only = SQL(meetings if table == "interactions" else "")
        self._terms = terms
        self._scope = scope
        self.found: dict[Key, float] = {}

    @property
    def enough(self) -> bool:
        """Whether as many rows as were asked for have been found."""
        return len(self.found) >= int(self._scope["limit"])

    def for_all(self) -> None:
        """Rows with every word and phrase."""
        wanted = self._terms.wanted
        exact, loose = _every([t.query for t in wanted]), _every([t.loose for t in wanted])
        if not any(_few(term) for term in wanted):
            self._take(exact, None, 1.0)
        if not self.enough:
            # Each of these words is everywhere, yet they meet in few rows: then the index knows.
            self._take(exact, loose, 1.0)

    def for_any(self) -> None:
        """Rows with some of the words. Phrases are not given up: who quotes, means it."""
        phrases = [term for term in self._terms.wanted if term.phrase]
        words = [term for term in self._terms.wanted if not term.phrase]
        if not words or len(self._terms.wanted) == 1:
            return
        if phrases:
            exact, loose = _every([t.query for t in phrases]), _every([t.loose for t in phrases])
            self._take(exact, loose if any(_few(term) for term in phrases) else None, 0.0)
            return
        # The rare words find the best rows; the common ones only help to order them.
        rare, common = _rarest(words)
        if rare:
            self._take(_some(rare), _some(rare), 0.0)
        if common and not self.enough:
            self._take(_some(common), None, 0.0)

    def _take(self, exact: str, loose: str | None, base: float) -> None:
        """Add what one query finds: by the index of words with `loose`, else among the newest."""
        if loose is not None:
            self._only_by_words("off")
        way = "newest" if loose is None else "by_words"
        if self._scope["identities"] is not None:
            way = "of_people"
        found = SQL(query("search", way))
        terms = self._terms
        telling = sorted(terms.wanted, key=lambda term: term.matches)[:TELLING]
        rows = self._connection.execute(
            SQL(query("search", "rank")).format(
                found=found.format(table=self._table, only=self._only)
            ),
            {
                **self._scope,
                "query": " & ".join([f"({exact})", *[f"!({one})" for one in terms.unwanted]]),
                "loose": loose,
                "limit": self._scope["limit"] + len(self.found),
                "rows": terms.rows,
                "terms": [term.query for term in telling],
                "matches": [term.matches for term in telling],
                "known": [term.known for term in telling],
            },
            prepare=False,  # the best plan depends on the words and on the user, each time
        ).fetchall()
        if loose is not None:
            self._only_by_words("on")
        for row in rows:
            score = base + row["score"] / (1 + row["score"])
            self.found.setdefault((row["stream_id"], row["source_id"]), score)

    def _only_by_words(self, others: str) -> None:
        self._connection.execute(query("search", "only_by_words"), {"others": others})


def _few(term: Term) -> bool:
    return not term.known or term.matches <= FEW


def _rarest(words: list[Term]) -> tuple[list[str], list[str]]:
    """The rarest words, and the others: those that the statistics do not know, which is rare in
    itself, and of the known ones as many as the pool has room for."""
    known = sorted([term for term in words if term.known], key=lambda term: term.matches)
    room, taken = float(POOL), len(words) - len(known)
    rare = [term.query for term in words if not term.known]
    for term in known:
        room -= term.matches
        if not _few(term) or (room < 0 and taken):
            break
        rare.append(term.query)
        taken += 1
    return rare, [term.query for term in words if term.query not in rare]


def _every(queries: list[str]) -> str:
    return " & ".join(f"({one})" for one in queries)


def _some(queries: list[str]) -> str:
    return " | ".join(f"({one})" for one in queries)
