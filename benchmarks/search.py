"""`make bench-search SETS=folder`: how well documents are found, by words, by meaning, and by both.

A set is a JSON file: {"docs": [{"id", "text"}], "queries": [{"id", "text"}], "qrels": {query: {doc:
grade}}}. Its documents are ingested as files, through everything that a person's own go through;
then each query is asked in each way, and its documents are ranked by their best passage.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.docs_headrace import ingest
from benchmarks.machine import describe
from headrace.engine import vectors
from headrace.engine.runtime import engine
from headrace.engine.schema import prepare
from headrace.out.meant import Mode
from headrace.out.search import search
from headrace.settings import Settings, load
from headrace.store.database import Database
from headrace.store.embedded import postgres

MODES: tuple[Mode, ...] = ("text", "vector", "hybrid")
TARGET = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench-search -->", "<!-- /bench-search -->"
_DEPTH = 100  # passages asked for, of which ten documents come


def bring(url: str, settings: Settings, folder: Path) -> float:
    """Bring a folder in; seconds from the job's submission to its end."""
    with engine(url, settings) as database:
        began = time.perf_counter()
        ingest(database, settings, str(folder))
        seconds = time.perf_counter() - began
        vectors.tend(database)
        return seconds


def ndcg(ranked: Sequence[str], grades: dict[str, float]) -> float:
    """nDCG@10 with gains 2^grade - 1."""

    def gain(order: Sequence[float]) -> float:
        return sum((2**grade - 1) / math.log2(at + 2) for at, grade in enumerate(order[:10]))

    best = gain(sorted(grades.values(), reverse=True))
    return gain([grades.get(one, 0.0) for one in ranked]) / best if best else 0.0


def measure(
    url: str, settings: Settings, queries: list[dict[str, Any]], qrels: dict[str, Any]
) -> list[str]:
    """One line of the table for each way to search."""
    database = Database(url).open()
    with database.connection() as session:
        session.execute("ANALYZE headrace.chunks")
    lines = []
    for mode in MODES:
        scores, recalls, took = [], [], []
        for asked in queries:
            grades = {doc: float(grade) for doc, grade in qrels.get(asked["id"], {}).items()}
            if not any(grades.values()):
                continue
            began = time.perf_counter()
            with database.people("default", "me") as session:
                hits = search(
                    session,
                    asked["text"],
                    kinds=["documents"],
                    limit=_DEPTH,
                    mode=mode,
                    settings=settings,
                )
            took.append((time.perf_counter() - began) * 1000)
            ranked = list(dict.fromkeys(Path(hit.source_id).stem for hit in hits))[:10]
            scores.append(ndcg(ranked, grades))
            relevant = {doc for doc, grade in grades.items() if grade > 0}
            recalls.append(len(relevant & set(ranked)) / min(10, len(relevant)))
        p95 = sorted(took)[int(len(took) * 0.95)]
        lines.append(
            f"{mode} | {statistics.mean(scores):.3f} | {statistics.mean(recalls):.3f} |"
            f" {statistics.median(took):.1f} | {p95:.1f}"
        )
    database.close()
    return lines


def run(file: Path, queries: int) -> list[str]:
    """One labelled set: ingest it into a database of its own, ask, and score."""
    given = json.loads(file.read_text("utf-8"))
    home = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    home.chmod(0o755)
    folder = home / "docs"
    folder.mkdir()
    for doc in given["docs"]:
        if doc["text"].strip():
            target = folder / f"{doc['id']}.txt"
            target.write_text(doc["text"], "utf-8")
            os.utime(target, (1_700_000_000, 1_700_000_000))
    os.environ["HEADRACE_HOME"] = str(home)
    with postgres(home / "postgres") as url:
        prepare(url)
        settings = load(database_url=url)
        seconds = bring(url, settings, folder)
        asked = given["queries"][:: max(1, len(given["queries"]) // queries)][:queries]
        lines = measure(url, settings, asked, given["qrels"])
    head = f"{file.stem} ({len(given['docs']):,} documents, {len(asked)} queries; {seconds:.0f} s)"
    return [f"| {head} | {line} |" for line in lines]


def main() -> None:
    """Measure every set of a folder, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder of labelled sets")
    parser.add_argument("--queries", type=int, default=300, help="at most so many of each set")
    parser.add_argument("--no-write", action="store_true")
    wanted = parser.parse_args()
    lines = [
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {describe()}. `make bench-search`.",
        "",
        "| set | way | nDCG@10 | recall@10 | ms p50 | ms p95 |",
        "|---|---|---|---|---|---|",
    ]
    for file in sorted(wanted.folder.glob("*.json")):
        lines += run(file, wanted.queries)
        print("\n".join(lines[-len(MODES) :]), flush=True)
    if not wanted.no_write:
        page = TARGET.read_text("utf-8")
        head, _, rest = page.partition(BEGIN)
        text = "\n".join(lines)
        TARGET.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    main()
