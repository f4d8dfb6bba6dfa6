"""From words to what PostgreSQL looks for, and how rare each of them is."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from headrace.out.asked import Asked, Part
from headrace.store.database import Connection
from headrace.store.sql import query
from headrace.text import tokenize

_LOCAL_PART = re.compile(r"[\w.+-]{2,64}")

_UNKNOWN_ROWS = 1_000.0
"""Rows a table is taken to have before its first ANALYZE."""


class Term(msgspec.Struct, frozen=True):
    """One part of a query as tsquery text. `loose` asks for a phrase's words in any order.

    `readings` are the lexemes of each way to read it; `matches` estimates the rows that have it,
    and is only an upper bound unless `known`.
    """

    query: str
    loose: str
    phrase: bool
    readings: list[list[str]]
    matches: float = 0.0
    known: bool = False


class Terms(msgspec.Struct, frozen=True):
    """A query for one table: every wanted term, and the unwanted ones as tsquery texts."""

    wanted: list[Term]
    unwanted: list[str]
    rows: float = _UNKNOWN_ROWS


def read(connection: Connection, asked: Asked) -> tuple[Terms, Terms]:
    """A query's terms for prose, which PostgreSQL cut into words, and for rows that `tokenize` did.

    English stop words are left out, unless there is nothing else.
    """
    parts = [*asked.wanted, *asked.unwanted]
    readings = connection.execute(
        query("search", "lexemes"),
        {"texts": [one.text for one in parts], "phrases": [one.phrase for one in parts]},
    ).fetchall()
    wanted = list(zip(asked.wanted, readings, strict=False))
    unwanted = list(zip(asked.unwanted, readings[len(wanted) :], strict=True))
    telling = [pair for pair in wanted if pair[1]["english"]] or wanted
    prose = Terms(
        [term for part, reading in telling if (term := _prose(part, reading))],
        [term.query for part, reading in unwanted if (term := _prose(part, reading))],
    )
    labels = Terms(
        [term for part, _ in telling for term in _labels(part)],
        [
            " & ".join(term.query for term in terms)
            for part, _ in unwanted
            if (terms := _labels(part))
        ],
    )
    return prose, labels


def _prose(part: Part, reading: dict[str, Any]) -> Term | None:
    """Subjects and bodies are stemmed English, names and addresses stand as they are."""
    exact = [reading["english"], reading["plain"]]
    loose = [_all(reading["english_lexemes"]), _all(reading["plain_lexemes"])]
    lexemes = [reading["english_lexemes"], reading["plain_lexemes"]]
    if not part.phrase and _LOCAL_PART.fullmatch(part.text):
        # "alice" also finds mail from alice@anywhere, which the index holds as one word.
        exact.append(f"{_quoted(part.text + '@')}:*")
        loose.append(exact[-1])
        lexemes.append([])
    if not any(exact):
        return None
    return Term(_any(exact), _any(loose), part.phrase, [one for one in lexemes if one])


def _labels(part: Part) -> list[Term]:
    """Events keep their words without places: a phrase is all of its words."""
    words = sorted(tokenize(part.text))
    if part.phrase:
        together = _all(words)
        return [Term(together, together, True, [words])] if words else []
    return [Term(_quoted(word), _quoted(word), False, [[word]]) for word in words]


def weigh(connection: Connection, table: str, terms: Terms) -> Terms:
    """The same terms, with how many rows of a table have each, as far as the statistics know."""
    found = connection.execute(
        query("search", "frequencies"),
        {
            "table": table,
            "lexemes": [word for term in terms.wanted for one in term.readings for word in one],
        },
    ).fetchone()
    assert found is not None, "a SELECT of one row answers"
    rows = found["rows"] if found["rows"] > 0 else _UNKNOWN_ROWS
    shares, floor = found["shares"], found["floor"] or 0.0
    wanted = [_weighed(term, rows, shares, floor) for term in terms.wanted]
    return Terms(wanted, terms.unwanted, rows)


def _weighed(term: Term, rows: float, shares: dict[str, float], floor: float) -> Term:
    known = any(all(word in shares for word in one) for one in term.readings)
    # Of one reading the rarest word decides; of several readings the commonest.
    share = max(
        (min(shares.get(word, floor) for word in one) for one in term.readings), default=floor
    )
    return msgspec.structs.replace(term, matches=share * rows, known=known)


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def _all(lexemes: list[str]) -> str:
    return " & ".join(_quoted(one) for one in lexemes)


def _any(queries: list[str]) -> str:
    return " | ".join(f"({one})" for one in dict.fromkeys(queries) if one)
