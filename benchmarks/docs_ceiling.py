"""The embedder alone over the chunks that Headrace has made: nobody can be faster than that.

`python -m benchmarks.docs_ceiling URL HOME FOLDER EMBEDDER`, on the database Headrace has filled.
"""

from __future__ import annotations

import psycopg

from benchmarks.docs_measure import BATCH, arguments, report

_TEXTS = "SELECT DISTINCT ON (chunk_hash) body FROM headrace.chunks ORDER BY chunk_hash"


def main() -> None:
    """Embed them all, and throw the vectors away."""
    given = arguments()
    with psycopg.connect(given.url) as connection:
        texts = [body for (body,) in connection.execute(_TEXTS)]
    watched = given.watched()

    def work() -> None:
        for start in range(0, len(texts), BATCH):
            watched.embed(texts[start : start + BATCH])

    report(watched, work)


if __name__ == "__main__":
    main()
